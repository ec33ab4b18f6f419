package ring

import (
	"os"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What Close leaves of the memory is zero: looked at through a third mapping that outlives it.
func TestWipedAtClose(t *testing.T) {
	r, err := New(1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Tail(r.Frames()) {
		r.samples[i] = 0x5a5a
	}
	page := os.Getpagesize()
	// mremap of a shared mapping with an old size of zero makes a second view of the same pages.
	third, err := unix.MremapPtr(unsafe.Pointer(&r.memory[0]), 0, nil, uintptr(page), unix.MREMAP_MAYMOVE)
	if err != nil {
		t.Fatal(err)
	}
	view := unsafe.Slice((*byte)(third), page)
	if view[0] != 0x5a {
		t.Fatal("the third mapping doesn't show the ring")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, b := range view {
		if b != 0 {
			t.Fatal("samples outlive the ring")
		}
	}
	if err := r.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := unix.MunmapPtr(third, uintptr(page)); err != nil {
		t.Error(err)
	}
}

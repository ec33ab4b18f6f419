package locked_test

import (
	"slices"
	"testing"
	"unsafe"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/locked/lockedtest"
)

func TestPagesAreLockedUndumpableAndNotInherited(t *testing.T) {
	b, err := locked.Bytes(100)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) < 100 {
		t.Fatalf("asked for 100 bytes, got %d", len(b))
	}
	flags := lockedtest.Flags(t, uintptr(unsafe.Pointer(&b[0])))
	for _, want := range []string{"lo", "dd", "dc"} {
		if !slices.Contains(flags, want) {
			t.Errorf("flag %q is missing in %q", want, flags)
		}
	}
	if err := locked.Free(b); err != nil {
		t.Fatal(err)
	}
	if err := locked.Free(nil); err != nil {
		t.Errorf("freeing nothing: %v", err)
	}
}

func TestNewPlacesAZeroValueThere(t *testing.T) {
	type state struct {
		n    int
		hist [4096]float32
	}
	if locked.HasPointers[state]() {
		t.Fatal("state holds no pointer")
	}
	s, free, err := locked.New[state]()
	if err != nil {
		t.Fatal(err)
	}
	s.hist[4095] = 1
	if s.n != 0 || !slices.Contains(lockedtest.Flags(t, uintptr(unsafe.Pointer(s))), "lo") {
		t.Error("not a zero value in locked memory")
	}
	if err := free(); err != nil {
		t.Fatal(err)
	}
}

func TestHasPointers(t *testing.T) {
	for name, c := range map[string]struct{ got, want bool }{
		"int":    {locked.HasPointers[int](), false},
		"array":  {locked.HasPointers[[3]complex128](), false},
		"slice":  {locked.HasPointers[[]byte](), true},
		"string": {locked.HasPointers[string](), true},
		"nested": {locked.HasPointers[struct{ a [2]struct{ p *int } }](), true},
		"empty":  {locked.HasPointers[[0]*int](), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}

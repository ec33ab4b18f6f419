// Package locked hands out memory for what must not outlive its use: pages that are locked against
// swapping (mlock), left out of core dumps (MADV_DONTDUMP), zero in a forked child (MADV_WIPEONFORK),
// and wiped when given back. They lie outside the Go heap, so the collector neither moves nor copies them.
//
// Every digit, PAN, CVV and key of the product lives in such a page (DESIGN law 3); so does the state of
// the detector, from which digits could be read back. Nothing here is safe for concurrent use.
package locked

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bytes maps at least n bytes of locked memory, all zero. Pass the slice to [Free], whole, to wipe and
// unmap it. The usual failure is a memory-lock limit: the error says so.
func Bytes(n int) ([]byte, error) {
	page := os.Getpagesize()
	size := (n + page - 1) / page * page
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("locked: map %d bytes: %w", size, err)
	}
	if err := Harden(b); err != nil {
		unix.Munmap(b)
		return nil, err
	}
	if err := unix.Madvise(b, unix.MADV_WIPEONFORK); err != nil {
		unix.Munmap(b)
		return nil, fmt.Errorf("locked: wipe on fork: %w", err)
	}
	clear(b) // where memory is virtual twice, the first touch of a page takes microseconds: not from a block of a call
	return b, nil
}

// Harden locks mapped pages and keeps them out of core dumps.
func Harden(b []byte) error {
	if err := unix.Mlock(b); err != nil {
		return fmt.Errorf("locked: lock %d bytes in memory (raise LimitMEMLOCK, see ulimit -l): %w", len(b), err)
	}
	if err := unix.Madvise(b, unix.MADV_DONTDUMP); err != nil {
		return fmt.Errorf("locked: keep out of core dumps: %w", err)
	}
	return nil
}

// Free wipes and unmaps what [Bytes] returned. Freeing nil does nothing.
func Free(b []byte) error {
	if b == nil {
		return nil
	}
	clear(b)
	return unix.Munmap(b)
}

// Copy copies as the builtin does, but byte by byte. The builtin goes through vector registers, where up to 64
// bytes stay behind, and the kernel writes those to the thread's signal stack whenever Go preempts it.
func Copy(dst, src []byte) int {
	n := min(len(dst), len(src))
	for i := range n {
		dst[i] = src[i]
	}
	return n
}

// New places a zero T in locked memory. T must hold no Go pointer (the collector doesn't look in here),
// which a test of the calling package should assert with [HasPointers]. The function returned wipes and
// unmaps it.
func New[T any]() (*T, func() error, error) {
	b, err := Bytes(int(unsafe.Sizeof(*new(T))))
	if err != nil {
		return nil, nil, err
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(b))), func() error { return Free(b) }, nil
}

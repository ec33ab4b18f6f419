// Package locked hands out memory for what must not outlive its use: pages that are never swapped, left out of core
// dumps, not there in a forked child, and wiped when given back. They lie outside the Go heap, so the collector neither
// moves nor copies them.
//
// Where the kernel has it they are secret memory (memfd_secret(2)): gone from the kernel's own map, so that neither root by
// /proc/PID/mem or a debugger, nor a core, nor a stray read in the kernel reaches them; a machine can't hibernate while such pages are
// there. Elsewhere they are ordinary pages, locked (mlock) and left out of dumps. From outside the two are told apart by /proc/PID/maps, which has the former as /secretmem.
//
// Every digit, PAN, CVV and key of the product lives in such a page (DESIGN law 3); so does the state of
// the detector, from which digits could be read back. Pages may be asked for and given back on any goroutine; what is in
// them has one owner at a time.
package locked

import (
	"errors"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ErrNotLocked is the error of [Free] for what isn't, or is no longer, memory of this package.
var ErrNotLocked = errors.New("locked: not memory of this package, or given back before")

// pages are the ones in use, by where they begin, with their length; and single ones for the next user, wiped and out of
// everybody's reach. Fresh pages cost a hundred times as much, and a card takes half a dozen.
var pages = struct {
	sync.Mutex
	used map[*byte]int
	idle []*byte
}{used: map[*byte]int{}}

// keepIdle is what the cards of some lines take at the same time.
const keepIdle = 64

// Bytes is at least n bytes of locked memory, all zero: whole pages. Pass the slice to [Free] to wipe and
// give it back. The usual failure is a memory-lock limit: the error says so.
func Bytes(n int) ([]byte, error) {
	size := whole(n)
	if b := reuse(size); b != nil {
		return b, nil
	}
	return fresh(size, 1)
}

// Twice is at least n bytes of locked memory, all zero, mapped twice in a row: what is written to one half is in the other, so that
// whatever begins in the first half is in one piece. It is given back like other memory.
func Twice(n int) ([]byte, error) { return fresh(whole(n), 2) }

func whole(n int) int {
	page := os.Getpagesize()
	return max(1, (n+page-1)/page) * page
}

// Free wipes b, of which only the beginning counts, and gives it back; who uses it after that is ended by the kernel. Freeing nil does
// nothing; freeing it again is [ErrNotLocked].
func Free(b []byte) error {
	if b == nil {
		return nil
	}
	start := unsafe.SliceData(b)
	pages.Lock()
	size, known := pages.used[start]
	delete(pages.used, start)
	pages.Unlock()
	if !known {
		return ErrNotLocked
	}
	b = unsafe.Slice(start, size)
	clear(b)
	if size == os.Getpagesize() && unix.Mprotect(b, unix.PROT_NONE) == nil {
		pages.Lock()
		defer pages.Unlock()
		if len(pages.idle) < keepIdle {
			pages.idle = append(pages.idle, start)
			return nil
		}
	}
	return unix.MunmapPtr(unsafe.Pointer(start), uintptr(size))
}

// reuse is a page that is idle, if that is what is wanted and there is one.
func reuse(size int) []byte {
	pages.Lock()
	defer pages.Unlock()
	last := len(pages.idle) - 1
	if size != os.Getpagesize() || last < 0 {
		return nil
	}
	start := pages.idle[last]
	b := unsafe.Slice(start, size)
	if unix.Mprotect(b, unix.PROT_READ|unix.PROT_WRITE) != nil { // too many mappings: perhaps there is room for a new one
		return nil
	}
	pages.idle = pages.idle[:last]
	pages.used[start] = size
	return b
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
// which a test of the calling package should assert with [HasPointers]. The function returned wipes it and
// gives it back.
func New[T any]() (*T, func() error, error) {
	b, err := Bytes(int(unsafe.Sizeof(*new(T))))
	if err != nil {
		return nil, nil, err
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(b))), func() error { return Free(b) }, nil
}

package locked

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

var errLimit = errors.New("raise LimitMEMLOCK, see ulimit -l")

// fresh maps memory that nobody has used, times over.
func fresh(size, times int) (_ []byte, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("locked: %d bytes: %w", size, err)
		}
	}()
	fd, secret, err := open(size)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unix.Close(fd)) }() // the mappings keep the memory
	// Reserve the range first, so that nothing else can be mapped into it meanwhile.
	start, err := unix.MmapPtr(-1, 0, nil, uintptr(times*size), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("reserve: %w", err)
	}
	for i := range times {
		if err := place(fd, secret, unsafe.Add(start, i*size), size); err != nil {
			return nil, errors.Join(err, unix.MunmapPtr(start, uintptr(times*size)))
		}
	}
	b := unsafe.Slice((*byte)(start), times*size)
	clear(b) // where memory is virtual twice, the first touch of a page takes microseconds: not from a block of a call
	pages.Lock()
	defer pages.Unlock()
	pages.used[(*byte)(start)] = len(b)
	return b, nil
}

// open makes memory, secret where the kernel has that and who runs the process lets him have it.
func open(size int) (fd int, secret bool, err error) {
	fd, err = unix.MemfdSecret(unix.O_CLOEXEC)
	if secret = err == nil; err == unix.ENOSYS || err == unix.EPERM {
		fd, err = unix.MemfdCreate("locked", unix.MFD_CLOEXEC)
	}
	if err != nil {
		return 0, false, fmt.Errorf("make memory: %w", err)
	}
	if err := unix.Ftruncate(fd, int64(size)); err != nil {
		return 0, false, errors.Join(fmt.Errorf("size memory: %w", err), unix.Close(fd))
	}
	return fd, secret, nil
}

// place maps memory at an address that is reserved. What is secret is locked and left out of dumps by that.
func place(fd int, secret bool, at unsafe.Pointer, size int) error {
	_, err := unix.MmapPtr(fd, 0, at, uintptr(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED)
	b := unsafe.Slice((*byte)(at), size)
	switch {
	case err == unix.EAGAIN: // secret memory beyond the limit
		return fmt.Errorf("map: %w (%w)", err, errLimit)
	case err != nil:
		return fmt.Errorf("map: %w", err)
	}
	if !secret {
		if err := unix.Mlock(b); err != nil {
			return fmt.Errorf("lock in memory: %w (%w)", err, errLimit)
		}
		if err := unix.Madvise(b, unix.MADV_DONTDUMP); err != nil {
			return fmt.Errorf("keep out of core dumps: %w", err)
		}
	}
	if err := unix.Madvise(b, unix.MADV_DONTFORK); err != nil {
		return fmt.Errorf("keep out of forked children: %w", err)
	}
	return nil
}

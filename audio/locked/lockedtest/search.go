package lockedtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mapping is a part of a process's memory that can be read.
type mapping struct {
	from, to       uint64
	secret, dumped bool
}

// search is a process that is looked into.
type search struct {
	mappings     []mapping
	mem, pagemap *os.File
	own          io.ReaderAt // the way to secret memory; nil in other processes
	files        []*os.File
}

func newSearch(pid int) (_ *search, err error) {
	s := &search{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return nil, err
	}
	if s.mappings, err = readable(smaps); err != nil {
		return nil, err
	}
	if s.mem, err = s.open(os.Open(fmt.Sprintf("/proc/%d/mem", pid))); err != nil {
		return nil, err
	}
	if s.pagemap, err = s.open(os.Open(fmt.Sprintf("/proc/%d/pagemap", pid))); err != nil {
		return nil, err
	}
	if pid == os.Getpid() {
		fd, err := unix.MemfdCreate("search", unix.MFD_CLOEXEC)
		if err != nil {
			return nil, err
		}
		file, _ := s.open(os.NewFile(uintptr(fd), "search"), nil)
		s.own = itself{file}
	}
	return s, nil
}

func (s *search) open(f *os.File, err error) (*os.File, error) {
	if err == nil {
		s.files = append(s.files, f)
	}
	return f, err
}

func (s *search) close() {
	for _, f := range s.files {
		f.Close()
	}
}

// readable are the mappings of an smaps (proc(5)) that can be read.
func readable(smaps []byte) (all []mapping, err error) {
	var m mapping
	var mode string
	for line := range strings.Lines(string(smaps)) {
		if flags, found := strings.CutPrefix(line, "VmFlags:"); found {
			if m.dumped = !slices.Contains(strings.Fields(flags), "dd"); mode[0] == 'r' && m.to <= 1<<63 { // the vsyscall page lies up there
				all = append(all, m)
			}
			continue
		}
		if first, _, _ := strings.Cut(line, " "); strings.HasSuffix(first, ":") {
			continue // a figure
		}
		m = mapping{secret: strings.Contains(line, "/secretmem")}
		if _, err := fmt.Sscanf(line, "%x-%x %s", &m.from, &m.to, &mode); err != nil {
			return nil, err
		}
	}
	if all == nil {
		return nil, errors.New("no memory can be read")
	}
	return all, nil
}

// present are the parts of a mapping that have memory behind them: the race detector maps terabytes.
func present(pagemap *os.File, from, to uint64) (runs [][2]uint64) {
	page := uint64(os.Getpagesize())
	entries := make([]byte, 8<<12)
	for from < to {
		n, _ := pagemap.ReadAt(entries[:min(uint64(len(entries)), (to-from)/page*8)], int64(from/page*8))
		if n < 8 {
			return runs
		}
		for i := 0; i+8 <= n; i, from = i+8, from+page {
			if binary.LittleEndian.Uint64(entries[i:])>>62 == 0 { // neither present nor swapped
				continue
			}
			if last := len(runs) - 1; last >= 0 && runs[last][1] == from {
				runs[last][1] += page
			} else {
				runs = append(runs, [2]uint64{from, from + page})
			}
		}
	}
	return runs
}

// show shows a run of memory by way of a buffer that isn't in what is searched: it is mapped after the list of
// mappings was read.
func show(mem io.ReaderAt, from, to uint64, look func([]byte)) (int64, error) {
	b, err := unix.Mmap(-1, 0, int(to-from), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(b)
	n, _ := mem.ReadAt(b, int64(from)) // a page may have gone since
	look(b[:n])
	return int64(n), nil
}

// itself is the memory of this very process, by a way that secret memory doesn't bar: what the process itself writes to a file. It is no mapping of the
// process, so that the file's pages are in no search.
type itself struct{ file *os.File }

// ReadAt reads from an address on. The address goes to the kernel as the number it is: memory that is gone is an error there, not a crash.
func (i itself) ReadAt(b []byte, addr int64) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_PWRITE64, i.file.Fd(), uintptr(addr), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return i.file.ReadAt(b[:n], 0)
}

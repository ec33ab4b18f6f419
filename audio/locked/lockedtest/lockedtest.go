// Package lockedtest searches the memory of processes for what should not be there, and asks the kernel how memory
// is mapped, so that a test can hold the promise of audio/locked: a secret lies in its locked page and nowhere else.
//
// It is for tests only. What is searched for is given masked, each byte XORed with [Mask], or the search would find
// itself.
package lockedtest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Mask keeps what is searched for from being found in the searcher.
const Mask = 0x55

// Masked is a masked copy of b.
func Masked(b []byte) []byte {
	masked := make([]byte, len(b))
	for i := range b {
		masked[i] = b[i] ^ Mask
	}
	return masked
}

// Flags are the kernel's flags of the mapping that holds addr (proc(5), smaps).
func Flags(t *testing.T, addr uintptr) []string {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	inside := false
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			inside = from <= addr && addr < to
		}
		if flags, found := strings.CutPrefix(line, "VmFlags:"); found && inside {
			return strings.Fields(flags)
		}
	}
	t.Fatal("mapping not found")
	return nil
}

// Interrupted runs f on a thread of its own and then sends that thread the signal by which Go preempts: the
// kernel puts the thread's registers on the signal's stack. The thread waits for the test's end, for the next
// signal would overwrite them; so whatever f left in a register is in memory for [Copies] to find.
func Interrupted(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
		err := f()
		if sent := unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGURG); err == nil {
			err = sent
		}
		done <- err
		<-t.Context().Done()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Copies counts how often each of masked, unmasked, lies in this process's memory.
func Copies(t *testing.T, masked ...[]byte) []int {
	t.Helper()
	counts := make([]int, len(masked))
	all, err := Search(os.Getpid(), func(b []byte) {
		for i, m := range masked {
			counts[i] += count(b, m)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if all.Seen < 1<<20 {
		t.Fatalf("only %d bytes of memory were searched", all.Seen)
	}
	return counts
}

func count(b, masked []byte) (n int) {
	for {
		i := bytes.IndexByte(b, masked[0]^Mask)
		if i < 0 || i+len(masked) > len(b) {
			return n
		}
		j := 1
		for j < len(masked) && b[i+j] == masked[j]^Mask {
			j++
		}
		if j == len(masked) {
			n++
		}
		b = b[i+1:]
	}
}

// Extent is how much of a process's memory could be seen, in bytes, and how much was there but hidden even from root: secret memory, see
// audio/locked.
type Extent struct{ Seen, Hidden int64 }

// Search shows look every run of readable memory that a process has, as its owner or root may see it, and of the caller's
// own process what is secret, too. What look is given is gone after it.
func Search(pid int, look func([]byte)) (all Extent, err error) {
	file := func(name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
	maps, err := os.ReadFile(file("maps"))
	if err != nil {
		return all, err
	}
	mem, err := os.Open(file("mem"))
	if err != nil {
		return all, err
	}
	defer mem.Close()
	pagemap, err := os.Open(file("pagemap"))
	if err != nil {
		return all, err
	}
	defer pagemap.Close()
	var own *os.File
	if pid == os.Getpid() {
		if own, err = detour(); err != nil {
			return all, err
		}
		defer own.Close()
	}
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			return all, err
		}
		if mode[0] != 'r' || to > 1<<63 { // the vsyscall page lies up there
			continue
		}
		secret := strings.Contains(lines.Text(), "/secretmem")
		for _, run := range present(pagemap, from, to) {
			source := io.ReaderAt(mem)
			if secret {
				all.Hidden += int64(run[1] - run[0])
				if own == nil {
					continue
				}
				source = itself{own}
			}
			n, err := show(source, run[0], run[1], look)
			if err != nil {
				return all, err
			}
			all.Seen += n
		}
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

func detour() (*os.File, error) {
	fd, err := unix.MemfdCreate("search", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), "search"), nil
}

// ReadAt reads from an address on. The address goes to the kernel as the number it is: memory that is gone is an error there, not a crash.
func (i itself) ReadAt(b []byte, addr int64) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_PWRITE64, i.file.Fd(), uintptr(addr), uintptr(len(b)), 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return i.file.ReadAt(b[:n], 0)
}

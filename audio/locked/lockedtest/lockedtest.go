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
	searched, err := Search(os.Getpid(), func(b []byte) {
		for i, m := range masked {
			counts[i] += count(b, m)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if searched < 1<<20 {
		t.Fatalf("only %d bytes of memory were searched", searched)
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

// Search shows look every run of readable memory that a process has, as its owner or root may see it, and
// answers with how much that was. What look is given is gone after it.
func Search(pid int, look func([]byte)) (searched int64, err error) {
	file := func(name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
	maps, err := os.ReadFile(file("maps"))
	if err != nil {
		return 0, err
	}
	mem, err := os.Open(file("mem"))
	if err != nil {
		return 0, err
	}
	defer mem.Close()
	pagemap, err := os.Open(file("pagemap"))
	if err != nil {
		return 0, err
	}
	defer pagemap.Close()
	for lines := bufio.NewScanner(bytes.NewReader(maps)); lines.Scan(); {
		var from, to uint64
		var mode string
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &from, &to, &mode); err != nil {
			return searched, err
		}
		if mode[0] != 'r' || to > 1<<63 { // the vsyscall page lies up there
			continue
		}
		for _, run := range present(pagemap, from, to) {
			n, err := show(mem, run[0], run[1], look)
			if err != nil {
				return searched, err
			}
			searched += n
		}
	}
	return searched, nil
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
func show(mem *os.File, from, to uint64, look func([]byte)) (int64, error) {
	b, err := unix.Mmap(-1, 0, int(to-from), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(b)
	n, _ := mem.ReadAt(b, int64(from)) // a page may have gone since
	look(b[:n])
	return int64(n), nil
}

// Package lockedtest searches the memory of processes for what should not be there, and asks the kernel how memory
// is mapped, so that a test can hold the promise of audio/locked: a secret lies in its locked page and nowhere else.
//
// It is for tests only. What is searched for is given masked, each byte XORed with [Mask], or the search would find
// itself.
package lockedtest

import (
	"bytes"
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
	all, err := Search(os.Getpid(), func(b []byte, _ bool) {
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
// own process what is secret, too; dumped says whether it would be in a core. What look is given is gone after it.
func Search(pid int, look func(b []byte, dumped bool)) (all Extent, err error) {
	s, err := newSearch(pid)
	if err != nil {
		return all, err
	}
	defer s.close()
	for _, m := range s.mappings {
		source := io.ReaderAt(s.mem)
		if m.secret {
			source = s.own
		}
		for _, run := range present(s.pagemap, m.from, m.to) {
			if m.secret {
				all.Hidden += int64(run[1] - run[0])
			}
			if source == nil {
				continue
			}
			n, err := show(source, run[0], run[1], func(b []byte) { look(b, m.dumped) })
			if err != nil {
				return all, err
			}
			all.Seen += n
		}
	}
	return all, nil
}

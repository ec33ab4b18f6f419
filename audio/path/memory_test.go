package path_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/flattone/flattone/audio/path"
)

// A channel takes 64 KiB at the most, at every rate: what it locks in memory, whole pages as the kernel counts them, and what it
// takes of the heap. The tables of a rate are shared by all channels. What listens to the agent comes on top, where there is one.
func TestMemory(t *testing.T) {
	const most, many = 64, 16
	for _, rate := range rates {
		cfg := path.Config{Rate: rate}
		openBoth(t, cfg, 0) // makes the tables
		var paths [many]*path.Path
		lockedBefore, heapBefore := memory(t)
		for i := range paths {
			paths[i] = open(t, cfg, 0)
		}
		locked, heap := memory(t)
		for _, p := range paths {
			a, err := path.NewAgent(p)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
		}
		agents, _ := memory(t)
		channel := (locked - lockedBefore + heap - heapBefore) / many
		t.Logf("%v: %.1f KiB a channel, %.1f of it locked; %.1f more locked where the agent is listened to",
			rate, channel, (locked-lockedBefore)/many, (agents-locked)/many)
		if locked == lockedBefore || channel > most {
			t.Errorf("%v: a channel takes %.1f KiB", rate, channel)
		}
	}
}

// memory is what the process has locked, a page once however often it is mapped, and what is in use of the heap, in KiB.
func memory(t *testing.T) (locked, heap float64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := bytes.Cut(b, []byte("\nLocked:"))
	if _, err := fmt.Sscan(string(after), &locked); err != nil {
		t.Fatalf("smaps_rollup tells nothing of locked memory: %v", err)
	}
	runtime.GC()
	runtime.GC() // what pools keep survives the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return locked, float64(m.HeapAlloc) / 1024
}

package ring_test

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/audio/ring"
)

func open(t *testing.T, frames int) *ring.Ring {
	t.Helper()
	r, err := ring.New(frames)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func TestNewRefusesNothing(t *testing.T) {
	for _, n := range []int{0, -1} {
		if _, err := ring.New(n); err == nil {
			t.Errorf("a ring of %d frames was made", n)
		}
	}
}

func TestRoundedUpToAPage(t *testing.T) {
	r := open(t, 1)
	if got, want := r.Frames(), os.Getpagesize()/2; got != want {
		t.Errorf("ring of one frame holds %d, want a page: %d", got, want)
	}
}

// A span across the end is one slice, and both mappings show the same memory.
func TestWrapIsContiguous(t *testing.T) {
	r := open(t, 1)
	n := r.Frames()
	fill := func(count int) {
		for range count {
			r.Tail(1)[0] = int16(r.Written())
			r.Commit(1)
		}
	}
	fill(n - 3)
	r.Judge(r.Written())
	r.Release(n - 3)
	span := r.Tail(8)
	if len(span) != 8 {
		t.Fatalf("tail across the end has %d frames, want 8", len(span))
	}
	for i := range span {
		span[i] = int16(100 + i)
	}
	r.Commit(8)
	want := []int16{100, 101, 102, 103, 104, 105, 106, 107}
	if got := r.View(audio.Position(n-3), 8); !slices.Equal(got, want) {
		t.Errorf("view across the end is %v, want %v", got, want)
	}
	if got := r.View(audio.Position(n+1), 100); !slices.Equal(got, want[4:]) {
		t.Errorf("view behind the end is %v, want %v", got, want[4:])
	}
	r.Judge(r.Written())
	if got := r.Head(8); !slices.Equal(got, want) {
		t.Errorf("head across the end is %v, want %v", got, want)
	}
}

func TestReaderCannotPassJudged(t *testing.T) {
	r := open(t, 1)
	r.Commit(len(r.Tail(100)))
	if got := r.Head(100); len(got) != 0 {
		t.Errorf("reader was given %d unjudged frames", len(got))
	}
	r.Judge(60)
	r.Judge(40) // never back
	r.Release(100)
	if r.Read() != 60 || r.Judged() != 60 {
		t.Errorf("read %d, judged %d: want 60, 60", r.Read(), r.Judged())
	}
	r.Judge(1000)
	if r.Judged() != 100 {
		t.Errorf("judged %d, past the 100 written", r.Judged())
	}
	if r.View(59, 1) != nil {
		t.Error("a frame the reader gave back can still be viewed")
	}
	if r.View(100, 1) != nil {
		t.Error("a frame that isn't written can be viewed")
	}
}

func TestOverwritingIsRefused(t *testing.T) {
	r := open(t, 1)
	n := r.Frames()
	if got := len(r.Tail(n + 50)); got != n {
		t.Fatalf("an empty ring of %d offers %d", n, got)
	}
	r.Commit(n + 50)
	if r.Written() != audio.Position(n) {
		t.Fatalf("written %d of %d", r.Written(), n)
	}
	if got := r.Tail(1); len(got) != 0 {
		t.Error("a full ring offers room")
	}
	r.Judge(10)
	r.Release(10)
	if got := len(r.Tail(n)); got != 10 {
		t.Errorf("after ten frames were read, room for %d", got)
	}
	r.Commit(-5)
	r.Release(-5)
	if r.Written() != audio.Position(n) || r.Read() != 10 {
		t.Error("a negative count moved a position")
	}
}

// One writer that judges, one reader: under -race, and every frame arrives once, in order.
func TestTwoThreads(t *testing.T) {
	r := open(t, 4096)
	const total = 400_000
	var both sync.WaitGroup
	both.Go(func() {
		for next := 0; next < total; {
			span := r.Tail(min(total-next, 1+next%777))
			if len(span) == 0 {
				runtime.Gosched()
			}
			for i := range span {
				span[i] = int16(next + i)
			}
			r.Commit(len(span))
			next += len(span)
			for i, v := range r.View(r.Judged(), len(span)) {
				if v != int16(int(r.Judged())+i) {
					t.Error("a view shows other samples than were written")
					return
				}
			}
			r.Judge(audio.Position(next))
		}
	})
	both.Go(func() {
		for next := 0; next < total; {
			span := r.Head(1 + next%555)
			if len(span) == 0 {
				runtime.Gosched()
			}
			for i, v := range span {
				if v != int16(next+i) {
					t.Error("a frame was lost, repeated or overwritten")
					return
				}
			}
			r.Release(len(span))
			next += len(span)
		}
	})
	both.Wait()
}

// Both mappings are locked, left out of dumps and of children: as the kernel itself tells it.
func TestHardened(t *testing.T) {
	r := open(t, 1)
	view := r.Tail(1)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(view)))
	size := uintptr(2 * r.Frames())
	for _, addr := range []uintptr{at, at + size} {
		flags := lockedtest.Flags(t, addr)
		for _, want := range []string{"lo", "dd", "dc"} {
			if !slices.Contains(flags, want) {
				t.Errorf("pages of the ring lack flag %q: %v", want, flags)
			}
		}
	}
}

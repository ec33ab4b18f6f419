package witness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stage is a log that grows, and places that may fail.
type stage struct {
	mu      sync.Mutex
	size    int64
	logErr  error
	told    []string
	failing map[string]error
	stuck   error
}

func (s *stage) checkpoint(context.Context) ([]byte, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Append(nil, "note ", s.size), s.size, s.logErr
}

func (s *stage) place(name string) Place {
	return func(_ context.Context, checkpoint []byte, _ int64) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.failing[name]; err != nil {
			return err
		}
		s.told = append(s.told, name+": "+string(checkpoint))
		return nil
	}
}

func (s *stage) deps() Deps {
	return Deps{Checkpoint: s.checkpoint, Journal: s.place("journal"), Upstream: s.place("upstream"), Stuck: func(err error) { s.set(func() { s.stuck = err }) }}
}

func (s *stage) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// why is what it is stuck by.
func (s *stage) why() (err error) {
	s.set(func() { err = s.stuck })
	return err
}

// is wants what was told since the last time.
func (s *stage) is(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.told, ", "); got != strings.Join(want, ", ") {
		t.Errorf("told %q, want %q", got, want)
	}
	s.told = nil
}

// TestCheckpointsLeave: each time, if anything was added, and to who missed one the newest.
func TestCheckpointsLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{failing: map[string]error{}}
		ctx, stop := context.WithCancel(t.Context())
		w := New(Config{Every: time.Minute}, s.deps())
		ended := make(chan struct{})
		go func() { w.Run(ctx); close(ended) }()
		next := func() { time.Sleep(time.Minute) }
		next()
		s.is(t) // an empty log has none
		s.set(func() { s.size = 3 })
		next()
		s.is(t, "journal: note 3", "upstream: note 3")
		next()
		s.is(t) // nothing was added
		s.set(func() { s.size, s.failing["upstream"] = 5, errors.New("gone") })
		next()
		s.is(t, "journal: note 5")
		if err := s.why(); err == nil || !strings.Contains(err.Error(), "upstream: gone") {
			t.Errorf("stuck: %v", err)
		}
		s.set(func() { delete(s.failing, "upstream") })
		next()
		s.is(t, "upstream: note 5")
		if err := s.why(); err != nil {
			t.Errorf("still stuck: %v", err)
		}
		s.set(func() { s.size, s.logErr = 6, errors.New("tampered") })
		next()
		s.is(t) // what the log doesn't vouch for stays
		if s.why() == nil {
			t.Error("a log that gives none isn't told")
		}
		s.logErr = nil
		stop()
		<-ended
		w.Tell(t.Context())
		s.is(t, "journal: note 6", "upstream: note 6")
	})
}

// TestAPlaceThatDoesNotAnswer holds nobody up, and is given nothing more until it does.
func TestAPlaceThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer, given := make(chan error), atomic.Int32{}
		away := patient(func([]byte) error { given.Add(1); return <-answer })
		began := time.Now()
		if err := away(t.Context(), nil, 1); err == nil || time.Since(began) != fileTime {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if err := away(t.Context(), nil, 2); err == nil || given.Load() != 1 {
			t.Errorf("given %d times, %v", given.Load(), err)
		}
		answer <- nil
		synctest.Wait()
		go func() { answer <- errors.New("full") }()
		if err := away(t.Context(), nil, 3); err == nil || err.Error() != "full" || given.Load() != 2 {
			t.Errorf("given %d times, %v", given.Load(), err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if err := away(ctx, nil, 4); !errors.Is(err, context.Canceled) {
			t.Errorf("at the end: %v", err)
		}
		answer <- nil
	})
}

func TestFile(t *testing.T) {
	s := &stage{size: 1}
	file := filepath.Join(t.TempDir(), "there", "checkpoints")
	w := New(Config{File: file}, Deps{Checkpoint: s.checkpoint, Stuck: func(err error) { s.stuck = err }})
	w.Tell(t.Context())
	if !errors.Is(s.stuck, os.ErrNotExist) {
		t.Errorf("with no folder: %v", s.stuck)
	}
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	for s.size = range int64(3) {
		w.Tell(t.Context())
	}
	if got, err := os.ReadFile(file); string(got) != "note 1\nnote 2\n" || s.stuck != nil {
		t.Errorf("%q, %v, %v", got, err, s.stuck)
	}
}

// Package witness takes the audit log's signed checkpoints off the box: to the journal, which others may collect, to a file, which may lie on another machine, and
// upstream.
//
// It exists because a log proves nothing against whoever owns the box, but for what he can no longer take back. Each time, and once more at the end, it tells
// every place the newest checkpoint, if that place doesn't have it: a newer one stands for all before it, so what a place missed while it was away is made good by
// the next. It promises that a place that doesn't answer holds up neither the others nor the end. It never tells a checkpoint that the log itself doesn't vouch for.
package witness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// fileTime is how long a file may take: what lies on another machine may be away, and a write to it then neither ends nor can be given up.
const fileTime = 10 * time.Second

// Config says where to and how often.
type Config struct {
	// Every is how long at most what was logged waits to be vouched for elsewhere.
	Every time.Duration
	// File is appended to; empty: none.
	File string
}

// Place takes a checkpoint, which counts so many entries.
type Place func(ctx context.Context, checkpoint []byte, size int64) error

// Deps are whom it asks and tells.
type Deps struct {
	// Checkpoint is the newest one; nil of an empty log.
	Checkpoint func(context.Context) (checkpoint []byte, size int64, err error)
	// Journal takes what the box's own journal does, Upstream what is delivered there; nil: not.
	Journal, Upstream Place
	// Stuck is told each time whether a place failed, and why.
	Stuck func(error)
}

// Witness tells checkpoints. Run runs once; Tell may be called when it has ended.
type Witness struct {
	every  time.Duration
	deps   Deps
	places []*place
}

// place is one place, and how much it has been told.
type place struct {
	name string
	take Place
	told int64
}

// New makes a witness.
func New(cfg Config, deps Deps) *Witness {
	w := &Witness{every: cfg.Every, deps: deps}
	w.add("the journal", deps.Journal)
	w.add("upstream", deps.Upstream)
	if cfg.File != "" {
		w.add(cfg.File, patient(func(checkpoint []byte) error { return appendTo(cfg.File, checkpoint) }))
	}
	return w
}

func (w *Witness) add(name string, take Place) {
	if take != nil {
		w.places = append(w.places, &place{name: name, take: take})
	}
}

// Run tells every place, again and again until ctx ends.
func (w *Witness) Run(ctx context.Context) error {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.Tell(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// Tell tells the newest checkpoint to every place that doesn't have it.
func (w *Witness) Tell(ctx context.Context) {
	checkpoint, size, err := w.deps.Checkpoint(ctx)
	if err == nil && size > 0 {
		var failed []error
		for _, p := range w.places {
			if size == p.told {
				continue
			}
			if err := p.take(ctx, checkpoint, size); err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
				continue
			}
			p.told = size
		}
		err = errors.Join(failed...)
	}
	if ctx.Err() == nil {
		w.deps.Stuck(err)
	}
}

// patient is a place that may never answer. What it was given then is left to it, and nothing further until it has answered.
func patient(take func([]byte) error) Place {
	busy := make(chan struct{}, 1)
	return func(ctx context.Context, checkpoint []byte, _ int64) error {
		select {
		case busy <- struct{}{}:
		default:
			return errors.New("it still doesn't answer")
		}
		done := make(chan error, 1)
		go func() {
			err := take(checkpoint)
			<-busy // first: whoever hears of this one may come with the next
			done <- err
		}()
		select {
		case err := <-done:
			return err
		case <-time.After(fileTime):
			return errors.New("it doesn't answer")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// appendTo adds a checkpoint to a file, durably. Others may read it: there is nothing secret in a checkpoint.
func appendTo(file string, checkpoint []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(checkpoint, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

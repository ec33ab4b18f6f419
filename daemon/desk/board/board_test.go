package board

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// fake is a flattoned that tells what it is given.
type fake struct {
	lines []control.Line

	mu     sync.Mutex
	events chan control.Event // nil: it is away
}

func (f *fake) Lines(context.Context) ([]control.Line, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.events == nil {
		return nil, errors.New("nobody answers")
	}
	return f.lines, nil
}

func (f *fake) Watch(ctx context.Context, fn func(control.Event)) error {
	f.mu.Lock()
	events := f.events
	f.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-events:
			if !ok {
				return errors.New("it ended")
			}
			fn(e)
		}
	}
}

func (f *fake) come() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.events = make(chan control.Event)
}

func (f *fake) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.events)
	f.events = nil
}

func (f *fake) Payment(_ context.Context, agent, id string) (control.Payment, error) {
	return control.Payment{ID: id, Line: "one", Amount: "12.00", Currency: "EUR", Reference: "for " + agent}, nil
}

func aBoard(lines ...string) *Board {
	f := &fake{}
	f.come()
	for _, name := range lines {
		f.lines = append(f.lines, control.Line{Name: name, Place: "trunk-side", Up: true, State: control.StateIdle, InCall: true})
	}
	b := New(Deps{Box: f, Payment: f.Payment, Log: slog.New(slog.DiscardHandler)})
	b.refresh(context.Background())
	return b
}

func TestWhileFlattonedIsAwayEveryViewSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := aBoard("one", "two")
		f := b.deps.Box.(*fake)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.Run(ctx) })
		defer running.Wait()
		defer stop()
		synctest.Wait()
		one := b.Watch(ctx, "one")
		if v := <-one; v.Blocked() != "" {
			t.Errorf("it begins with %s", v.Blocked())
		}
		f.leave()
		if v := <-one; v.Blocked() != Away {
			t.Errorf("without flattoned line one is %q", v.Blocked())
		}
		if v := b.Views()[1]; v.Blocked() != Away {
			t.Errorf("without flattoned line two is %q", v.Blocked())
		}
		time.Sleep(time.Hour)
		f.come()
		began := time.Now()
		if v := <-one; v.Blocked() != "" || time.Since(began) > mostPause {
			t.Errorf("%v after it is back, the line is %q", time.Since(began), v.Blocked())
		}
	})
}

func TestWhatEventsDontSayOfAPaymentIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := aBoard("one")
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { b.Run(ctx) })
		defer running.Wait()
		defer stop()
		synctest.Wait()
		for _, e := range append(up(), state("c1", control.StateArmed, ""), pay(control.PaymentWanted, "")) {
			b.deps.Box.(*fake).events <- e
		}
		synctest.Wait()
		if p, ok := b.Views()[0].Paying(); !ok || !p.Known || p.Amount != "12.00" || p.Reference != "for anna" {
			t.Errorf("the payment is seen as %+v", p)
		}
	})
}

func TestALineThatIsNewIsSeenAndOneThatIsGoneIsNot(t *testing.T) {
	b := aBoard("one", "two")
	f := b.deps.Box.(*fake)
	ctx := t.Context()
	two := b.Watch(ctx, "two")
	<-two
	f.lines = []control.Line{{Name: "one"}, {Name: "three", Place: "desk-side"}}
	b.hear(ctx, control.Event{Kind: control.KindLineUp, Line: "three"})
	if all := b.Views(); len(all) != 2 || all[1].Line != "three" || all[1].Place != "desk-side" || !all[1].Up {
		t.Errorf("the lines are %+v", all)
	}
	if v := <-two; v.Blocked() != LineGone {
		t.Errorf("who watches the one that is gone is told %q", v.Blocked())
	}
}

func TestAnAgentsLineIsHis(t *testing.T) {
	b := aBoard("one", "two")
	if _, ok := b.Of(""); ok {
		t.Error("nobody has a line")
	}
	for _, c := range []struct {
		on   bool
		line string
		ok   bool
	}{{true, "one", true}, {false, "one", true}} {
		b.hear(t.Context(), bond("anna", c.on))
		if v, ok := b.Of("anna"); ok != c.ok || v.Line != c.line {
			t.Errorf("bound %t, it is %q", c.on, v.Line)
		}
		if v, ok := b.Of("bob"); ok {
			t.Errorf("bob has %q", v.Line)
		}
	}
	b.hear(t.Context(), call(control.CallEnded))
	if v, _ := b.Of("anna"); v.Line != "one" || !v.Ended {
		t.Errorf("after the call she sees %+v", v)
	}
	b.hear(t.Context(), call(control.CallBegan))
	if v, ok := b.Of("anna"); ok {
		t.Errorf("in somebody else's call she sees %+v", v)
	}
}

// TestASlowWatcherHoldsNothingUp, and reads the newest when it reads.
func TestASlowWatcherHoldsNothingUp(t *testing.T) {
	b := aBoard("one", "two")
	ctx, stop := context.WithCancel(t.Context())
	slow, every := b.Watch(ctx, "one"), b.Watch(ctx, "")
	b.hear(ctx, state("c1", control.StateArmed, ""))
	for i := range 1000 {
		b.hear(ctx, key("pan", i%20))
	}
	b.hear(ctx, key("pan", 7))
	for what, ch := range map[string]<-chan View{"one line": slow, "any line": every} {
		if v := <-ch; v.Fields[0].Stars != 7 {
			t.Errorf("who watches %s reads %d stars", what, v.Fields[0].Stars)
		}
	}
	b.hear(ctx, control.Event{Kind: control.KindMeters, Line: "one", CallerDBm0: -20})
	select {
	case v := <-slow:
		t.Errorf("meters are told as %+v", v)
	default:
	}
	stop()
	for range slow { // it is closed
	}
}

// BenchmarkWatchers is what one star costs the feed's reader with two hundred panels watching.
func BenchmarkWatchers(b *testing.B) {
	for _, lines := range []int{1, 16} {
		b.Run(fmt.Sprintf("200 on %d lines", lines), func(b *testing.B) {
			var names []string
			for i := range lines {
				names = append(names, fmt.Sprint("line", i))
			}
			board := aBoard(names...)
			ctx, stop := context.WithCancel(b.Context())
			var readers sync.WaitGroup
			for i := range 200 {
				ch := board.Watch(ctx, names[i%lines])
				readers.Go(func() {
					for range ch {
					}
				})
			}
			e := key("pan", 0)
			i := 0
			for b.Loop() {
				e.Line, e.Stars = names[i%lines], i%19
				board.hear(ctx, e)
				i++
			}
			stop()
			readers.Wait()
		})
	}
}

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/host"
)

// within is how long the logind of these tests waits.
const within = 5 * time.Second

// watchman is a guard in virtual time, between a logind and lines that do what the test says.
type watchman struct {
	*guard
	t *testing.T

	mu         sync.Mutex
	held, did  []string
	away, deny error
	watching   chan host.Preparing
	views      []control.Line
	stall      chan struct{} // who looks at the lines waits for it
}

func (w *watchman) Inhibit(_ context.Context, what, _ string) (io.Closer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deny != nil {
		return nil, w.deny
	}
	w.held = append(w.held, what)
	return release(func() { w.held = slices.DeleteFunc(w.held, func(held string) bool { return held == what }) }), nil
}

type release func()

func (r release) Close() error { r(); return nil }

func (w *watchman) Watch(ctx context.Context) (<-chan host.Preparing, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away != nil {
		return nil, w.away
	}
	w.watching = make(chan host.Preparing, 1)
	return w.watching, nil
}

// set changes what logind does.
func (w *watchman) set(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *watchman) say(what string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, fmt.Sprintf(what, a...))
}

func newWatchman(t *testing.T) *watchman {
	w := &watchman{t: t, stall: make(chan struct{}), views: []control.Line{{Name: "desk-1", State: control.StateIdle}, {Name: "desk-2", State: control.StateIdle}}}
	close(w.stall)
	w.guard = newGuard(w, guardDeps{log: slog.New(slog.DiscardHandler), health: health.NewBoard(), feed: control.NewFeed(),
		lines: func() []control.Line {
			<-w.stall
			w.mu.Lock()
			defer w.mu.Unlock()
			return slices.Clone(w.views)
		},
		void: func(_ context.Context, line, stopping string) { w.say("void %s: %s", line, stopping) },
		drop: func(_ context.Context, line, capture, _ string) { w.say("drop %s %s", line, capture) },
		note: func(_ context.Context, action, stopping string) { w.say("%s: %s", action, stopping) },
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Run(t.Context())
	}()
	t.Cleanup(func() {
		<-ended
		if len(w.held) > 0 {
			t.Errorf("once it has ended, the machine waits with %v", w.held)
		}
	})
	synctest.Wait()
	return w
}

// line has a line be in a state, with a capture.
func (w *watchman) line(i int, state, capture string) {
	w.mu.Lock()
	w.views[i].State, w.views[i].Capture = state, capture
	w.mu.Unlock()
	w.feed.Publish(control.Event{Kind: control.KindState, Line: w.views[i].Name, State: state, Capture: capture})
	synctest.Wait()
}

func (w *watchman) about(p host.Preparing) {
	p.Within = within
	w.watching <- p
	synctest.Wait()
}

// holds says which locks there should be.
func (w *watchman) holds(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.held, want) {
		w.t.Errorf("the machine waits with %q, and should with %q", w.held, want)
	}
}

// does says what should have been done since it was last asked.
func (w *watchman) does(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.did)
	slices.Sort(want)
	if !slices.Equal(w.did, want) {
		w.t.Errorf("what was done is %q, and should be %q", w.did, want)
	}
	w.did = nil
}

func (w *watchman) arms(want bool) {
	w.t.Helper()
	done, err := w.arm()
	if (err == nil) != want {
		w.t.Errorf("to arm a line is answered with %v", err)
	}
	if e, ok := errors.AsType[*control.Error](err); err != nil && (!ok || e.Code != control.CodeShuttingDown || e.Remedy == "") {
		w.t.Errorf("the refusal is %#v", err)
	}
	if done != nil {
		done()
	}
	synctest.Wait()
}

func (w *watchman) stands(code health.Code, detail string) {
	w.t.Helper()
	for _, c := range w.health.Snapshot() {
		if c.Code == code && detail != "" && strings.Contains(c.Detail, detail) {
			return
		}
		if c.Code == code {
			w.t.Errorf("%s stands, with %q", code, c.Detail)
		}
	}
	if detail != "" {
		w.t.Errorf("%s doesn't stand with %q", code, detail)
	}
}

func TestTheMachineWaitsWhileACardIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatchman(t)
		w.about(host.Preparing{})
		w.holds()
		done, err := w.arm() // before the line says that it is armed
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.holds("shutdown", "sleep")
		w.line(0, control.StateArmed, "a")
		done()
		synctest.Wait()
		w.line(0, control.StateKeying, "a")
		w.line(1, control.StateArmed, "b")
		w.holds("shutdown", "sleep")
		w.line(0, control.StateDone, "a")
		w.holds("shutdown", "sleep")
		w.line(1, control.StateVoid, "b")
		w.holds()
		w.line(0, control.StateKeying, "c")
		w.holds("shutdown", "sleep")
		w.line(0, control.StateHeld, "") // its process died
		w.holds()
		w.does()
	})
}

func TestWhatIsKeyedIsVoidWhenTheMachineGoesDown(t *testing.T) {
	for what, p := range map[string]host.Preparing{host.Shutdown: {Shutdown: true}, host.Sleep: {Sleep: true}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWatchman(t)
			w.about(host.Preparing{})
			w.line(0, control.StateKeying, "a")
			w.line(1, control.StateArmed, "b")
			w.about(p)
			w.does("capture.closed: "+what, "void desk-1: "+what, "void desk-2: "+what)
			w.stands(health.Stopping, what)
			w.arms(false)
			w.line(0, control.StateVoid, "a")
			w.holds("shutdown", "sleep")
			w.line(1, control.StateVoid, "b")
			w.holds()
			time.Sleep(within)
			synctest.Wait()
			w.does()
			w.about(host.Preparing{})
			w.does("capture.opened: " + what)
			w.stands(health.Stopping, "")
			w.arms(true)
			w.line(0, control.StateArmed, "c")
			w.holds("shutdown", "sleep")
			w.does()
		})
	}
}

// A card that is complete gets four fifths of the time to be stored, and a line that doesn't forget it then can't keep the machine up for longer than nine tenths.
func TestACompleteCardGetsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatchman(t)
		w.about(host.Preparing{})
		for round, stored := range []bool{true, false} {
			capture := fmt.Sprint("c", round)
			w.line(0, control.StateKeying, capture)
			w.about(host.Preparing{Shutdown: true})
			w.does("capture.closed: shutdown", "void desk-1: shutdown") // the line refuses
			w.line(1, control.StateIdle, "")                            // whatever another does, its time is its own
			time.Sleep(4*time.Second - time.Nanosecond)
			synctest.Wait()
			w.does()
			w.holds("shutdown", "sleep")
			if stored {
				w.line(0, control.StateDone, capture)
				w.holds()
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if !stored {
				w.does("drop desk-1 c1")
				time.Sleep(500*time.Millisecond - time.Nanosecond)
				synctest.Wait()
				w.holds("shutdown", "sleep")
				time.Sleep(time.Nanosecond)
				synctest.Wait()
			}
			w.holds()
			time.Sleep(within)
			synctest.Wait()
			w.does()
			w.line(0, control.StateVoid, capture)
			w.about(host.Preparing{})
			w.does("capture.opened: shutdown")
		}
	})
}

// A line that was told to arm before the machine was about to stop may be armed after.
func TestWhoArmsAtTheLastMomentIsVoidToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatchman(t)
		w.about(host.Preparing{})
		done, err := w.arm()
		if err != nil {
			t.Fatal(err)
		}
		w.about(host.Preparing{Sleep: true})
		w.does("capture.closed: sleep")
		w.holds("shutdown", "sleep") // until it is known what comes of that
		w.line(1, control.StateArmed, "late")
		w.does("void desk-2: sleep")
		done()
		synctest.Wait()
		w.line(1, control.StateVoid, "late")
		w.holds()
		w.line(1, control.StateArmed, "later still") // its answer was lost
		w.does("void desk-2: sleep")
	})
}

func TestCardsAreTakenWhileLogindIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatchman(t)
		w.about(host.Preparing{})
		w.stands(health.Unguarded, "")
		w.set(func() { w.deny = errors.New("permission denied") })
		w.line(0, control.StateArmed, "a")
		w.stands(health.Unguarded, "permission denied")
		w.arms(true)
		w.set(func() { w.deny = nil })
		w.line(0, control.StateKeying, "a") // it is tried again
		w.stands(health.Unguarded, "")
		w.holds("shutdown", "sleep")

		w.set(func() { w.away = errors.New("nobody there") })
		close(w.watching)
		synctest.Wait()
		w.stands(health.Unguarded, "lost")
		w.holds("shutdown", "sleep") // which no connection takes away
		time.Sleep(watchAgain)
		synctest.Wait()
		w.stands(health.Unguarded, "nobody there")
		w.arms(true)
		w.line(0, control.StateVoid, "a")
		w.set(func() { w.deny = errors.New("no bus") })
		w.line(0, control.StateArmed, "b")
		w.stands(health.Unguarded, "no bus")
		w.line(0, control.StateVoid, "b")
		w.set(func() { w.deny = nil })
		w.set(func() { w.away = nil })
		time.Sleep(watchAgain)
		synctest.Wait()
		w.stands(health.Unguarded, "") // though no card has been taken since

		// What was said last holds while nobody says anything else.
		w.about(host.Preparing{Shutdown: true})
		close(w.watching)
		synctest.Wait()
		w.arms(false)
		w.stands(health.Unguarded, "") // a machine that goes down ends its services
		time.Sleep(watchAgain)
		synctest.Wait()
		w.arms(false)
		w.about(host.Preparing{})
		w.arms(true)
	})
}

// A guard that was too slow for the feed looks at what it missed.
func TestAGuardThatIsCutLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWatchman(t)
		w.about(host.Preparing{})
		w.stall = make(chan struct{})
		for range 1000 {
			w.feed.Publish(control.Event{Kind: control.KindState, Line: "desk-2"})
			synctest.Wait()
		}
		w.views[0].State = control.StateArmed
		close(w.stall)
		synctest.Wait()
		w.holds("shutdown", "sleep")
		w.line(0, control.StateVoid, "")
		w.holds()
	})
}

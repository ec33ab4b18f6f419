package pause

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/upstream"
)

// rig is a Pauser in virtual time, between one line and a recorder that does what the test says.
type rig struct {
	*Pauser
	t    *testing.T
	feed *control.Feed

	mu     sync.Mutex
	state  string
	says   func(ctx context.Context, action string) upstream.Result
	heard  []string // what the recorder was told, as action/capture
	noted  []string
	closed bool
}

func (r *rig) Send(ctx context.Context, e upstream.Envelope) upstream.Result {
	var m map[string]string
	if err := json.Unmarshal(e.Body, &m); err != nil || len(m) != 3 || m["line"] != "one" || e.ContentType != "application/json" || e.ID == "" {
		r.t.Errorf("the recorder is sent %s (%v)", e.Body, err)
	}
	r.mu.Lock()
	r.heard = append(r.heard, m["action"]+"/"+m["capture"])
	says := r.says
	r.mu.Unlock()
	return says(ctx, m["action"])
}

func (r *rig) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	return nil
}

func yes(context.Context, string) upstream.Result {
	return upstream.Result{Outcome: upstream.Delivered, Status: 204}
}

func no(context.Context, string) upstream.Result {
	return upstream.Result{Status: 500, Reason: "the receiver answered 500"}
}

func silent(ctx context.Context, _ string) upstream.Result {
	<-ctx.Done()
	return upstream.Result{Reason: ctx.Err().Error()}
}

// newRig runs a Pauser of a box that starts while its line is in a state.
func newRig(t *testing.T, state string, required bool, says func(context.Context, string) upstream.Result) *rig {
	t.Helper()
	r := &rig{t: t, feed: control.NewFeed(), state: state, says: says}
	r.Pauser = New(Config{Timeout: time.Second, Required: required}, Deps{Sender: r, Feed: r.feed, Health: health.NewBoard(), Log: slog.New(slog.DiscardHandler),
		Lines: func() []control.Line {
			r.mu.Lock()
			defer r.mu.Unlock()
			return []control.Line{{Name: "one", State: r.state}}
		},
		Note: func(_ context.Context, action, line, result, capture string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.noted = append(r.noted, fmt.Sprintf("%s %s %s: %s", action, line, capture, result))
		}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil || !r.closed {
			t.Errorf("ended with %v, connections given up: %v", err, r.closed)
		}
	})
	synctest.Wait()
	return r
}

// enters has the line be in a state.
func (r *rig) enters(state string) {
	r.mu.Lock()
	r.state = state
	r.mu.Unlock()
	r.feed.Publish(control.Event{Kind: control.KindState, Line: "one", State: state})
	synctest.Wait()
}

func (r *rig) answers(says func(context.Context, string) upstream.Result) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.says = says
}

// expect compares what the recorder was told since, and what stands.
func (r *rig) expect(stands health.Code, heard ...string) {
	r.t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.heard, heard) {
		r.t.Errorf("the recorder was told %v, want %v", r.heard, heard)
	}
	r.heard = nil
	var codes []health.Code
	for _, c := range r.Health.Snapshot() {
		codes = append(codes, c.Code)
	}
	if stands == "" && codes != nil || stands != "" && !slices.Equal(codes, []health.Code{stands}) {
		r.t.Errorf("%v stands, want %q", codes, stands)
	}
}

func (r *rig) expectNoted(want ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.noted, want) {
		r.t.Errorf("noted %q\nwant %q", r.noted, want)
	}
}

// arm is what flattoned does: pause, have the line armed, done.
func (r *rig) arm(capture string) error {
	done, err := r.Pause(r.t.Context(), "one", capture)
	if err == nil {
		r.enters(control.StateArmed)
		done()
	}
	synctest.Wait()
	return err
}

func TestPausedWhileACardIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, control.StateIdle, true, yes)
		r.expect("", "resume/") // whatever an earlier flattoned left
		if err := r.arm("cap_a"); err != nil {
			t.Fatal(err)
		}
		r.enters(control.StateKeying)
		r.enters(control.StateDone)
		r.expect("", "pause/cap_a")
		r.enters(control.StateIdle)
		r.expect("", "resume/cap_a")
		time.Sleep(time.Hour)
		r.expect("")
		r.expectNoted("recorder.resumed one : ok", "recorder.paused one cap_a: ok", "recorder.resumed one cap_a: ok")
	})
}

// A recorder that has to pause and doesn't say so lets no card be taken, and is told to go on: nobody knows whether it paused.
func TestRequired(t *testing.T) {
	for name, says := range map[string]func(context.Context, string) upstream.Result{"no": no, "silent": silent} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, control.StateIdle, true, yes)
				r.expect("", "resume/")
				r.answers(func(ctx context.Context, action string) upstream.Result {
					if action == pauses {
						return says(ctx, action)
					}
					return yes(ctx, action)
				})
				if refused, ok := errors.AsType[*control.Error](r.arm("cap_a")); !ok || refused.Code != control.CodeRecorderOn {
					t.Errorf("refused with %v", refused)
				}
				r.expect("", "pause/cap_a", "resume/cap_a")
			})
		})
	}
}

// Where it needn't, a card is taken, and it is told until the recorder goes on.
func TestNotRequired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, control.StateIdle, false, yes)
		r.answers(no)
		if err := r.arm("cap_a"); err != nil {
			t.Fatal(err)
		}
		r.expect(health.RecorderOn, "resume/", "pause/cap_a")
		r.answers(yes)
		r.enters(control.StateIdle)
		r.expect("", "resume/cap_a")
	})
}

// A recorder that doesn't go on is told again, after a second, two, four, and at last each minute; it stands, and is noted once.
func TestToldToGoOnUntilItSaysYes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, control.StateIdle, true, yes)
		if err := r.arm("cap_a"); err != nil {
			t.Fatal(err)
		}
		r.expect("", "resume/", "pause/cap_a")
		r.answers(no)
		r.enters(control.StateIdle)
		r.expect(health.RecorderPaused, "resume/cap_a")
		for _, wait := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
			time.Sleep(time.Duration(wait)*time.Second - time.Millisecond)
			r.expect(health.RecorderPaused)
			time.Sleep(time.Millisecond)
			r.expect(health.RecorderPaused, "resume/cap_a")
		}
		r.answers(yes)
		time.Sleep(time.Minute)
		r.expect("", "resume/cap_a")
		r.expectNoted("recorder.resumed one : ok", "recorder.paused one cap_a: ok", "recorder.resumed one cap_a: the receiver answered 500", "recorder.resumed one cap_a: ok")
	})
}

// flattoned is killed while a card is taken: the next one doesn't have the recorder go on before the line is idle.
func TestKilledMeanwhile(t *testing.T) {
	for _, state := range []string{control.StateArmed, control.StateKeying, control.StateDone, control.StateVoid, control.StateHeld} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, state, true, yes)
			time.Sleep(time.Hour)
			r.expect("")
			r.enters(control.StateIdle)
			r.expect("", "resume/")
		})
	}
}

// A line is armed while the recorder is still being told to go on: it hears pause last, and goes on only after that card.
func TestNeverGoesOnOverANewPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, control.StateIdle, true, func(ctx context.Context, action string) upstream.Result {
			time.Sleep(500 * time.Millisecond)
			return yes(ctx, action)
		})
		if err := r.arm("cap_a"); err != nil { // the word of the start is still under way
			t.Fatal(err)
		}
		r.expect("", "resume/", "pause/cap_a")
		time.Sleep(time.Hour)
		r.expect("")
		r.enters(control.StateIdle)
		r.expect("", "resume/cap_a")
		time.Sleep(100 * time.Millisecond)
		if err := r.arm("cap_b"); err != nil {
			t.Fatal(err)
		}
		r.expect("", "pause/cap_b")
		time.Sleep(time.Hour)
		r.expect("")
	})
}

package lines

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/host/hosttest"
)

// told is what is told of units, in order.
func told() (Deps, <-chan string) {
	says := make(chan string, 100)
	return Deps{Log: newRecords().log(),
		OnExit: func(line string, times int) { says <- fmt.Sprint(line, " ended ", times) },
		OnStop: func(line string) { says <- line + " stopped" },
		OnTrouble: func(line string, err error) {
			switch {
			case err == nil:
				says <- line + " is well"
			case errors.Is(err, host.ErrRefused):
				says <- line + " is refused"
			case errors.Is(err, host.ErrNoBus):
				says <- line + " has no bus"
			default:
				says <- line + ": " + err.Error()
			}
		}}, says
}

func next(t *testing.T, says <-chan string, want string) {
	t.Helper()
	select {
	case got := <-says:
		if got != want {
			t.Fatalf("it is told that %q, not that %q", got, want)
		}
	case <-time.After(time.Minute): // no measure of speed
		t.Fatalf("it isn't told that %q", want)
	}
}

func sleeps(string) *exec.Cmd { return exec.Command("sleep", "1000") }

// systemctl is somebody else on the bus.
func systemctl(t *testing.T) *host.Units {
	t.Helper()
	u, err := host.OpenUnits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}

// A line that somebody stops stays so, until he starts it.
func TestUnitStoppedBySomebody(t *testing.T) {
	hosttest.Bus(t)
	fake := hosttest.NewSystemd(t, sleeps)
	deps, says := told()
	u := NewUnits([]string{"one"}, "", deps)
	run(t, u)
	somebody := systemctl(t)
	awaitRuns(t, fake, "flattone-line@one.service")
	time.Sleep(3 * settle) // until that was seen
	for range 2 {
		if err := somebody.Stop(t.Context(), "flattone-line@one.service"); err != nil {
			t.Fatal(err)
		}
		next(t, says, "one stopped")
		time.Sleep(3 * settle)
		if on := fake.Runs(); len(on) > 0 {
			t.Errorf("it is started all the same: %v", on)
		}
		u.Restart("one")
		awaitRuns(t, fake, "flattone-line@one.service")
		time.Sleep(3 * settle)
	}
}

func awaitRuns(t *testing.T, fake *hosttest.Systemd, units ...string) {
	t.Helper()
	for range 6000 {
		if reflect.DeepEqual(fake.Runs(), units) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("systemd runs %v, not %v", fake.Runs(), units)
}

// Whatever keeps systemd from doing its part is told once, tried again, and told to be over.
func TestUnitsTrouble(t *testing.T) {
	hosttest.Bus(t)
	fake := hosttest.NewSystemd(t, sleeps)
	deps, says := told()
	fake.Away(true)
	run(t, NewUnits([]string{"one"}, "", deps))
	next(t, says, " has no bus")
	fake.Refuse(true)
	fake.Away(false)
	next(t, says, "one is refused")
	next(t, says, " is well")
	fake.Refuse(false)
	next(t, says, "one is well")
	awaitRuns(t, fake, "flattone-line@one.service")
}

// booth is a systemd whose units are what a test says.
type booth struct {
	mu      sync.Mutex
	units   []host.Unit
	calls   []string
	changed chan struct{}
}

func (b *booth) List(context.Context, string) ([]host.Unit, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.units, nil
}

func (b *booth) call(what, unit string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, what+" "+strings.TrimSuffix(strings.TrimPrefix(unit, unitBefore), unitAfter))
	return nil
}
func (b *booth) Start(_ context.Context, unit string) error   { return b.call("start", unit) }
func (b *booth) Stop(_ context.Context, unit string) error    { return b.call("stop", unit) }
func (b *booth) Restart(_ context.Context, unit string) error { return b.call("restart", unit) }
func (b *booth) Changed() <-chan struct{}                     { return b.changed }
func (b *booth) Close()                                       {}

// What is done and told of a unit, by how it is.
func TestUnitStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deps, says := told()
		u := NewUnits([]string{"one"}, "", deps)
		b := &booth{changed: make(chan struct{})}
		u.open = func(context.Context) (systemd, error) { return b, nil }
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- u.Run(ctx) }()
		unit := func(state, job string, restarts int) []host.Unit {
			return []host.Unit{{Name: "flattone-line@one.service", State: state, Job: job, Restarts: restarts}}
		}
		for i, step := range []struct {
			after time.Duration
			units []host.Unit
			calls string // what it has systemd do
			tells string
		}{
			{0, nil, "start one", ""},
			{0, unit(activating, "start", 0), "", ""},
			{0, unit(active, "", 0), "", ""},
			{0, unit(activating, "", 0), "", ""}, // about to be started again
			{0, unit(active, "", 1), "", "one ended 1"},
			{0, unit(active, "", 4), "", "one ended 4"},
			{0, unit(deactivating, "stop", 4), "", ""},
			{0, unit(active, "", 0), "", ""}, // somebody had it restarted
			{0, unit(failed, "", 2), "", ""}, // it was started just now
			{longestWait, unit(failed, "", 2), "start one", "one ended 5"},
			{0, unit(failed, "", 0), "", ""},
			{longestWait, unit(inactive, "", 0), "", "one stopped"},
			{longestWait, unit(inactive, "", 0), "", ""},
			{0, nil, "", ""},
			{0, unit(inactive, "start", 0), "", ""}, // somebody starts it
			{0, unit(active, "", 0), "", ""},
			{0, append(unit(active, "", 0), host.Unit{Name: "flattone-line@gone.service", State: active}, host.Unit{Name: "flattone-line@off.service", State: failed},
				host.Unit{Name: "flattone-line@going.service", State: active, Job: "stop"}), "stop gone", ""},
		} {
			b.mu.Lock()
			b.units, b.calls = step.units, nil
			b.mu.Unlock()
			time.Sleep(step.after)
			if i > 0 {
				b.changed <- struct{}{}
				time.Sleep(settle)
			}
			synctest.Wait()
			tells := ""
			if len(says) > 0 {
				tells = <-says
			}
			b.mu.Lock()
			if got := strings.Join(b.calls, ", "); got != step.calls || tells != step.tells {
				t.Errorf("step %d: it does %q and tells %q, and should %q and %q", i, got, tells, step.calls, step.tells)
			}
			b.mu.Unlock()
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

package line

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

// coil is a relay, which may be lost.
type coil struct {
	mu       sync.Mutex
	on, lost bool
	switched int
}

var errPulledOut = errors.New("pulled out")

func (c *coil) Set(on bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		c.on = false
		return errPulledOut
	}
	if on != c.on {
		c.switched++
	}
	c.on = on
	return nil
}

func (c *coil) Close() error { return c.Set(false) }

func (c *coil) lose(lost bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = lost
}

// relayed is a tested line with a relay.
func relayed(t *testing.T) (r *tested, c *coil, stop func()) {
	r, c = newTested(t, config.OnFaultWire), &coil{}
	r.Line.cfg.Relay = &config.Relay{}
	if err := r.session.Bar(capture.RelayOpen, true); err != nil { // as New has it
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var runs sync.WaitGroup
	runs.Go(func() {
		r.relays(ctx, func(config.Relay) (relay, error) {
			return c, c.Set(false)
		})
	})
	return r, c, func() {
		cancel()
		runs.Wait()
		r.stop()
	}
}

// is checks that the relay is energised, or not, and that only a line through the box may take cards.
func (c *coil) is(t *testing.T, r *tested, on bool) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if open := r.barredBy(capture.RelayOpen); c.on != on || open == on {
		t.Errorf("the relay is on: %v, and relay_open: %v; want it on: %v", c.on, open, on)
	}
}

// A relay switches between calls alone: on when the line works, off when its self-test fails; and off when the process ends.
func TestTheRelaySwitchesBetweenCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c, stop := relayed(t)
		r.edge(hw.Edge{Kind: hw.CallBegan})
		r.seconds(10, true)
		c.is(t, r, false)
		if err := r.session.Arm("cap", ""); !errors.Is(err, session.ErrBarred) {
			t.Errorf("armed past the box, it says %v", err)
		}
		r.edge(hw.Edge{Kind: hw.CallEnded, At: r.path.Position()})
		r.seconds(1, true)
		c.is(t, r, true)

		r.edge(hw.Edge{Kind: hw.CallBegan, At: r.path.Position()})
		if err := r.session.Arm("cap", ""); err != nil {
			t.Fatal(err)
		}
		r.leaks.Store(true)
		r.seconds(20, true)
		r.stands(session.Held)
		c.is(t, r, true)
		r.edge(hw.Edge{Kind: hw.CallEnded, At: r.path.Position()})
		r.seconds(1, true)
		c.is(t, r, false)

		r.edge(hw.Edge{Kind: hw.CallBegan, At: r.path.Position()})
		r.leaks.Store(false)
		r.seconds(20, true)
		c.is(t, r, false)
		r.edge(hw.Edge{Kind: hw.CallEnded, At: r.path.Position()})
		r.seconds(1, true)
		c.is(t, r, true)
		stop()
		if c.on || c.switched != 4 {
			t.Errorf("after the end it is on: %v; it switched %d times", c.on, c.switched)
		}
	})
}

// Where calls are only presumed, a relay waits for silence on both legs.
func TestTheRelayWaitsForSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c, stop := relayed(t)
		defer stop()
		r.edge(hw.Edge{Kind: hw.CallPresumed})
		for range 10 {
			r.seconds(2, true)
			speaks := voice(0, 800)
			for at := 0; at < len(speaks); at += 80 {
				r.bridge.period(speaks[at:at+80], make([]int16, 80))
			}
		}
		c.is(t, r, false)
		r.seconds(5, true)
		c.is(t, r, true)
	})
}

// A relay whose device is lost lets go by itself: what is being captured is void, and no card is taken until it is back and there is no call.
func TestARelayThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, c, stop := relayed(t)
		defer stop()
		r.edge(hw.Edge{Kind: hw.CallEnded})
		r.seconds(5, true)
		r.edge(hw.Edge{Kind: hw.CallBegan, At: r.path.Position()})
		if err := r.session.Arm("cap", ""); err != nil {
			t.Fatal(err)
		}
		c.lose(true)
		r.seconds(2, true)
		r.stands(session.Held)
		c.is(t, r, false)
		c.lose(false)
		r.seconds(5, true)
		c.is(t, r, false)
		r.edge(hw.Edge{Kind: hw.CallEnded, At: r.path.Position()})
		r.seconds(2, true)
		c.is(t, r, true)
	})
}

package line

import (
	"context"
	"time"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/contact"
)

// relay is what joins the caller to the agent past the box for as long as it isn't energised: without power, without the line's process, and while the
// line doesn't work.
//
//	past the box ── sound moves, the self-test passes, and there is no call ──▶ through the box
//	             ◀── the self-test fails, and there is no call ── or, at any time, the process ends or the relay's device is lost ──
//
// Nothing switches in a call but the end of the process, by the hardware. There is none where the line is idle and whoever tells of calls says that the last
// one ended; where nobody has said anything or they are only presumed, both legs must be silent for a while. Past the box nothing is masked, so the line takes no card then (relay_open).
type relay interface {
	Set(on bool) error
	Close() error
}

const (
	relayEvery = 500 * time.Millisecond
	// relaySilence on both legs lets a relay switch where calls are only presumed.
	relaySilence = 3 * time.Second
)

func openRelay(c config.Relay) (relay, error) {
	r, err := contact.OpenRelay(contact.RelayConfig{Device: c.Device, Output: c.Output})
	if err != nil {
		return nil, err // no relay in an interface that isn't nil
	}
	return r, nil
}

// relays has the relay switched until ctx ends. What keeps its device away is logged once, however often it is looked for.
func (l *Line) relays(ctx context.Context, open func(config.Relay) (relay, error)) error {
	why := ""
	for {
		err := l.switches(ctx, open)
		if ctx.Err() != nil {
			return nil
		}
		l.session.Bar(capture.RelayOpen, true) // fails only while the process ends, as below
		if text := err.Error(); text != why {
			why = text
			l.log.Error("the bypass relay can't be switched: caller and agent are joined past the box, and no card is taken", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(lookAgain):
		}
	}
}

// switches opens the relay and has it until it is lost.
func (l *Line) switches(ctx context.Context, open func(config.Relay) (relay, error)) error {
	r, err := open(*l.cfg.Relay)
	if err != nil {
		return err
	}
	defer r.Close()
	tick := time.NewTicker(relayEvery)
	defer tick.Stop()
	for on := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if works := l.path.Position() > 0 && !l.selfTest.failed.Load(); works != on && !l.inUse() {
			on = works
			l.log.Info("the bypass relay switches", "through_the_box", on)
		}
		if !on {
			l.session.Bar(capture.RelayOpen, true) // before it is past the box
		}
		if err := r.Set(on); err != nil { // over and over, so that a device that is lost is noticed
			return err
		}
		if on {
			l.session.Bar(capture.RelayOpen, false)
		}
	}
}

// inUse reports whether there is a call, may be one, or whether what there was of one isn't over.
func (l *Line) inUse() bool {
	l.told.mu.Lock()
	edge := l.told.call.Edge
	l.told.mu.Unlock()
	switch edge {
	case hw.CallEnded.String():
		return !l.idle.Load()
	case "", hw.CallPresumed.String():
		return !l.idle.Load() || l.cfg.Rate.Duration(l.bridge.ears.silent()) < relaySilence
	}
	return true
}

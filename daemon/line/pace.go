package line

import (
	"context"
	"time"

	"github.com/flattone/flattone/audio"
)

const (
	// paceEvery is how often a device that is live is followed, and paceIdle while no key is awaited, when levels are told too: to wake a goroutine costs
	// as much as a period of sound.
	paceEvery = 10 * time.Millisecond
	paceIdle  = meterEvery
	// standsAfter is how long a live device may give no frame before whoever is on the line may be another.
	standsAfter = 200 * time.Millisecond
)

// pace follows a live device, whose thread may not wait for a session as a recording's may. It also tells the session what only a live line
// may suffer: no sound, and calls that end without a word.
func (l *Line) pace(ctx context.Context) error {
	every := paceEvery
	tick := time.NewTicker(every)
	defer tick.Stop()
	var before, network audio.Position
	moved, standing := time.Now(), false
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-l.device.Calls:
			l.edge(e)
			continue
		case <-tick.C:
		}
		at := l.path.Position()
		switch {
		case at > before:
			if before, moved = at, time.Now(); standing {
				standing = false
				l.log.Info("the line's devices give sound again")
			}
		case !standing && before > 0 && time.Since(moved) >= standsAfter:
			standing = true
			l.log.Error("one of the line's devices gives no sound: what was being keyed is void, and the line is held", "for", standsAfter)
			if l.session.Stands() != nil {
				return nil // only while the process ends
			}
		}
		if now := l.bridge.ears.network(); now > network {
			network = now
			l.session.NetworkSpoke()
		}
		if !l.idle.Load() {
			l.session.Silent(l.cfg.Rate.Duration(l.bridge.ears.silent()))
		}
		l.follow(at)
		was := every
		if every = paceEvery; l.idle.Load() {
			every = paceIdle
		}
		if every != was {
			tick.Reset(every)
		}
	}
}

//go:build cgo

package sound

import (
	"context"
	"fmt"
	"time"
)

// How a line's mixers are watched:
//
//	WatchMonitors ──starts──▶ looker: owns the mixers, takes their events, looks at them
//	      ▲                      │
//	      └───────── look ───────┘  no look for lookMost: the mixers can't be read
const (
	// lookEvery is how often mixers are looked at, should a driver not tell of a change; lookLeast how often at the most.
	lookEvery = time.Second
	lookLeast = 10 * time.Millisecond
	// lookMost is what a look may take: a card that was pulled out may keep the kernel waiting for its answer.
	lookMost = 3 * time.Second
)

// errSilent is all that is known of a mixer then.
var errSilent = fmt.Errorf("sound: a card's mixer has not answered for %v", lookMost)

// look is what was seen of all mixers of a line.
type look struct {
	open []Monitor
	err  error
}

// Monitors are the ways that are open in the mixers of an open line's cards: of each card of the kernel that this process plays on or captures from, by
// whatever name, and of those that ALSA's configuration calls as the line's devices are called. The error says why one can't be read; then there may be
// more. What another process plays on for the line, such as JACK, is not among them.
func Monitors(devices []string) ([]Monitor, error) {
	looks := make(chan look, 1)
	go func() {
		l := newLooker(devices)
		looks <- l.look()
		l.close()
	}()
	select {
	case l := <-looks:
		return l.open, l.err
	case <-time.After(lookMost):
		return nil, errSilent
	}
}

// WatchMonitors tells the same over and over until ctx ends: at once, when a mixer has changed, and every second at the least. It returns in time
// even where a mixer doesn't answer.
func WatchMonitors(ctx context.Context, devices []string, tell func(open []Monitor, err error)) {
	looks, gone := make(chan look), make(chan struct{})
	go func() {
		defer close(gone)
		newLooker(devices).run(ctx, looks)
	}()
	late := time.NewTicker(lookMost)
	defer late.Stop()
	var last look
	for {
		select {
		case <-ctx.Done():
			select {
			case <-gone:
			case <-time.After(10 * lookLeast): // it leaves once the mixer has answered
			}
			return
		case last = <-looks:
			late.Reset(lookMost)
		case <-late.C:
			last.err = errSilent
		}
		tell(last.open, last.err)
	}
}

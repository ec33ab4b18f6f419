package line

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/sound"
	"github.com/flattone/flattone/hw/sound/cards"
)

// NewOnceThere is New, which waits for devices that aren't there or aren't the right ones, until ctx ends: it is then nil, without an error. A
// device that was pulled out is no reason for a process to begin and end over and over. Meanwhile flattoned is told that the line is held, and why.
func NewOnceThere(ctx context.Context, cfg *config.Config, name string, deps Deps) (*Line, error) {
	l, err := New(cfg, name, deps)
	if cards.Reason(err) == "" {
		return l, err
	}
	changes, failed := sound.Watch(cfg.Folder())
	if failed != nil {
		return nil, failed
	}
	defer changes.Close()
	w := newWaiting(ctx, newLink(cfg.LineSocket(), deps.hello(cfg, name), deps.Log), deps.Log)
	defer w.stop()
	for ctx.Err() == nil {
		w.tell(cards.Reason(err), err)
		// The first time at once: what changed before there was a watch would be missed.
		if l, err = New(cfg, name, deps); cards.Reason(err) == "" {
			return l, err
		}
		stop := alive(deps.stillAlive())
		if errors.Is(err, errModemAway) {
			select { // nothing else is opened before it is there
			case <-ctx.Done():
			case <-time.After(lookAgain):
			}
		} else {
			changes.Next(ctx)
		}
		stop()
	}
	return nil, nil
}

// alive says at once and over and over, until it is stopped, that the line waits, and does nothing else.
func alive(tell func(doing string)) (stop func()) {
	tell(waits)
	over := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(testEvery)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				tell(waits)
			}
		}
	})
	return func() {
		close(over)
		done.Wait()
	}
}

// waiting is a line without its devices, as flattoned sees it.
type waiting struct {
	log   *slog.Logger
	link  *link
	told  told
	last  string
	modem atomic.Bool // it is one that isn't there
	over  context.CancelFunc
	done  sync.WaitGroup
}

func newWaiting(ctx context.Context, l *link, log *slog.Logger) *waiting {
	w := &waiting{log: log, link: l}
	l.greet, l.connected, l.heard = w.told.again, func() {}, w.heard
	w.told.say = l.say
	ctx, w.over = context.WithCancel(ctx)
	w.done.Go(func() {
		if err := l.run(ctx); err != nil { // it is told again, and then matters, once there is a line
			log.Warn("flattoned doesn't hear why the line waits", "error", err)
		}
	})
	return w
}

// tell says why the line waits, once.
func (w *waiting) tell(why string, err error) {
	if err.Error() == w.last {
		return
	}
	w.last = err.Error()
	w.modem.Store(errors.Is(err, errModemAway))
	w.log.Warn("the line waits for a device", "reason", why, "error", err)
	w.told.stands(wire.State{State: string(session.Held), Reason: why})
}

// What answers whatever the line is told to do meanwhile.
var (
	errWaiting      = errors.New("it waits for its sound device: flattone devices says which, and why")
	errWaitingModem = errors.New("it waits for its modem: look at its cable and power; the line's log says which port isn't there")
)

func (w *waiting) heard(m wire.Message) {
	answer := errWaiting
	if w.modem.Load() {
		answer = errWaitingModem
	}
	if id, is := wire.CommandID(m); is {
		w.link.say(wire.Answer{ID: id, Error: answer.Error()})
	}
}

// stop hangs up.
func (w *waiting) stop() {
	w.over()
	w.done.Wait()
}

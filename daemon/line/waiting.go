package line

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/sound"
	"github.com/flattone/flattone/hw/sound/cards"
)

// NewOnceThere is New, which waits for sound devices that aren't there or aren't the right ones, until ctx ends: it is then nil, without an error. A
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
	w := newWaiting(ctx, newLink(cfg.LineSocket(), name, deps.Log), deps.Log)
	defer w.stop()
	for ctx.Err() == nil {
		w.tell(cards.Reason(err), err)
		// The first time at once: what changed before there was a watch would be missed.
		if l, err = New(cfg, name, deps); cards.Reason(err) == "" {
			return l, err
		}
		changes.Next(ctx)
	}
	return nil, nil
}

// waiting is a line without its devices, as flattoned sees it.
type waiting struct {
	log  *slog.Logger
	link *link
	told told
	last string
	over context.CancelFunc
	done sync.WaitGroup
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
	w.log.Warn("the line waits for a sound device", "reason", why, "error", err)
	w.told.stands(wire.State{State: string(session.Held), Reason: why})
}

// errWaiting answers whatever the line is told to do meanwhile.
var errWaiting = errors.New("it waits for its sound device: flattone devices says which, and why")

func (w *waiting) heard(m wire.Message) {
	if id, is := wire.CommandID(m); is {
		w.link.say(wire.Answer{ID: id, Error: errWaiting.Error()})
	}
}

// stop hangs up.
func (w *waiting) stop() {
	w.over()
	w.done.Wait()
}

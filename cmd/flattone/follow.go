package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// errOver is the end of following a line.
var errOver = errors.New("over")

// follow has a line begin something that takes a while, and hears what the line tells until hear answers with an error: errOver for its end.
// It answers with errLeft if the person leaves before.
func follow(ctx context.Context, box *control.Client, line string, begin func(context.Context, string) error, hear func(control.Event) error) error {
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	asked := false
	if up, err := isUp(ctx, box, line); err != nil || !up { // there may be nothing to watch, and asking says why
		return errors.Join(err, begin(ctx, line))
	}
	err := box.Watch(watching, func(e control.Event) {
		switch {
		case !asked: // what a new watcher is told first shows that nothing will be missed
			asked = true
			if err := begin(ctx, line); err != nil {
				stop(err)
			}
		case e.Line != line || e.Replay:
		case e.Kind == control.KindLineDown:
			stop(fail(exitFailed, "flattoned's log says why; try again once it is up", "line %s: %s", line, sentence(e)))
		default:
			if err := hear(e); err != nil {
				stop(err)
			}
		}
	})
	switch cause := context.Cause(watching); {
	case err != nil:
		return err
	case errors.Is(cause, errOver):
		return nil
	case ctx.Err() != nil:
		return errLeft
	default:
		return cause
	}
}

// leave has the line leave off once the person has left.
func leave(ctx context.Context, line string, off func(context.Context, string) error) error {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return off(ctx, line)
}

func isUp(ctx context.Context, box *control.Client, line string) (bool, error) {
	lines, err := box.Lines(ctx)
	return slices.ContainsFunc(lines, func(l control.Line) bool { return l.Name == line && l.Up }), err
}

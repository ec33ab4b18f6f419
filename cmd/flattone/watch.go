package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// watch is one run of the verb.
type watch struct {
	t       *tool
	line    string // empty: all
	until   until
	timeout time.Duration
	meters  bool
	plain   bool
	// arm is set while the line is still to be armed.
	arm bool
}

func (t *tool) watchCommand() *cobra.Command {
	w := &watch{t: t}
	c := t.withJSON(&cobra.Command{
		Use: "watch [LINE]", Short: "follow the lines live", Long: wordsWatchLong, Args: atMostOne("the name of a line"),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				w.line = args[0]
			}
			if w.arm && w.line == "" {
				return fail(exitUsage, hintVerbUsage(c.CommandPath()), "--arm needs the name of a line")
			}
			return t.ask(func(box *control.Client) error { return w.run(c.Context(), box) })
		},
	})
	c.Flags().BoolVar(&w.arm, "arm", false, "ready the line for a card once the watch has begun, so that nothing is missed")
	c.Flags().Var(&w.until, "until", "leave when a token has been delivered, the line is idle, or N events were seen")
	c.Flags().DurationVar(&w.timeout, "timeout", 0, "give up after this long, such as 90s or 5m (default: never)")
	c.Flags().BoolVar(&w.meters, "meters", false, "also print the meters, ten times a second (not needed on the live screen)")
	c.Flags().BoolVar(&w.plain, "plain", false, "print a line for each event even on a terminal")
	return c
}

// errMet ends a watch that has seen what it waited for.
var errMet = errors.New("what was waited for has come")

// run watches until the condition is met, the time is up, or the user has seen enough.
func (w *watch) run(ctx context.Context, box *control.Client) error {
	w.until.since = time.Now()
	lines, err := box.Lines(ctx)
	if err != nil {
		return err
	}
	if lines, err = w.pick(lines); err != nil {
		return err
	}
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	if w.arm && !lines[0].Up { // there may be nothing to watch, and arming says why
		if err := w.armNow(ctx, box); err != nil {
			return err
		}
	}
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	b := &board{}
	b.introduce(lines)
	if out, ok := w.t.terminal(); ok && !w.plain && !w.t.json {
		err = w.live(watching, stop, box, b, out)
	} else {
		err = w.follow(watching, stop, box, w.printEvent)
	}
	switch cause := context.Cause(watching); {
	case errors.Is(cause, errMet):
		return nil
	case err != nil:
		return err
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fail(exitNotYet, "", "%s passed before %s", w.timeout, w.awaited())
	case ctx.Err() == nil && !errors.Is(cause, context.Canceled):
		return cause
	case w.until.text != "":
		return fail(exitNotYet, "", "left before %s", w.awaited())
	}
	return nil
}

// pick keeps the lines to be watched.
func (w *watch) pick(lines []control.Line) ([]control.Line, error) {
	if w.line == "" {
		return lines, nil
	}
	var names []string
	for _, l := range lines {
		if l.Name == w.line {
			return []control.Line{l}, nil
		}
		names = append(names, l.Name)
	}
	return nil, fail(exitRefused, linesAre(names), "there is no line %s", w.line)
}

func (w *watch) awaited() string {
	switch w.until.text {
	case "":
		return "you left"
	case untilDelivered:
		return "a token was delivered"
	case untilIdle:
		return "the line was idle"
	}
	return w.until.text + " events were seen"
}

// armNow arms the line. Only what comes from then on is what was waited for.
func (w *watch) armNow(ctx context.Context, box *control.Client) error {
	w.arm = false
	w.until.since, w.until.news = time.Now(), true
	_, err := box.Arm(ctx, w.line, "")
	return err
}

// follow passes on every event of the lines watched, and stops with errMet at the one waited for. What a new
// watcher is told first shows that the watch has begun: only then is a line armed, and no event of its capture lost.
func (w *watch) follow(ctx context.Context, stop context.CancelCauseFunc, box *control.Client, tell func(control.Event)) error {
	return box.Watch(ctx, func(e control.Event) {
		if w.arm {
			if err := w.armNow(ctx, box); err != nil {
				stop(err)
			}
		}
		if ctx.Err() != nil || w.line != "" && e.Line != w.line && e.Kind != control.KindCut {
			return
		}
		tell(e)
		if w.until.hear(e) {
			stop(errMet)
		}
	})
}

// printEvent prints one line for e, for people or for programs.
func (w *watch) printEvent(e control.Event) {
	if e.Kind == control.KindMeters && !w.meters {
		return
	}
	if w.t.json {
		json.NewEncoder(w.t.out).Encode(e) // an error here is a reader that has gone: Ctrl-C or SIGPIPE ends us
		return
	}
	fmt.Fprintln(w.t.out, eventLine(e))
}

// live draws the screen until there is nothing more to see.
func (w *watch) live(ctx context.Context, stop context.CancelCauseFunc, box *control.Client, b *board, out *os.File) error {
	return w.t.onScreen(out, newScreen(b, w.t.glyphs(), time.Now), stop, func(send func(tea.Msg)) error {
		return w.follow(ctx, stop, box, func(e control.Event) { send(eventMsg(e)) })
	})
}

// linesAre says which lines there are.
func linesAre(names []string) string {
	if len(names) == 0 {
		return "no line is configured"
	}
	slices.Sort(names)
	return fmt.Sprintf("the lines are: %s", strings.Join(names, ", "))
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// How often top looks: a screen is to seem alive, and what scrolls by is to be read.
const (
	everyPicture = 500 * time.Millisecond
	everyTable   = 2 * time.Second
)

// top is one run of the verb. It asks anew for each picture instead of following events: a look is small however much goes on, and a flattoned that
// went away is found again.
type top struct {
	t     *tool
	times uint // how often it looks; 0 for ever
	plain bool
}

func (t *tool) topCommand() *cobra.Command {
	p := &top{t: t}
	c := t.withJSON(&cobra.Command{
		Use: "top", Short: "all lines at once, live", Long: wordsTopLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error { return p.run(c.Context(), box) })
		},
	})
	c.Flags().UintVar(&p.times, "times", 0, "leave after so many looks (default: never)")
	c.Flags().BoolVar(&p.plain, "plain", false, "print tables even on a terminal")
	return c
}

func (p *top) run(ctx context.Context, box *control.Client) error {
	first, err := glance(ctx, box)
	switch {
	case ctx.Err() != nil: // who leaves meanwhile has seen enough
		return nil
	case err != nil:
		return err
	}
	if out, ok := p.t.terminal(); ok && !p.plain && !p.t.json {
		looking, stop := context.WithCancelCause(ctx)
		defer stop(nil)
		return p.t.onScreen(out, newTopScreen(first, p.t.glyphs(), time.Now), stop, func(send func(tea.Msg)) error {
			return p.look(looking, box, everyPicture, func(s boxStatus, err error) error {
				send(glanceMsg{s, err})
				return nil
			})
		})
	}
	return p.look(ctx, box, everyTable, func(s boxStatus, err error) error {
		if err != nil {
			p.t.complain(err, "")
			return nil
		}
		if p.t.json {
			return json.NewEncoder(p.t.out).Encode(s)
		}
		return printTop(p.t.out, s, time.Now())
	})
}

// look shows what there is to see until the context ends or there were looks enough. Only a box that turns this user away is no use waiting for.
func (p *top) look(ctx context.Context, box *control.Client, every time.Duration, show func(boxStatus, error) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := uint(1); ; n++ {
		s, err := glance(ctx, box)
		if ctx.Err() != nil {
			return nil
		}
		if e := (*control.Error)(nil); errors.As(err, &e) && e.Code == control.CodeDenied {
			return err
		}
		if err := show(s, err); err != nil || n == p.times {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// glance is the box and its lines as they are now.
func glance(ctx context.Context, box *control.Client) (s boxStatus, err error) {
	if s.Status, err = box.Status(ctx); err == nil {
		s.Lines, err = box.Lines(ctx)
	}
	return s, err
}

// printTop prints a look as a table.
func printTop(w io.Writer, s boxStatus, now time.Time) error {
	if _, err := fmt.Fprintf(w, "%s  %s\n", clock(now), boxBrief(s)); err != nil {
		return err
	}
	for _, text := range s.troubles("") {
		caution(w, text)
	}
	table(w, []string{"LINE", "STATE", "CALL", "CALLER", "AGENT", "MASKED", "AHEAD", "RESTARTS"}, s.Lines, func(l control.Line) (row []string, below string) {
		caller, agent, masked := "-", "-", "-"
		if l.Up {
			caller, agent = fmt.Sprintf("%.0f", l.CallerDBm0), fmt.Sprintf("%.0f", l.AgentDBm0)
			masked = maskedBrief(l)
		}
		row = []string{l.Name, stateInFull(l), callBrief(l), caller, agent, masked, ahead(l), strconv.Itoa(l.Restarts)}
		return row, strings.Join(s.troubles(l.Name), "; ")
	})
	_, err := fmt.Fprintln(w)
	return err
}

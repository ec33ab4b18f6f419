package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// upstreamCommand has what is about events that upstream doesn't have.
func (t *tool) upstreamCommand() *cobra.Command {
	parent := &cobra.Command{Use: "upstream", Short: "see what upstream doesn't have, send it again or drop it", Long: wordsUpstreamLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var p control.Pick
	var dead bool
	undelivered := list(t, "list", "list what upstream doesn't have", wordsUpstreamLong, func(box *control.Client, ctx context.Context, limit int) ([]control.Undelivered, error) {
		return box.Undelivered(ctx, p, dead, limit)
	}, printUndelivered)
	undelivered.Flags().StringVar(&p.Destination, "destination", "", "only what is for this one")
	undelivered.Flags().BoolVar(&dead, "dead", false, "only dead letters")
	undelivered.Flags().Lookup("limit").Usage = fmt.Sprintf("at most this many, those first that have waited longest (up to %d)", maxLimit)
	parent.AddCommand(undelivered, t.replayCommand(), t.dropCommand(), &cobra.Command{
		Use: "resume DESTINATION", Short: "try one again that said it is gone", Long: wordsUpstreamLong, Args: one("the name of a destination"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				err := box.Resume(c.Context(), args[0])
				if err == nil {
					_, err = fmt.Fprintf(t.out, wordsResumed+"\n", clean(args[0]))
				}
				return err
			})
		},
	})
	return parent
}

func (t *tool) replayCommand() *cobra.Command {
	return t.onEvents("replay", "have dead letters sent again", wordsReplayed, func(ctx context.Context, box *control.Client, p control.Pick) (int64, error) {
		return box.Replay(ctx, p)
	})
}

func (t *tool) dropCommand() *cobra.Command {
	var reason string
	c := t.onEvents("drop", "give dead letters up", wordsDropped, func(ctx context.Context, box *control.Client, p control.Pick) (int64, error) {
		return box.Drop(ctx, p, reason)
	})
	c.Flags().StringVar(&reason, "reason", "", "why: it is in the audit log")
	return c
}

// onEvents is a verb that does something to dead letters: to the one of an id, to those of a destination, or to the one of an id for a destination.
func (t *tool) onEvents(verb, short, said string, do func(context.Context, *control.Client, control.Pick) (int64, error)) *cobra.Command {
	var p control.Pick
	c := &cobra.Command{
		Use: verb + " [ID]", Short: short, Long: wordsUpstreamLong,
		Args: func(c *cobra.Command, args []string) error {
			if p.Destination != "" && len(args) == 0 {
				return nil
			}
			return one("an event's id, or --destination")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				p.ID = strings.Join(args, "")
				n, err := do(c.Context(), box, p)
				if err == nil {
					_, err = fmt.Fprintf(t.out, said+"\n", plural(int(n), "event"))
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&p.Destination, "destination", "", "all that are for this one")
	return c
}

func printUndelivered(w io.Writer, all []control.Undelivered) {
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing waits")
	}
	for _, u := range all {
		how := "not tried yet"
		switch {
		case u.Dead:
			how = "! dead letter"
		case u.Behind:
			how = "waits behind an earlier one of its capture"
		case u.Tries > 0:
			how = "is tried again " + moment(u.Due)
		}
		fmt.Fprintf(w, "%s  to %s, %s of %s, %s\n  %s", clean(u.ID), clean(u.Destination), clean(u.Type), clean(u.Capture), moment(u.Queued), how)
		if u.Tries > 0 {
			fmt.Fprintf(w, ", after %s: %s", plural(u.Tries, "attempt"), clean(u.Reason))
		}
		fmt.Fprintln(w)
	}
}

// toldHow is who is told upstream, and how that goes.
func toldHow(d control.Destination, pending int) string {
	where := d.Name
	switch {
	case d.To != "":
		where += " at " + d.To
	case d.Kind == "":
		where += ", which is no longer in the configuration"
	}
	waiting := d.Waiting
	if pending == control.PendingUnknown {
		waiting = control.PendingUnknown
	}
	var dead, state string
	if d.Dead > 0 {
		dead = plural(d.Dead, "dead letter")
	}
	if d.State != control.DestinationReady {
		state = d.State
	}
	return strings.Join(words(where, state, waits(waiting), dead), ", ")
}

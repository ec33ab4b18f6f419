package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

func (t *tool) statusCommand() *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: "status", Short: "how the box is", Args: none, Long: wordsStatusLong,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				s, err := glance(c.Context(), box)
				if err == nil {
					err = show(t, s, printStatus)
				}
				if err == nil && s.faults() > 0 {
					err = fail(exitUnhealthy, "", "%s on this box", plural(s.faults(), "fault"))
				}
				return err
			})
		},
	})
}

// boxStatus is what status --json prints.
type boxStatus struct {
	control.Status
	Lines []control.Line `json:"lines"`
}

// of are the conditions of a line, or with no line of the box.
func (s boxStatus) of(line string) (standing []health.Condition) {
	for _, c := range s.Conditions {
		if c.Line == line {
			standing = append(standing, c)
		}
	}
	return standing
}

// faults counts them.
func (s boxStatus) faults() (n int) {
	for _, c := range s.Conditions {
		if c.Severity == health.Fault {
			n++
		}
	}
	return n
}

func (t *tool) linesCommand() *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: "lines", Short: "every line, its place, settings and state", Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				s, err := glance(c.Context(), box)
				if err != nil {
					return err
				}
				return show(t, s.Lines, func(w io.Writer, _ []control.Line) { printLines(w, s) })
			})
		},
	})
}

func (t *tool) tokensCommand() *cobra.Command {
	return list(t, "tokens", "the newest tokens in the vault", wordsTokensLong, (*control.Client).Tokens, printTokens)
}

func (t *tool) eventsCommand() *cobra.Command {
	return list(t, "events", "the end of the audit log: who did what", wordsEventsLong, (*control.Client).Audit, printAudit)
}

// list is a verb that prints the newest entries of something.
func list[T any](t *tool, use, short, long string, fetch func(*control.Client, context.Context, int) ([]T, error),
	print printer[[]T]) *cobra.Command {
	limit := limit(defaultLimit)
	c := t.withJSON(&cobra.Command{
		Use: use, Short: short, Long: long, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				entries, err := fetch(box, c.Context(), int(limit))
				if err != nil {
					return err
				}
				return show(t, entries, print)
			})
		},
	})
	c.Flags().Var(&limit, "limit", fmt.Sprintf("at most this many, newest first (up to %d)", maxLimit))
	return c
}

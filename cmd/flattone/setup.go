package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// setup is one run of the verb: a conversation that makes another configuration out of the present one. The answers are judged by what judges the
// file, and gone over to by apply.
//
//	questions ──▶ shown ──agreed──▶ gone over to ──▶ levels ──▶ tuning ──▶ rehearsal
//	    │           │                    └────────────┴─ left ───┴──────────┴──▶ what was agreed to stays
//	    └─── left ──┴──▶ nothing was changed
type setup struct {
	t   *tool
	box *control.Client
	// cfg is what the answers have made so far of the configuration in file: always one that flattone check takes. line is the one that is set up.
	cfg  *config.Config
	file string
	line string
	// unit says that flattoned and its lines are units of systemd, which don't see all files.
	unit bool
	// keyKind says what keeps the vault's key, as flattoned knows it.
	keyKind string
	// adopting are the cards that are to get a name, and secret is what was typed for the webhook's.
	adopting config.Devices
	secret   string
	// stays is what was changed, once that was agreed to.
	stays []string
}

func (t *tool) setupCommand() *cobra.Command {
	return &cobra.Command{
		Use: "setup", Short: "set up a line, step by step, up to the first rehearsal", Long: wordsSetupLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			return t.ask(func(box *control.Client) error {
				s := &setup{t: t, box: box, adopting: config.Devices{}}
				return s.run(c.Context())
			})
		},
	}
}

func (s *setup) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		s.begin, s.whichLine, s.place, s.parts, s.calls, s.key, s.keep, s.upstream, s.auditor, s.goOver, s.levels, s.tune, s.rehearse,
	} {
		if err := step(ctx); err != nil {
			return s.left(err)
		}
	}
	paragraph(s.t.out, 0, "", fmt.Sprintf(wordsSetupDone, s.line))
	return nil
}

// left says what an end before the end has changed.
func (s *setup) left(err error) error {
	if len(s.stays) > 0 {
		fmt.Fprintln(s.t.out)
		paragraph(s.t.out, 0, "", fmt.Sprintf(wordsSetupStays, strings.Join(s.stays, "; ")))
	}
	switch {
	case !errors.Is(err, errLeft):
		return err
	case len(s.stays) > 0:
		return fail(exitNotYet, "flattone setup goes on from there", "not all was done: %w", errLeft)
	}
	return fail(exitNotYet, "", "nothing was changed: %w", errLeft)
}

// begin looks whether there is somebody to ask, and something to begin with.
func (s *setup) begin(ctx context.Context) error {
	if _, ok := s.t.asks(); !ok {
		return fail(exitUsage, "run it on a terminal; a program writes the configuration, and says flattone apply", "flattone setup asks questions, and there is nobody to ask")
	}
	now, err := s.box.Status(ctx)
	if err != nil {
		return err
	}
	s.file, s.unit, s.keyKind = now.ConfigFile, runsByUnit(ctx, now.PID), now.KeyKind
	if err := mayReplace(s.file); err != nil {
		return err
	}
	if s.cfg, err = config.Check(s.file, userOf("flattone")); err != nil {
		return s.t.faulty(s.file, err)
	}
	paragraph(s.t.out, 0, "", wordsSetupBegins)
	return nil
}

// put has the configuration say something else, if flattone check takes it so.
func (s *setup) put(change func(c *config.Config)) error {
	next, err := config.Parse(s.file, s.cfg.Text()) // a copy, down to the last pointer
	if err != nil {
		return err
	}
	change(next)
	next, err = s.draft(next).Check(userOf("flattone"))
	if err == nil {
		s.cfg = next
	}
	return err
}

// putLine is put for the line that is set up.
func (s *setup) putLine(change func(l *config.Line)) error {
	return s.put(func(c *config.Config) { change(&c.Lines[s.at(c)]) })
}

func (s *setup) at(c *config.Config) int {
	return slices.IndexFunc(c.Lines, func(l config.Line) bool { return l.Name == s.line })
}

// now is the line as the answers have it.
func (s *setup) now() config.Line { return s.cfg.Lines[s.at(s.cfg)] }

func (s *setup) draft(c *config.Config) config.Draft {
	return config.Draft{Name: wordsSetupDraft, At: s.file, Text: c.Text(), Adopting: s.adopting}
}

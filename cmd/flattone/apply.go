package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
)

// apply is one run of the verb.
type apply struct {
	t          *tool
	yes, force bool
	// draft, unless it is nil, is what to go over to in place of a file.
	draft *config.Draft
	// first, unless it is nil, is done once it is agreed on, before anything else. It changes what flattoned reads besides the configuration if reread is set.
	first  func() error
	reread bool
}

func (t *tool) applyCommand() *cobra.Command {
	a := &apply{t: t}
	c := t.withJSON(&cobra.Command{
		Use: "apply [FILE]", Short: "have the box go over to a configuration", Long: wordsApplyLong, Args: atMostOne("the name of a configuration file"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error { return a.run(c.Context(), box, args) })
		},
	})
	c.Flags().BoolVar(&a.yes, "yes", false, "don't ask")
	c.Flags().BoolVar(&a.force, "force", false, "stop lines on which a card is being taken, too")
	return c
}

func (a *apply) run(ctx context.Context, box *control.Client, args []string) error {
	p, err := a.plan(ctx, box, args)
	if err != nil {
		return err
	}
	if err := show(a.t, p, printPlan); err != nil || !p.Changes {
		return err
	}
	if at := slices.IndexFunc(p.Lines, func(l lineFate) bool { return l.TakingCard }); at >= 0 && !a.force {
		return fail(exitRefused, fmt.Sprintf(hintBusyLine, p.Lines[at].Line), "nothing was done: line %s is not to be stopped now", p.Lines[at].Line)
	}
	if err := a.agreed(ctx); err != nil {
		return err
	}
	if a.first != nil {
		if err := a.first(); err != nil {
			return err
		}
	}
	before := ""
	if p.File != p.Config {
		before = p.Config + ".before"
		if err := private.Supersede(p.Config, p.draft.Text, before); err != nil {
			return fail(exitFailed, "", "nothing was done: %w", err)
		}
		fmt.Fprintf(a.t.guide(), wordsInstalled+"\n", p.Config, before)
	}
	return a.carryOut(ctx, box, p, before)
}

// agreed asks whether to go on.
func (a *apply) agreed(ctx context.Context) error {
	if a.yes {
		return nil
	}
	if _, ok := a.t.asks(); !ok {
		return fail(exitUsage, "look at the plan, and say --yes", "nothing was done: there is nobody to ask")
	}
	yes, err := a.t.agrees(ctx, wordsReallyApply, false)
	if err == nil && !yes {
		err = errLeft
	}
	if err != nil {
		return fail(exitNotYet, "", "nothing was done: %w", err)
	}
	return nil
}

// carryOut has flattoned go by the file that is in place now. Where that comes to nothing the old one is put back.
func (a *apply) carryOut(ctx context.Context, box *control.Client, p plan, before string) error {
	switch p.Flattoned {
	case byHand:
		paragraph(a.t.guide(), hang, "flattoned ", wordsStartYou)
		return nil
	case isRestarted:
		if err := restartUnit(ctx, box); err != nil {
			return a.putBack(ctx, box, p, before, err)
		}
		_ = awaitUp(ctx, box, p.adopted) // what they run with is known from then on; one that doesn't come back is missed in the end
	}
	if _, err := box.Reload(ctx, a.force); err != nil {
		return a.putBack(ctx, box, p, before, err)
	}
	if err := awaitUp(ctx, box, p.settings); err != nil {
		return err
	}
	_, err := fmt.Fprintf(a.t.guide(), wordsApplied+"\n", reloaded(p.change))
	return err
}

// putBack has the box go on as it was.
func (a *apply) putBack(ctx context.Context, box *control.Client, p plan, before string, why error) error {
	if before == "" {
		return fmt.Errorf("%w; %s stays as it was written", why, p.Config)
	}
	if err := os.Rename(before, p.Config); err != nil {
		return errors.Join(why, fmt.Errorf("the old configuration is not back: %w", err))
	}
	why = fmt.Errorf("%w; the old configuration is back", why)
	if p.Flattoned == isRestarted {
		return errors.Join(why, restartUnit(context.WithoutCancel(ctx), box))
	}
	return why
}

// reloaded sums up what was done.
func reloaded(c config.Change) string {
	var parts []string
	for _, f := range []struct {
		word  string
		lines []string
	}{{"started again", c.Restarted}, {"begun", c.Begun}, {"ended", c.Ended}, {"untouched", c.Untouched}} {
		if len(f.lines) > 0 {
			parts = append(parts, f.word+" "+strings.Join(f.lines, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

const (
	upTime = 15 * time.Second // for lines to be up
	peek   = 50 * time.Millisecond
)

// awaitUp waits until lines are up that run with settings, or with "" any.
func awaitUp(ctx context.Context, box *control.Client, settings map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, upTime)
	defer cancel()
	for {
		lines, err := box.Lines(ctx)
		var missing []string
		for _, l := range lines {
			if want, awaited := settings[l.Name]; awaited && (!l.Up || want != "" && l.Settings != want) {
				missing = append(missing, l.Name)
			}
		}
		if err == nil && missing == nil {
			return nil
		}
		select {
		case <-time.After(peek):
		case <-ctx.Done():
			return fail(exitFailed, "flattone status says why", "it is done, but not yet up: %s", strings.Join(missing, ", "))
		}
	}
}

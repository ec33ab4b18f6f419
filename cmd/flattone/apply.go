package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strconv"
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
}

// plan is what apply would do: what apply --json prints.
type plan struct {
	// File is the new configuration, Config what it is to be; they are the same where that was edited in place.
	File   string `json:"file"`
	Config string `json:"config"`
	// Flattoned is goes_on, is_restarted, or restart_by_hand.
	Flattoned string     `json:"flattoned"`
	Lines     []lineFate `json:"lines"`
	// Changes says whether there is anything to do at all.
	Changes bool `json:"changes"`

	content []byte
	change  config.Change
	// settings are what lines are to run with that start, and adopted the lines that a new flattoned finds running.
	settings map[string]string
	adopted  map[string]string
}

// lineFate is what becomes of a line: untouched, restarts, begins or ends.
type lineFate struct {
	Line string `json:"line"`
	Fate string `json:"fate"`
	// TakingCard says that a line would be stopped in the middle of a card.
	TakingCard bool `json:"taking_card"`
}

// What becomes of flattoned and lines.
const (
	goesOn, isRestarted, byHand      = "goes_on", "is_restarted", "restart_by_hand"
	untouched, restarts, begins, end = "untouched", "restarts", "begins", "ends"
)

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
	if err := a.agreed(); err != nil {
		return err
	}
	before := ""
	if p.File != p.Config {
		before = p.Config + ".before"
		if err := private.Supersede(p.Config, p.content, before); err != nil {
			hint := ""
			if errors.Is(err, fs.ErrPermission) {
				hint = "ask as root"
			}
			return fail(exitFailed, hint, "nothing was done: %w", err)
		}
		fmt.Fprintf(a.t.guide(), wordsInstalled+"\n", p.Config, before)
	}
	return a.carryOut(ctx, box, p, before)
}

// plan compares the file with what runs.
func (a *apply) plan(ctx context.Context, box *control.Client, args []string) (plan, error) {
	now, err := glance(ctx, box)
	if err != nil {
		return plan{}, err
	}
	p := plan{File: now.ConfigFile, Config: now.ConfigFile, Flattoned: goesOn, Lines: []lineFate{}, adopted: map[string]string{}}
	if len(args) == 1 && !sameFile(args[0], p.Config) {
		p.File = args[0]
	}
	cfg, content, err := config.CheckAt(p.File, p.Config, daemonUser())
	if err != nil {
		return p, a.t.faulty(p.File, err)
	}
	p.content = content
	if cfg.BoxSettings() != now.Settings {
		if p.Flattoned = byHand; runsByUnit(ctx, now.PID) {
			p.Flattoned = isRestarted
		}
	}
	running := map[string]control.Line{}
	var names []string
	for _, l := range now.Lines {
		running[l.Name], names = l, append(names, l.Name)
		if _, stays := cfg.Line(l.Name); stays && l.Up {
			p.adopted[l.Name] = ""
		}
	}
	p.change, p.settings = cfg.Change(names, func(line string) string { return running[line].Settings }), map[string]string{}
	for _, l := range slices.Concat(p.change.Restarted, p.change.Begun) {
		p.settings[l] = cfg.Settings(l)
	}
	for _, l := range slices.Concat(configured(cfg), p.change.Ended) {
		f := lineFate{Line: l, Fate: untouched}
		switch {
		case slices.Contains(p.change.Begun, l):
			f.Fate = begins
		case slices.Contains(p.change.Ended, l):
			f.Fate = end
		case slices.Contains(p.change.Restarted, l):
			f.Fate = restarts
		}
		stops := f.Fate == restarts || f.Fate == end || p.Flattoned == byHand
		f.TakingCard = stops && running[l].Up && control.TakingCard(running[l].State)
		p.Lines = append(p.Lines, f)
	}
	there, err := os.ReadFile(p.Config)
	p.Changes = err != nil || !bytes.Equal(there, content) || p.Flattoned != goesOn || slices.ContainsFunc(p.Lines, func(l lineFate) bool { return l.Fate != untouched })
	return p, nil
}

func configured(cfg *config.Config) (names []string) {
	for _, l := range cfg.Lines {
		names = append(names, l.Name)
	}
	return names
}

// agreed asks whether to go on.
func (a *apply) agreed() error {
	if a.yes {
		return nil
	}
	if in, ok := a.t.in.(*os.File); !ok || !isTerminal(in) {
		return fail(exitUsage, "look at the plan, and say --yes", "nothing was done: there is nobody to ask")
	}
	fmt.Fprint(a.t.guide(), wordsReallyApply)
	answer, _ := bufio.NewReader(a.t.in).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return fail(exitNotYet, "", "nothing was done: you left it")
	}
	return nil
}

// carryOut has flattoned go by the file that is in place now. Where that comes to nothing the old one is put back.
func (a *apply) carryOut(ctx context.Context, box *control.Client, p plan, before string) error {
	switch p.Flattoned {
	case byHand:
		_, err := fmt.Fprintf(a.t.guide(), "flattoned %s\n", wordsStartYou)
		return err
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
	unitTime = 30 * time.Second // for flattoned to be back
	upTime   = 15 * time.Second // for lines to be up
	peek     = 50 * time.Millisecond
)

// runsByUnit reports whether systemd's flattoned.service is the flattoned of that pid.
func runsByUnit(ctx context.Context, pid int) bool {
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=MainPID", "--value", "flattoned.service").Output()
	return err == nil && strings.TrimSpace(string(out)) == strconv.Itoa(pid)
}

// restartUnit has systemd start flattoned again, and waits until it answers.
func restartUnit(ctx context.Context, box *control.Client) error {
	ctx, cancel := context.WithTimeout(ctx, unitTime)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "systemctl", "restart", "flattoned.service").CombinedOutput(); err != nil {
		return fmt.Errorf("flattoned does not start with it: %w: %s", err, bytes.TrimSpace(out))
	}
	for {
		_, err := box.Status(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(peek):
		case <-ctx.Done():
			return fmt.Errorf("flattoned does not answer: %w", err)
		}
	}
}

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

// printPlan prints what would be done.
func printPlan(w io.Writer, p plan) {
	if !p.Changes {
		fmt.Fprintln(w, wordsNothingToDo)
		return
	}
	fmt.Fprintf(w, "%s, for %s:\n\n", clean(p.File), clean(p.Config))
	words := map[string]string{goesOn: wordsGoesOn, isRestarted: wordsStarts, byHand: wordsStartYou,
		untouched: wordsLineSame, restarts: wordsLineRestarts, begins: wordsLineBegins, end: wordsLineEnds}
	paragraph(w, hang, "flattoned ", words[p.Flattoned])
	for _, l := range p.Lines {
		text := words[l.Fate]
		if l.TakingCard {
			text += wordsLineBusy
		}
		paragraph(w, hang, clean(l.Line)+" ", text)
	}
	fmt.Fprintln(w)
}

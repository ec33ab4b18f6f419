package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

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

	draft  config.Draft
	change config.Change
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

// plan compares the file with what runs.
func (a *apply) plan(ctx context.Context, box *control.Client, args []string) (plan, error) {
	now, err := glance(ctx, box)
	if err != nil {
		return plan{}, err
	}
	p := plan{File: now.ConfigFile, Config: now.ConfigFile, Flattoned: goesOn, Lines: []lineFate{}, adopted: map[string]string{}}
	if len(args) == 1 && !sameFile(args[0], p.Config) {
		p.File = args[0]
		if err := mayReplace(p.Config); err != nil {
			return p, err
		}
	}
	if a.draft != nil {
		p.draft, p.File = *a.draft, a.draft.Name
	} else if p.draft, err = config.ReadDraft(p.File, p.Config); err != nil {
		return p, a.t.faulty(p.File, err)
	}
	cfg, err := p.draft.Check(userOf("flattone"))
	if err != nil {
		return p, a.t.faulty(p.File, err)
	}
	if cfg.BoxSettings() != now.Settings || a.reread {
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
	p.Changes = err != nil || !bytes.Equal(there, p.draft.Text) || a.first != nil || p.Flattoned != goesOn || slices.ContainsFunc(p.Lines, func(l lineFate) bool { return l.Fate != untouched })
	return p, nil
}

func configured(cfg *config.Config) (names []string) {
	for _, l := range cfg.Lines {
		names = append(names, l.Name)
	}
	return names
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

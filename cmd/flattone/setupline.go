package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// whichLine asks for a line's name: of one that there is, or of a new one.
func (s *setup) whichLine(ctx context.Context) error {
	fmt.Fprintf(s.t.out, "\n%s\n", wordsSetupLines)
	for _, l := range s.cfg.Lines {
		paragraph(s.t.out, hang, "  "+l.Name+" ", s.madeOf(l))
	}
	waiting, err := s.waiting(ctx)
	if err != nil {
		return err
	}
	isNew := false
	err = s.ask(ctx, question{why: wordsSetupLine, ask: "Name of the line", preset: cmp.Or(waiting, s.cfg.Lines[0].Name)}, func(name string) error {
		if _, known := s.cfg.Line(name); known {
			s.line = name
			return nil
		}
		err := s.put(func(c *config.Config) {
			c.Lines = append(c.Lines, config.NewLine(name, slices.Sorted(maps.Keys(c.Profiles))[0]))
		})
		if err == nil {
			s.line, isNew = name, true
		}
		return err
	})
	if err != nil || waiting == "" || !isNew {
		return err
	}
	fmt.Fprintln(s.t.out)
	paragraph(s.t.out, 0, "", fmt.Sprintf(wordsSetupWaiting, waiting))
	out, err := s.t.agrees(ctx, "Take "+waiting+" out?", true)
	if err == nil && out {
		err = s.put(func(c *config.Config) {
			c.Lines = slices.DeleteFunc(c.Lines, func(l config.Line) bool { return l.Name == waiting })
		})
	}
	return err
}

// waiting is a line that waits for sound cards of which nobody has named any yet, as a new box has one; or none.
func (s *setup) waiting(ctx context.Context) (string, error) {
	adopted, err := s.cfg.Devices()
	if err != nil {
		return "", err
	}
	lines, err := s.box.Lines(ctx)
	for _, now := range lines {
		l, _ := s.cfg.Line(now.Name)
		if now.Reason != control.DeviceAbsent || l.Sound == nil || l.CallerModem != nil || l.AgentModem != nil {
			continue
		}
		_, caller := adopted[l.Sound.Caller]
		_, agent := adopted[l.Sound.Agent]
		if !caller && !agent {
			return l.Name, nil
		}
	}
	return "", err
}

// madeOf says in a few words what a line is.
func (s *setup) madeOf(l config.Line) string {
	side := func(m *config.Modem, device func() string) string {
		if m != nil {
			return m.Name
		}
		return device()
	}
	if !l.Live() {
		return fmt.Sprintf("%s; recordings", l.Place)
	}
	return fmt.Sprintf("%s; caller %s, agent %s", l.Place, side(l.CallerModem, func() string { return l.Sound.Caller }), side(l.AgentModem, func() string { return l.Sound.Agent }))
}

// place asks where the line stands.
func (s *setup) place(ctx context.Context) error {
	q := question{why: wordsSetupPlace, ask: "Place", preset: string(s.now().Place)}
	for _, p := range []config.Place{config.TrunkSide, config.DeskSide} {
		_, scope, _ := strings.Cut(config.Line{Place: p}.Scope(), ": ")
		q.choices = append(q.choices, choice{string(p), scope})
	}
	return s.ask(ctx, q, func(answer string) error {
		return s.putLine(func(l *config.Line) {
			if p := config.Place(answer); p != l.Place {
				l.Place, l.OnFault = p, p.OnFault()
			}
		})
	})
}

// What a line is made of.
const (
	ofDevices    = "devices"
	ofRecordings = "recordings"
)

// parts asks what the line is made of.
func (s *setup) parts(ctx context.Context) error {
	list, err := s.box.Devices(ctx)
	if err != nil {
		return err
	}
	q := question{why: wordsSetupParts, ask: "Made of", preset: ofDevices,
		choices: []choice{{ofDevices, wordsSetupDevices}, {ofRecordings, wordsSetupRecordings}}}
	if !s.now().Live() || len(usable(list)) == 0 {
		q.preset = ofRecordings
	}
	made := ""
	if err := s.ask(ctx, q, func(answer string) error { made = answer; return nil }); err != nil {
		return err
	}
	if made == ofRecordings {
		return s.recordings(ctx)
	}
	return s.sides(ctx, list)
}

// usable are the devices that a line could be made of: those that are there, and carry sound both ways as far as that is known.
func usable(list []control.Device) (all []control.Device) {
	for _, d := range list {
		there := plugged(d) || d.Place == "" && d.Name != "" && d.Trouble == ""
		if oneWay := d.Free && (d.In == 0 || d.Out == 0); there && !oneWay {
			all = append(all, d)
		}
	}
	return all
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
)

// side is what somebody chose for a side of the line: a modem, or else a sound device.
type side struct {
	modem   *config.Modem
	device  control.Device
	name    string
	channel int
}

// what is how the side is called to a person.
func (c side) what() string {
	if c.modem != nil {
		return "a modem"
	}
	return cmp.Or(c.device.Card, c.name)
}

// sides asks what the caller's and the agent's sides are, until a line can be made of them.
func (s *setup) sides(ctx context.Context, list []control.Device) error {
	for {
		var chosen [2]side
		for i, leg := range []string{control.LegCaller, control.LegAgent} {
			var err error
			if chosen[i], err = s.side(ctx, &list, leg, chosen[0]); err != nil {
				return err
			}
		}
		if err := s.channels(ctx, &chosen); err != nil {
			return err
		}
		err := s.join(chosen[0], chosen[1])
		if !s.refused(err) {
			return err
		}
	}
}

// side asks what one side of the line is.
func (s *setup) side(ctx context.Context, list *[]control.Device, leg string, other side) (chosen side, err error) {
	for {
		all := usable(*list)
		q := question{why: wordsSetupSide[leg], ask: "The " + leg + "'s side"}
		q.preset = s.present(all, leg, other)
		fmt.Fprintln(s.t.out)
		printUsable(s.t.out, all)
		err = s.ask(ctx, q, func(answer string) error {
			n, number := strconv.Atoi(answer)
			switch {
			case answer == lookAgain:
				return errAnother
			case strings.HasPrefix(answer, "/"):
				chosen.modem, err = s.probe(ctx, filepath.Clean(answer), leg)
				return err
			case number != nil || n < 1 || n > len(all):
				return private.Flaw{Reason: fmt.Sprintf("%q is none of these", answer),
					Remedy: fmt.Sprintf("type the number of one of the %d, the path of a modem's port, or %s to have another look", len(all), lookAgain)}
			}
			chosen = side{device: all[n-1], name: s.nameFor(all[n-1], leg), channel: 1}
			return nil
		})
		if !errors.Is(err, errAnother) {
			return chosen, err
		}
		if *list, err = s.box.Devices(ctx); err != nil {
			return side{}, err
		}
	}
}

// lookAgain has the devices listed once more.
const lookAgain = "l"

// present is the number of the device that the side has now, or of the first that nobody uses; none if the side is a modem, or nothing is there.
func (s *setup) present(all []control.Device, leg string, other side) string {
	l := s.now()
	modem, name := l.CallerModem, ""
	if l.Sound != nil {
		name = l.Sound.Caller
	}
	if leg == control.LegAgent {
		modem = l.AgentModem
		if l.Sound != nil {
			name = l.Sound.Agent
		}
	}
	if modem != nil && modem.Port != "" {
		return modem.Port
	}
	at := slices.IndexFunc(all, func(d control.Device) bool { return d.Name == name && name != "" })
	unused := func(d control.Device) bool {
		return d.Place != "" && len(d.Uses) == 0 && placeOf(d) != placeOf(other.device)
	}
	if at < 0 {
		at = slices.IndexFunc(all, func(d control.Device) bool { return unused(d) && d.Free })
	}
	if at < 0 {
		at = slices.IndexFunc(all, unused)
	}
	if at < 0 { // one card may be on both sides
		at = slices.IndexFunc(all, func(d control.Device) bool { return d.In > 1 && placeOf(d) == placeOf(other.device) })
	}
	if at < 0 {
		return ""
	}
	return strconv.Itoa(at + 1)
}

// nameFor is what the config calls a device: a card that has no name gets one of the line's.
func (s *setup) nameFor(d control.Device, leg string) string {
	if d.Name != "" {
		return d.Name
	}
	const longest = 32 // of a name
	return s.line[:min(len(s.line), longest-1-len(leg))] + "-" + leg
}

// printUsable lists what a side may be made of.
func printUsable(w io.Writer, all []control.Device) {
	if len(all) == 0 {
		paragraph(w, 0, "", wordsSetupNoDevice)
	}
	for i, d := range all {
		what := d.Name
		if d.Card != "" {
			what = fmt.Sprintf("%s (%s)", d.Card, d.IDs)
		}
		plays := slices.IndexFunc(d.Uses, func(u control.Use) bool { return u.Plays })
		switch {
		case d.Free:
			what += fmt.Sprintf(", %d in, %d out", d.In, d.Out)
		case plays >= 0:
			what += ", in use by line " + d.Uses[plays].Line
		default:
			what += ", which another program has"
		}
		const hang = 5
		paragraph(w, hang, fmt.Sprintf("  %d", i+1), what)
		if d.Place != "" {
			paragraph(w, hang, "", strings.Join(words(placeOf(d), d.Name), ", "))
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/flattone/flattone/audio"
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
	if at < 0 {
		at = slices.IndexFunc(all, func(d control.Device) bool {
			return d.Place != "" && len(d.Uses) == 0 && placeOf(d) != placeOf(other.device)
		})
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
		if d.Free {
			what += fmt.Sprintf(", %d in, %d out", d.In, d.Out)
		}
		const hang = 5
		paragraph(w, hang, fmt.Sprintf("  %d", i+1), what)
		if d.Place != "" {
			paragraph(w, hang, "", strings.Join(words(placeOf(d), d.Name), ", "))
		}
	}
}

// probe asks the modem at a port what it is.
func (s *setup) probe(ctx context.Context, port, leg string) (*config.Modem, error) {
	l := s.now()
	for _, m := range []*config.Modem{l.CallerModem, l.AgentModem} {
		if m != nil && m.Port == port { // it is the line's, and can't be asked
			return m, nil
		}
	}
	fmt.Fprintln(s.t.out, wordsSetupProbing)
	found, err := s.box.ProbeModem(ctx, port)
	if err != nil {
		return nil, err
	}
	if len(found.Fits) == 0 {
		return nil, private.Flaw{Reason: "the modem at " + port + " fits no profile", Remedy: "flattone modem probe " + port + " prints one to begin with, which you correct by its manual"}
	}
	fit := found.Fits[0]
	if len(found.Fits) > 1 {
		q := question{why: wordsSetupFits, ask: "Make of the modem", preset: fit.Profile}
		for _, f := range found.Fits {
			q.choices = append(q.choices, choice{f.Profile, f.Make})
		}
		if err := s.ask(ctx, q, func(answer string) error {
			fit = found.Fits[slices.IndexFunc(found.Fits, func(f control.ModemFit) bool { return f.Profile == answer })]
			return nil
		}); err != nil {
			return nil, err
		}
	}
	m := &config.Modem{Name: fit.Profile, Port: port, SoundPort: fit.SoundPort}
	if fit.NeedsSoundPort && fit.SoundPort == "" {
		q := question{why: wordsSetupSoundPort, ask: "Port for sound"}
		err = s.ask(ctx, q, func(answer string) error { m.SoundPort = answer; return there(answer) })
	}
	return m, err
}

// channels asks which are whose, where one device is on both sides. Devices that the line has already keep theirs.
func (s *setup) channels(ctx context.Context, chosen *[2]side) error {
	caller, agent := &chosen[0], &chosen[1]
	both := caller.modem == nil && agent.modem == nil && caller.device.Name == agent.device.Name && placeOf(caller.device) == placeOf(agent.device)
	if both {
		if agent.channel = 2; caller.device.Name == "" {
			caller.name, agent.name = s.line, s.line
		}
	}
	if has := s.now().Sound; has != nil && caller.name == has.Caller && caller.modem == nil {
		caller.channel = has.CallerChannel
	}
	if has := s.now().Sound; has != nil && agent.name == has.Agent && agent.modem == nil {
		agent.channel = has.AgentChannel
	}
	for i, leg := range []string{control.LegCaller, control.LegAgent} {
		if !both {
			break
		}
		q := question{why: wordsSetupChannel, ask: "The " + leg + "'s channel", preset: strconv.Itoa(chosen[i].channel)}
		err := s.ask(ctx, q, func(answer string) (err error) {
			if chosen[i].channel, err = strconv.Atoi(answer); err != nil {
				return private.Flaw{Reason: fmt.Sprintf("%q is no number", answer), Remedy: "type the number of a channel: 1 is the first, or left"}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// join makes the line of two sides.
func (s *setup) join(caller, agent side) error {
	rate, beside, err := commonRate(s.now().Rate, caller, agent)
	if err != nil {
		return err
	}
	before := s.adopting
	s.adopting = config.Devices{}
	for _, c := range []side{caller, agent} {
		if d := c.device; c.modem == nil && d.Place != "" && (d.Name == "" || d.Trouble != "") {
			s.adopting[c.name] = cardOf(d)
		}
	}
	err = s.putLine(func(l *config.Line) {
		sound := config.Sound{CallerChannel: 1, AgentChannel: 1}
		if l.Sound != nil {
			sound = *l.Sound
		}
		sound.Caller, sound.CallerChannel, sound.Agent, sound.AgentChannel = caller.name, caller.channel, agent.name, agent.channel
		if beside != sound.DeviceRate {
			sound.PeriodFrames = 0
		}
		sound.DeviceRate = beside
		if caller.modem != nil {
			sound.GainToCallerDB = 0
		} else {
			l.AgentKeys.Answer, l.AgentKeys.HangUp = "", ""
		}
		if caller.modem == nil && l.Calls.Source == config.SourceModem {
			l.Calls = config.NewLine("", "").Calls
		}
		if agent.modem != nil {
			sound.GainToAgentDB = 0
		}
		l.Rate, l.CallerModem, l.AgentModem, l.Sound = rate, caller.modem, agent.modem, &sound
		if caller.modem != nil && agent.modem != nil {
			l.Sound = nil
		}
	})
	if err != nil {
		s.adopting = before
	}
	return err
}

// commonRate is the rate at which both sides run; beside a modem it is that one's, and beside is the device's own if that is another. One that they
// run at now is kept.
func commonRate(now audio.Rate, caller, agent side) (rate, beside audio.Rate, err error) {
	const modem = audio.Rate8k
	can := func(r audio.Rate) bool {
		return !slices.ContainsFunc([]side{caller, agent}, func(c side) bool {
			return c.modem == nil && len(c.device.Rates) > 0 && !slices.Contains(c.device.Rates, int(r))
		})
	}
	rates := []audio.Rate{now, audio.Rate8k, 16000, 48000, 44100}
	withModem := caller.modem != nil || agent.modem != nil
	if withModem {
		rates = rates[1:4]
	}
	at := slices.IndexFunc(rates, can)
	switch {
	case at < 0:
		return 0, 0, private.Flaw{Reason: "these two have no rate in common at which a line could run", Remedy: "choose others: flattone devices lists the rates of each"}
	case !withModem:
		return rates[at], 0, nil
	case rates[at] != modem:
		beside = rates[at]
	}
	return modem, beside, nil
}

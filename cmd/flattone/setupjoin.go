package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
)

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
			if d := chosen[i].device; d.Free && chosen[i].channel > min(d.In, d.Out) {
				return private.Flaw{Reason: fmt.Sprintf("%s has no channel %d both ways, with %d in and %d out", chosen[i].what(), chosen[i].channel, d.In, d.Out), Remedy: "type one that it has"}
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
		return 0, 0, private.Flaw{Reason: fmt.Sprintf("%s and %s have no rate in common at which a line could run", caller.what(), agent.what()), Remedy: "choose others: flattone devices lists the rates of each"}
	case !withModem:
		return rates[at], 0, nil
	case rates[at] != modem:
		beside = rates[at]
	}
	return modem, beside, nil
}

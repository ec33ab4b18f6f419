package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/private"
)

// calls asks who tells a line of sound devices when calls begin and end. Modems and recordings tell that themselves.
func (s *setup) calls(ctx context.Context) error {
	l := s.now()
	if !l.Live() || l.CallerModem != nil {
		return nil
	}
	q := question{why: wordsSetupCalls, ask: "Calls told by", preset: string(l.Calls.Source), choices: []choice{
		{string(config.SourceAudio), wordsSetupAudio},
		{string(config.SourceAPI), wordsSetupAPI},
		{string(config.SourceGPIO), wordsSetupGPIO},
		{string(config.SourceSerial), wordsSetupSerial},
		{string(config.SourceHID), wordsSetupHID},
	}}
	return s.ask(ctx, q, func(answer string) error {
		c := config.Calls{Source: config.Source(answer), Contact: config.Hook, Silence: l.Calls.Silence}
		if c.Source == l.Calls.Source {
			c = l.Calls
		}
		if c.Wired() {
			if err := s.contact(ctx, &c); err != nil {
				return err
			}
		}
		return s.putLine(func(l *config.Line) { l.Calls = c })
	})
}

// contact asks where a contact is, and what it says.
func (s *setup) contact(ctx context.Context, c *config.Calls) error {
	at := question{why: wordsSetupContact[c.Source], ask: "Where it is", preset: c.Device}
	if c.Source == config.SourceGPIO && c.Device == "" {
		at.preset = "/dev/gpiochip0"
	}
	err := s.ask(ctx, at, func(answer string) error {
		c.Device = answer
		if c.Source == config.SourceHID {
			return nil
		}
		return there(answer)
	})
	if err != nil || c.Source == config.SourceHID {
		return err
	}
	input := question{why: wordsSetupInput, ask: "Input", preset: c.Input}
	if c.Source == config.SourceSerial {
		input.choices = []choice{{"dcd", "pin 1 of nine"}, {"dsr", "pin 6"}, {"cts", "pin 8"}, {"ri", "pin 9"}}
		if input.preset == "" {
			input.preset = "dcd"
		}
	}
	if err := s.ask(ctx, input, func(answer string) error { c.Input = answer; return nil }); err != nil {
		return err
	}
	says := question{why: wordsSetupSays, ask: "The contact says", preset: string(c.Contact),
		choices: []choice{{string(config.Hook), wordsSetupHook}, {string(config.Ring), wordsSetupRing}}}
	if err := s.ask(ctx, says, func(answer string) error { c.Contact = config.Contact(answer); return nil }); err != nil {
		return err
	}
	if c.Source == config.SourceGPIO {
		c.Inverted, err = s.t.agrees(ctx, wordsSetupInverted, c.Inverted)
	}
	return err
}

// there refuses a device that isn't.
func there(path string) error {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return private.Flaw{Reason: path + " does not exist", Remedy: "plug it in, or name another: ls /dev/serial/by-id /dev/gpiochip* shows what there is"}
	}
	if err != nil {
		return private.Flaw{Reason: fmt.Sprintf("%s can't be looked at: %v", path, err), Remedy: "name another"}
	}
	return nil
}

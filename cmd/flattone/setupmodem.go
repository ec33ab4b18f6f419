package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
)

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

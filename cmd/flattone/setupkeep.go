package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
)

// keep asks what becomes of the cards of the line's profile, and refuses what flattoned would.
func (s *setup) keep(ctx context.Context) error {
	name := s.now().Profile
	q := question{why: wordsSetupKeep, ask: "Keep", preset: string(s.cfg.Profiles[name].Keep), choices: []choice{
		{string(config.KeepNone), wordsSetupNone}, {string(config.KeepVault), fmt.Sprintf(wordsSetupVault, int(s.cfg.Vault.Retention.Hours()/24))},
		{string(config.KeepOnce), wordsSetupOnce}, {string(config.KeepOneWay), wordsSetupOneWay}}}
	if others := s.others(name); len(others) > 0 {
		q.why += " " + fmt.Sprintf(wordsSetupSame, strings.Join(others, ", "))
	}
	return s.ask(ctx, q, func(answer string) error {
		keep := config.Keep(answer)
		if keep.Stored() {
			if err := s.mayStore(name); err != nil {
				return err
			}
		}
		return s.put(func(c *config.Config) {
			p := c.Profiles[name]
			p.Keep = keep
			c.Profiles[name] = p
		})
	})
}

// others are the other lines of a profile.
func (s *setup) others(profile string) (names []string) {
	for _, l := range s.cfg.Lines {
		if l.Profile == profile && l.Name != s.line {
			names = append(names, l.Name)
		}
	}
	return names
}

// mayStore refuses to keep cards for later where their key lies beside them, or the agent's side of a line isn't behind the box.
func (s *setup) mayStore(profile string) error {
	switch s.keyKind {
	case control.KeyFile, control.KeyHost, control.KeyCredential:
		return private.Flaw{Reason: "the vault's key lies on the disk with the cards, or may: " + keyFrom(s.keyKind), Remedy: "have one off it first (docs/keys.md); until then type none or oneway"}
	}
	for _, l := range s.cfg.Lines {
		if l.Profile == profile && l.Place == config.DeskSide && !s.cfg.Vault.DeskSide {
			return private.Flaw{Reason: fmt.Sprintf("line %s is desk-side: phone, PBX and recorder hear its keys, and no card of it is kept", l.Name),
				Remedy: "type none or oneway; [vault] desk_side = true in the configuration lets such cards be kept"}
		}
	}
	return nil
}

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/private"
)

// goOver shows what has come of the answers, and has the box go over to it once that is agreed on.
func (s *setup) goOver(ctx context.Context) error {
	out := s.t.out
	draft := s.draft(s.cfg)
	fmt.Fprintln(out)
	paragraph(out, 0, "", fmt.Sprintf(wordsSetupShown, s.file))
	fmt.Fprintf(out, "\n%s\n", draft.Text)
	printConfig(out, checkedFile(wordsSetupDraft, s.cfg))
	fmt.Fprintln(out)
	for _, name := range slices.Sorted(maps.Keys(s.adopting)) {
		paragraph(out, 0, "", fmt.Sprintf(wordsSetupNames, s.adopting[name].Card, s.adopting[name].Place, name))
	}
	a := &apply{t: s.t, draft: &draft, reread: s.secret != ""}
	if len(s.adopting) > 0 || s.secret != "" {
		a.first = func() error { return s.beforehand(ctx) }
	}
	return s.insist(ctx, func() error {
		before, _ := os.ReadFile(s.file)
		err := a.run(ctx, s.box, nil)
		if now, _ := os.ReadFile(s.file); !bytes.Equal(now, before) {
			s.stays = append(s.stays, s.file+", and the one before it in "+s.file+".before")
		}
		return err
	})
}

// insist does what may be in vain until it isn't, or somebody has had enough.
func (s *setup) insist(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || errors.Is(err, errLeft) || ctx.Err() != nil {
			return err
		}
		s.t.explain(err)
		if again, left := s.t.agrees(ctx, "Try again?", false); !again {
			return errors.Join(errLeft, left)
		}
	}
}

// beforehand puts the secret into its file, and gives cards their names.
func (s *setup) beforehand(ctx context.Context) error {
	if s.secret != "" {
		if err := private.Replace(s.secretFile(), []byte(s.secret+"\n"), 0o600); err != nil {
			return fail(exitFailed, "ask as root", "the secret was not written down: %w", err)
		}
		s.stays = append(s.stays, "the secret in "+s.secretFile())
	}
	for _, name := range slices.Sorted(maps.Keys(s.adopting)) {
		d := s.adopting[name]
		if err := s.t.adopt(ctx, s.box, s.file, name, placeOf(control.Device{Place: d.Place, PCM: d.PCM}), true); err != nil {
			return err
		}
		s.stays = append(s.stays, "the name "+name)
	}
	return nil
}

package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// Reload reads the configuration anew and has the lines go by it. A line whose process runs with what the file says is left alone, and so is one that is down:
// it reads the file when it starts.
func (b *backend) Reload(ctx context.Context, by control.Actor, force bool) (control.Reloaded, error) {
	select {
	case b.reloading <- struct{}{}:
		defer func() { <-b.reloading }()
	case <-ctx.Done():
		return control.Reloaded{}, ctx.Err()
	}
	r, err := b.reload(ctx, by, force)
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	if err := b.d.note(context.WithoutCancel(ctx), by.String(), "config.reloaded", "configuration", result, "admin socket"); err != nil {
		b.d.log.Error("a reload could not be noted in the audit log", "error", err)
	}
	return r, err
}

func (b *backend) reload(ctx context.Context, by control.Actor, force bool) (r control.Reloaded, err error) {
	cfg, err := config.Load(b.d.configPath)
	switch {
	case err != nil:
		return r, badConfig(b.d.configPath, err)
	case cfg.BoxSettings() != b.d.cfg.BoxSettings():
		return r, needsRestart()
	}
	if err := b.d.mayKeep(cfg); err != nil {
		return r, badConfig(b.d.configPath, err)
	}
	r, busy := b.d.board.compare(cfg)
	if len(busy) > 0 && !force {
		return r, takingCards(busy)
	}
	// What may start or end a card must be known, and by whom.
	if err := b.d.note(ctx, by.String(), "config.reload", "configuration", "asked", "admin socket"); err != nil {
		return r, fmt.Errorf("nothing was changed, because the audit log can't be written: %w", err)
	}
	b.d.lined.Store(cfg)
	b.d.board.know(cfg) // before a process of a new line asks to be let in
	b.d.lines.Keep(b.d.board.names())
	for _, name := range r.Ended {
		b.d.metrics.Forget(name)
	}
	for _, name := range r.Restarted {
		b.d.lines.Restart(name)
	}
	b.d.log.Info("the configuration was read anew", "by", by.String(), "restarted", r.Restarted, "begun", r.Begun, "ended", r.Ended)
	return r, nil
}

// compare says what becomes of each line under cfg, and which of those that are stopped for it take a card now.
func (s *switchboard) compare(cfg *config.Config) (r control.Reloaded, busy []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change := cfg.Change(s.order, func(line string) string { return s.lines[line].view.Settings })
	for _, name := range slices.Concat(change.Restarted, change.Ended) {
		if s.lines[name].takesCard() {
			busy = append(busy, name)
		}
	}
	return control.Reloaded(change), busy
}

// Restart has a line's process stopped and started.
func (b *backend) Restart(ctx context.Context, by control.Actor, line string, force bool) error {
	if !slices.Contains(b.d.board.names(), line) {
		return unknownLine(line, b.d.board.names())
	}
	if err := b.d.note(ctx, by.String(), "line.restart", "line "+line, "asked", "admin socket"); err != nil {
		return fmt.Errorf("line %s was not restarted, because the audit log can't be written: %w", line, err)
	}
	var err error
	if b.d.board.takesCard(line) && !force {
		err = takingCards([]string{line})
	} else {
		b.d.lines.Restart(line)
	}
	b.noteDone(ctx, technician(by), "line.restarted", line, err)
	return err
}

func (s *switchboard) takesCard(line string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.lines[line]
	return x != nil && x.takesCard()
}

func (x *extension) takesCard() bool { return x.conn != nil && control.TakingCard(x.view.State) }

func badConfig(path string, err error) error {
	text, remedy := err.Error(), "correct it; flattone check "+path+" lists what is wrong"
	if faults, ok := errors.AsType[config.Faults](err); ok && len(faults) > 1 {
		text = fmt.Sprintf("%v, and %d more faults", faults[0], len(faults)-1)
	}
	return &control.Error{Code: control.CodeBadConfig, Text: "nothing was changed: " + text, Remedy: remedy}
}

func needsRestart() error {
	return &control.Error{Code: control.CodeNeedsRestart, Text: "nothing was changed: there are other settings in the file than those of lines and profiles",
		Remedy: "flattone apply restarts flattoned for them"}
}

func takingCards(lines []string) error {
	return &control.Error{Code: control.CodeBusy, Text: "nothing was changed: a card is being taken, or a tuning goes on, on " + strings.Join(lines, ", "),
		Remedy: "wait until that is over (flattone watch LINE --until idle), or end it with --force"}
}

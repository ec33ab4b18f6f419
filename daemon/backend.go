package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// backend answers the admin socket, and the agents who ask by keys. Every command is in the audit log, with who gave it and how it ended, before
// its answer leaves, as far as the log can be written. What could open a way for a card (arm) or for its digits
// (acknowledge, uncover) is not done unless its asking is in the log; what only gives up or goes on (disarm, again, more time, cover), and what
// is only about calls, is done all the same.
type backend struct {
	d       *Daemon
	started time.Time
	// reloading has room for one.
	reloading chan struct{}
}

func (b *backend) Status(ctx context.Context) (control.Status, error) {
	told, pending, err := b.destinations(ctx)
	if err != nil {
		pending = control.PendingUnknown
	}
	s := control.Status{
		Version: Version, PID: os.Getpid(), Started: b.started, StateDir: b.d.cfg.StateDir,
		KeyKind: string(b.d.vault.RootKind()), ConfigFile: b.d.configPath, Settings: b.d.cfg.BoxSettings(),
		Destinations: told, UpstreamPending: pending,
	}
	b.d.storeVitals() // as it is now, not as it was when last looked at, and what the store had to say of pending
	if err != nil && b.d.store.Trouble() == nil {
		return control.Status{}, err
	}
	s.Conditions = b.d.health.Snapshot()
	for _, l := range b.d.board.views() {
		s.LinesTotal++
		if l.Up {
			s.LinesUp++
		}
	}
	return s, nil
}

func (b *backend) Lines(context.Context) ([]control.Line, error) { return b.d.board.views(), nil }

func (b *backend) Profiles(context.Context) (all []control.Profile, err error) {
	profiles := b.d.lined.Load().Profiles
	for _, name := range slices.Sorted(maps.Keys(profiles)) {
		p := control.Profile{Name: name, Gateway: profiles[name].Gateway, Keep: string(profiles[name].Keep)}
		for _, f := range profiles[name].Fields {
			p.Fields = append(p.Fields, string(f))
		}
		all = append(all, p)
	}
	return all, nil
}

// asker is who gives a command, and which way it came in.
type asker struct{ name, origin string }

func technician(a control.Actor) asker { return asker{a.String(), "admin socket"} }

func (b *backend) Arm(ctx context.Context, by control.Actor, line, profile string) (string, error) {
	if err := b.stores(line, profile); err != nil {
		return "", err
	}
	return b.arm(ctx, technician(by), line, profile, opening{"line.arm", "line.armed", "armed"}, newCaptureID())
}

// Rehearse is Arm but for the capture's id, by which all go: the line takes test cards alone, and no card of it is stored.
func (b *backend) Rehearse(ctx context.Context, by control.Actor, line, profile string) (string, error) {
	return b.arm(ctx, technician(by), line, profile, opening{"line.rehearse", "line.rehearsing", "armed"}, newRehearsalID())
}

func (b *backend) arm(ctx context.Context, by asker, line, profile string, what opening, capture string) (string, error) {
	if _, known := b.d.lined.Load().Profiles[profile]; profile != "" && !known {
		return "", unknownProfile(profile, slices.Sorted(maps.Keys(b.d.lined.Load().Profiles)))
	}
	if b.d.vault.Locked() && !isRehearsal(capture) {
		return "", vaultLocked("line " + line + " was not armed")
	}
	cfg := b.d.lined.Load()
	if l, known := cfg.Line(line); known && !isRehearsal(capture) { // a locked vault's roots weren't known when the box started
		if err := b.d.mayKeepBy(cfg, l, cmp.Or(profile, l.Profile)); err != nil {
			return "", &control.Error{Code: control.CodeWrongState, Text: "line " + line + " was not armed: " + err.Error(), Remedy: "flattone vault status lists the roots; docs/vault.md and docs/keys.md say where cards may be kept"}
		}
	}
	done, err := b.d.guard.arm()
	if err != nil {
		return "", err
	}
	defer done()
	if p := b.d.pauser; p != nil { // before the caller is asked for anything
		done, err := p.Pause(ctx, line, capture)
		if err != nil {
			return "", err
		}
		defer done()
	}
	// A box that can't write its log could not keep the card either.
	err = b.opening(ctx, by, what, line, func(id uint64) wire.Message {
		return wire.Arm{ID: id, Capture: capture, Profile: profile}
	})
	return capture, err
}

func (b *backend) Disarm(ctx context.Context, by control.Actor, line string) error {
	return b.disarm(ctx, technician(by), line)
}

func (b *backend) disarm(ctx context.Context, by asker, line string) error {
	return b.command(ctx, by, "line.disarmed", line, func(id uint64) wire.Message { return wire.Cancel{ID: id} })
}

func (b *backend) MoreTime(ctx context.Context, by control.Actor, line string) error {
	return b.command(ctx, technician(by), "line.more_time", line, func(id uint64) wire.Message { return wire.MoreTime{ID: id} })
}

// Again only gives up what was keyed of a field.
func (b *backend) Again(ctx context.Context, by control.Actor, line, field string) error {
	if field != "" && !slices.Contains(config.Fields(), config.Field(field)) {
		return unknownField(field)
	}
	return b.command(ctx, technician(by), "line.again", line, func(id uint64) wire.Message { return wire.Again{ID: id, Field: field} })
}

// Cover opens nothing. To end it may: that is asked before it is done.
func (b *backend) Cover(ctx context.Context, by control.Actor, line string, on bool) error {
	build := func(id uint64) wire.Message { return wire.Cover{ID: id, On: on} }
	if on {
		return b.command(ctx, technician(by), "line.covered", line, build)
	}
	return b.opening(ctx, technician(by), opening{"line.uncover", "line.uncovered", "uncovered"}, line, build)
}

// Tune shuts the line while it is measured, and may end with a line that takes cards: who asked must be known.
func (b *backend) Tune(ctx context.Context, by control.Actor, line string) error {
	return b.opening(ctx, technician(by), opening{"line.tune", "line.tuning", "tuned"}, line, func(id uint64) wire.Message { return wire.Tune{ID: id} })
}

// noteTests is what the log calls a test of a leg.
var noteTests = map[string]string{control.TestTone: "line.tone", control.TestLoopback: "line.loopback"}

// Test is noted by what the leg is to do, and how it was taken.
func (b *backend) Test(ctx context.Context, by control.Actor, line string, t control.Test) error {
	if err := badTest(t); err != nil {
		return err
	}
	return b.command(ctx, technician(by), noteTests[t.What], line, func(id uint64) wire.Message {
		return wire.Test{ID: id, What: t.What, Leg: t.Leg, Hz: t.Hz, DBm0: t.DBm0, Seconds: t.Seconds}
	})
}

func (b *backend) EndTest(ctx context.Context, by control.Actor, line string) error {
	return b.command(ctx, technician(by), "line.test_ended", line, func(id uint64) wire.Message { return wire.Cancel{ID: id, Test: true} })
}

func (b *backend) Acceptance(_ context.Context, line string) (acceptance.Report, error) {
	l, known := b.d.lined.Load().Line(line)
	if !known {
		return acceptance.Report{}, unknownLine(line, b.d.board.names())
	}
	r, err := acceptance.In(b.d.cfg.StateDir).Last(line)
	switch {
	case errors.Is(err, acceptance.ErrNone) && !l.Tunes():
		return r, needsNoTuning(line)
	case errors.Is(err, acceptance.ErrNone):
		return r, neverTuned(line)
	}
	return r, err
}

// Acknowledge opens a line that is held, and so masked: who did must be known, whatever becomes of the log.
func (b *backend) Acknowledge(ctx context.Context, by control.Actor, line string) error {
	return b.opening(ctx, technician(by), opening{"line.acknowledge", "line.acknowledged", "released"}, line,
		func(id uint64) wire.Message { return wire.Acknowledge{ID: id} })
}

func (b *backend) CallBegan(ctx context.Context, by control.Actor, line string) error {
	return b.callTold(ctx, by, line, "line.call_began", control.CallBegan)
}

func (b *backend) CallEnded(ctx context.Context, by control.Actor, line string) error {
	return b.callTold(ctx, by, line, "line.call_ended", control.CallEnded)
}

func (b *backend) callTold(ctx context.Context, by control.Actor, line, action, edge string) error {
	return b.command(ctx, technician(by), action, line, func(id uint64) wire.Message { return wire.CallTold{ID: id, Edge: edge} })
}

// What the log knows of calls by modem: never a number.
const (
	noteAnswered = "line.answered"
	noteDialled  = "line.dialled"
	noteHungUp   = "line.hung_up"
)

func (b *backend) Answer(ctx context.Context, by control.Actor, line string) error {
	return b.command(ctx, technician(by), noteAnswered, line, func(id uint64) wire.Message { return wire.PickUp{ID: id} })
}

func (b *backend) Dial(ctx context.Context, by control.Actor, line, number string) error {
	return b.command(ctx, technician(by), noteDialled, line, func(id uint64) wire.Message { return wire.CallOut{ID: id, Number: number} })
}

func (b *backend) HangUp(ctx context.Context, by control.Actor, line string) error {
	return b.command(ctx, technician(by), noteHungUp, line, func(id uint64) wire.Message { return wire.HangUp{ID: id} })
}

// opening is what the log calls a command that could open a way for a card or its digits, as it is asked and as it ends; and what the line
// then isn't, if the log can't be written.
type opening struct{ asked, done, undone string }

// opening has the line do it once the log has who asked.
func (b *backend) opening(ctx context.Context, by asker, what opening, line string, build func(uint64) wire.Message) error {
	if _, known := b.d.lined.Load().Line(line); !known {
		return unknownLine(line, b.d.board.names())
	}
	if err := b.d.note(ctx, by.name, what.asked, "line "+line, "asked", by.origin); err != nil {
		return fmt.Errorf("line %s was not %s, because the audit log can't be written: %w", line, what.undone, err)
	}
	return b.command(ctx, by, what.done, line, build)
}

// command has the line do it, and notes how it ended. What is done can't be undone by a log that is full, so
// that is only reported. A line that doesn't exist is no command: what somebody took for its name stays out of
// the log.
func (b *backend) command(ctx context.Context, by asker, action, line string, build func(uint64) wire.Message) error {
	if _, known := b.d.lined.Load().Line(line); !known {
		return unknownLine(line, b.d.board.names())
	}
	err := b.d.board.command(ctx, line, build)
	b.noteDone(ctx, by, action, line, err)
	return err
}

// noteDone notes how something ended.
func (b *backend) noteDone(ctx context.Context, by asker, action, line string, err error) {
	result := "ok"
	if err != nil {
		result = err.Error()
	}
	if err := b.d.note(context.WithoutCancel(ctx), by.name, action, "line "+line, result, by.origin); err != nil {
		b.d.log.Error("a command could not be noted in the audit log", "action", action, "line", line, "error", err)
	}
}

func (b *backend) Audit(ctx context.Context, by control.Actor, limit int) ([]control.AuditEntry, error) {
	entries, err := b.d.audit.Recent(ctx, limit)
	if err != nil {
		return nil, err
	}
	b.noteRead(ctx, by, "audit.read")
	out := make([]control.AuditEntry, 0, len(entries))
	for _, e := range entries {
		out = append(out, control.AuditEntry{Seq: e.Seq, Time: e.Time, Actor: e.Actor, Action: e.Action, Object: e.Object, Result: e.Result, Origin: e.Origin, Clock: string(e.Clock)})
	}
	return out, nil
}

// ExportAudit exports the log, the reading of it included.
func (b *backend) ExportAudit(ctx context.Context, by control.Actor, to io.Writer) error {
	b.noteRead(ctx, by, "audit.exported")
	return b.d.audit.Export(ctx, to)
}

func (b *backend) AuditKey() string { return b.d.audit.Key() }

// noteRead notes that somebody reads the log. A log that can't be written can be read all the same: that is when it is needed.
func (b *backend) noteRead(ctx context.Context, by control.Actor, action string) {
	if err := b.d.note(ctx, by.String(), action, "audit log", "ok", "admin socket"); err != nil {
		b.d.log.Error("that the audit log was read could not be noted in it", "by", by.String(), "error", err)
	}
}

func (b *backend) Subscribe(ctx context.Context) <-chan control.Event { return b.d.feed.Subscribe(ctx) }

package daemon

import (
	"context"
	"log/slog"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/health"
)

// logConditions has the log know of every condition's beginning and end, until ctx ends: one record each, that bears
// the condition's message id.
func (d *Daemon) logConditions(ctx context.Context) error {
	for c := range d.health.Subscribe().All(ctx) {
		declared, _ := health.Lookup(c.Code)
		level, text, remedy := levelOf(c.Severity), c.Words, c.Remedy
		if !c.Raised {
			level, text, remedy = slog.LevelInfo, "over: "+c.Words, ""
		}
		attrs := []slog.Attr{slog.String("code", string(c.Code)), slog.String("severity", c.Severity.String()), slog.Bool("stands", c.Raised)}
		for _, a := range []slog.Attr{slog.String("line", c.Line), slog.String("detail", c.Detail), slog.String("remedy", remedy),
			slog.String("message_id", declared.MessageID)} {
			if a.Value.String() != "" {
				attrs = append(attrs, a)
			}
		}
		d.log.LogAttrs(ctx, level, text, attrs...)
	}
	return nil
}

func levelOf(s health.Severity) slog.Level {
	switch s {
	case health.Fault:
		return slog.LevelError
	case health.Warning:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// auditAgain is how long an entry waits that could not be written.
const auditAgain = time.Second

// auditConditions notes in the audit log, until ctx ends, when a critical control failed and when it worked again: see
// health.Declared. What can't be noted is tried again, with its own time: the log may be what has failed.
func (d *Daemon) auditConditions(ctx context.Context) error {
	for c := range d.health.Subscribe().All(ctx) {
		declared, _ := health.Lookup(c.Code)
		if declared.Audited == "" {
			continue
		}
		e := audit.Event{Actor: "flattoned", Action: "condition.raised", Object: "box", Result: string(c.Code), Origin: declared.Audited, Time: c.Time}
		if !c.Raised {
			e.Action = "condition.cleared"
		}
		if c.Line != "" {
			e.Object = "line " + c.Line
		}
		for d.append(ctx, e) != nil {
			select {
			case <-time.After(auditAgain):
			case <-ctx.Done():
				return nil
			}
		}
	}
	return nil
}

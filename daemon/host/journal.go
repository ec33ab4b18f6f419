package host

import (
	"context"
	"encoding"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode"

	sdjournal "github.com/coreos/go-systemd/v22/journal"
)

// Journal is a handler of a log that goes to the systemd journal with fields of its own, where standard error leads there ($JOURNAL_STREAM,
// systemd.exec(5)), and as text elsewhere.
//
// A record's message is its text and its attributes, as text has them; each attribute is a field besides: line is FLATTONE_LINE, code is
// FLATTONE_CODE. Only message_id is the journal's own MESSAGE_ID, and no part of the message; nor are the attributes of always, which in the journal all
// records have. Values are written as slog.TextHandler writes them: what
// redacts itself there does so here.
func Journal(text slog.Handler, always ...slog.Attr) slog.Handler {
	if leads, err := sdjournal.StderrIsJournalStream(); err != nil || !leads {
		return text
	}
	j := &journal{text: text}
	for _, a := range always {
		j.always = appendField(j.always, "", a)
	}
	return j
}

// journal speaks journald's native protocol.
type journal struct {
	// text is for what journald doesn't take; it decides what is logged at all.
	text   slog.Handler
	always []field // that aren't in the message
	fields []field
	groups string // such as "call." before the names of attributes
}

// field is an attribute in words.
type field struct{ name, value string }

// messageID is the attribute that is the journal's own.
const messageID = "message_id"

// variable is the field's name in the journal.
func (f field) variable() string {
	if f.name == messageID {
		return "MESSAGE_ID"
	}
	return "FLATTONE_" + strings.Map(fieldRune, f.name)
}

func (j *journal) Enabled(ctx context.Context, level slog.Level) bool {
	return j.text.Enabled(ctx, level)
}

func (j *journal) Handle(ctx context.Context, r slog.Record) error {
	fields := j.fields[:len(j.fields):len(j.fields)]
	r.Attrs(func(a slog.Attr) bool {
		fields = appendField(fields, j.groups, a)
		return true
	})
	message := r.Message
	vars := make(map[string]string, len(j.always)+len(fields))
	for _, f := range j.always {
		vars[f.variable()] = f.value
	}
	for _, f := range fields {
		vars[f.variable()] = f.value
		if f.name != messageID {
			message += " " + f.name + "=" + quoted(f.value)
		}
	}
	if err := sdjournal.Send(message, urgency(r.Level), vars); err != nil {
		return j.text.Handle(ctx, r)
	}
	return nil
}

func (j *journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := &journal{text: j.text.WithAttrs(attrs), always: j.always, fields: j.fields[:len(j.fields):len(j.fields)], groups: j.groups}
	for _, a := range attrs {
		with.fields = appendField(with.fields, j.groups, a)
	}
	return with
}

func (j *journal) WithGroup(name string) slog.Handler {
	if name == "" {
		return j
	}
	return &journal{text: j.text.WithGroup(name), always: j.always, fields: j.fields, groups: j.groups + name + "."}
}

// appendField adds an attribute, or all of a group.
func appendField(fields []field, groups string, a slog.Attr) []field {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		if a.Key != "" {
			groups += a.Key + "."
		}
		for _, in := range v.Group() {
			fields = appendField(fields, groups, in)
		}
		return fields
	}
	if a.Equal(slog.Attr{}) {
		return fields
	}
	return append(fields, field{groups + a.Key, inWords(v)})
}

// inWords is a resolved value as slog.TextHandler writes it, unquoted.
func inWords(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Format(time.RFC3339Nano)
	case slog.KindAny:
		if t, ok := v.Any().(encoding.TextMarshaler); ok {
			text, err := t.MarshalText()
			if err != nil {
				return "!ERROR:" + err.Error()
			}
			return string(text)
		}
		return fmt.Sprintf("%+v", v.Any())
	}
	return v.String()
}

// quoted puts what would not be read as one word into quotes.
func quoted(value string) string {
	odd := func(r rune) bool { return r == ' ' || r == '"' || r == '=' || !unicode.IsPrint(r) }
	if value == "" || strings.ContainsFunc(value, odd) {
		return strconv.Quote(value)
	}
	return value
}

// fieldRune makes what journald takes for part of a field's name.
func fieldRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return r
	}
	return '_'
}

func urgency(l slog.Level) sdjournal.Priority {
	switch {
	case l >= slog.LevelError:
		return sdjournal.PriErr
	case l >= slog.LevelWarn:
		return sdjournal.PriWarning
	case l >= slog.LevelInfo:
		return sdjournal.PriInfo
	}
	return sdjournal.PriDebug
}

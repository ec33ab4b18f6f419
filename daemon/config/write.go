package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Text is the file that says c, as `flattone setup` writes it: each thing that somebody decided with what it means, and what has its default left
// out. Parsed where c was, it is c again.
func (c *Config) Text() []byte {
	w := &writer{}
	w.say("The configuration of this box, as flattone setup wrote it. What isn't here has its default: configs/example.toml explains every setting, " +
		"and so does /usr/share/doc/flattone/examples. Change it and say flattone apply, or run flattone setup again, which keeps settings, but no comments.")
	w.blank()
	w.set("version", Version)
	base, line, profile := defaults()
	w.other("state_dir", c.StateDir, base.StateDir)
	w.other("runtime_dir", c.RuntimeDir, base.RuntimeDir)
	w.box(c, base)
	for _, l := range c.Lines {
		w.line(l, line)
	}
	for _, name := range c.profileNames() {
		w.table("[profile."+name+"]", "What a caller is asked for, in this order.")
		w.profile(c.Profiles[name], profile)
	}
	return w.Bytes()
}

// writer writes a file. An error can't be: what it writes to is memory.
type writer struct{ bytes.Buffer }

func (w *writer) box(c *Config, base Config) {
	if c.Daemon != base.Daemon {
		w.table("[daemon]", "")
		w.other("line_binary", c.Daemon.LineBinary, base.Daemon.LineBinary)
	}
	if !reflect.DeepEqual(c.Roles, base.Roles) {
		w.table("[roles]", "Who may do what with this box, by users and @groups: SECURITY.md has the table.")
		usual := base.Roles.byKey()
		for i, role := range c.Roles.byKey() {
			w.other(role.key, *role.list, *usual[i].list)
		}
	}
	if s := c.Store; s != base.Store {
		w.table("[store]", "The PostgreSQL database that keeps everything, and that other boxes may share.")
		w.set("postgres", s.Postgres)
		w.other("box", s.Box, "")
		w.other("password_file", s.PasswordFile, "")
		w.other("ca_file", s.CAFile, "")
		w.other("cert_file", s.CertFile, "")
		w.other("key_file", s.KeyFile, "")
	}
	w.vault(c.Vault, base.Vault)
	w.upstream(c.Upstream)
	for _, name := range c.gatewayNames() {
		w.gateway(name, c.Gateways[name])
	}
	w.clients(c.Clients)
	if c.Metrics != base.Metrics {
		w.table("[metrics]", "Where Prometheus may ask how the box is.")
		w.set("listen", c.Metrics.Listen)
	}
	if c.Audit != base.Audit {
		w.table("[audit]", "Where the audit log's signed checkpoints go, besides the journal.")
		w.time("checkpoint_every_s", time.Second, c.Audit.CheckpointEvery, base.Audit.CheckpointEvery)
		w.other("checkpoint_file", c.Audit.CheckpointFile, "")
		w.other("checkpoint_webhook", c.Audit.CheckpointWebhook, false)
	}
	if h := c.RecorderHook; h != nil {
		w.recorderHook(*h)
	}
	if c.Syslog != base.Syslog {
		w.table("[syslog]", "Who is told what is wrong, in TLS.")
		w.set("address", c.Syslog.Address)
		w.other("ca_file", c.Syslog.CAFile, "")
	}
}

func (w *writer) profile(p, usual Profile) {
	w.set("fields", p.Fields)
	w.other("brands", p.Brands, usual.Brands)
	w.other("visa_19", p.Visa19, usual.Visa19)
	w.other("talking_keypad", p.TalkingKeypad, usual.TalkingKeypad)
	w.other("keep", p.Keep, usual.Keep)
	w.other("tenant", p.Tenant, usual.Tenant)
	w.other("gateway", p.Gateway, usual.Gateway)
	w.other("charge", p.Charge, usual.Charge)
	w.other("offline", p.Offline, usual.Offline)
	w.other("tries", p.Tries, usual.Tries)
	w.time("key_timeout_s", time.Second, p.KeyTimeout, usual.KeyTimeout)
	w.time("key_warning_s", time.Second, p.KeyWarning, usual.KeyWarning)
	w.time("overall_timeout_s", time.Second, p.OverallTimeout, usual.OverallTimeout)
	w.time("quiet_end_ms", time.Millisecond, p.QuietEnd, usual.QuietEnd)
	w.time("refusal_quiet_ms", time.Millisecond, p.RefusalQuiet, usual.RefusalQuiet)
	w.time("restart_ms", time.Millisecond, p.Restart, usual.Restart)
	w.time("same_key_guard_ms", time.Millisecond, p.SameKeyGuard, usual.SameKeyGuard)
	w.other("test_cvv_length", p.TestCVVLength, usual.TestCVVLength)
}

// pageWidth is a terminal's, on which the file is shown.
const pageWidth = 80

// say writes a comment.
func (w *writer) say(text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > pageWidth && line != "#" {
			fmt.Fprintln(w, line)
			line = "#"
		}
		line += " " + word
	}
	fmt.Fprintln(w, line)
}

func (w *writer) blank() { fmt.Fprintln(w) }

// table begins a table, below what it is for.
func (w *writer) table(header, why string) {
	w.blank()
	if why != "" {
		w.say(why)
	}
	fmt.Fprintln(w, header)
}

func (w *writer) set(key string, value any) {
	fmt.Fprintf(w, "%s = %s\n", key, literal(reflect.ValueOf(value)))
}

// other writes what is other than usual.
func (w *writer) other(key string, value, usual any) {
	if !reflect.DeepEqual(value, usual) {
		w.set(key, value)
	}
}

func (w *writer) time(key string, unit, value, usual time.Duration) {
	w.other(key, int64(value/unit), int64(usual/unit))
}

// literal is a value as TOML writes it.
func literal(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		var text bytes.Buffer
		enc := json.NewEncoder(&text) // whose escapes are TOML's, but for one
		enc.SetEscapeHTML(false)
		enc.Encode(v.String())
		return strings.ReplaceAll(strings.TrimSuffix(text.String(), "\n"), "\x7f", `\u007f`)
	case reflect.Int, reflect.Int64: // some have a unit of their own when they are printed
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case reflect.Slice:
		var parts []string
		for i := range v.Len() {
			parts = append(parts, literal(v.Index(i)))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

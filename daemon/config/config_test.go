package config

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
)

var update = flag.Bool("update", false, "write the golden files")

// small is the least that is valid.
const small = `version = 1
[vault]
key_file = "vault.key"
[upstream.webhook]
url = "https://example.com/hook"
secret_file = "/etc/webhook.secret"
[profile.card]
[[line]]
name = "one"
place = "trunk-side"
profile = "card"
[line.wav]
caller_in = ["c.wav"]
agent_in = ["../a.wav"]
agent_out = "ao.wav"
caller_out = "co.wav"
`

func TestDefaults(t *testing.T) {
	c, err := Parse("/etc/flattone/flattone.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	c.at = nil
	want := &Config{
		StateDir:   "/var/lib/flattone",
		RuntimeDir: "/run/flattone",
		Roles:      Roles{Technician: []string{"root", "@flattone-admin"}, Installer: []string{"root"}, Desk: []string{"flattone-desk"}},
		Vault: Vault{KeyFile: "/etc/flattone/vault.key", Cards: Cards{Retention: 395 * 24 * time.Hour, OnceTTL: 24 * time.Hour,
			RotateAfter: 365 * 24 * time.Hour, RotateRecords: 10_000_000}},
		Upstream: Upstream{{Name: "webhook", Kind: KindWebhook, Envelope: EnvelopeStandard, Webhook: Webhook{URL: "https://example.com/hook", SecretFile: "/etc/webhook.secret"},
			Timeout: 10 * time.Second, FirstRetry: time.Second, MaxRetry: 5 * time.Minute, GiveUpAfter: 72 * time.Hour}},
		Gateways: map[string]Gateway{},
		Audit:    Audit{CheckpointEvery: 5 * time.Minute},
		Lines: []Line{{
			Name: "one", Place: TrunkSide, Rate: audio.Rate8k, LookAhead: 30 * time.Millisecond, Shield: ShieldRun,
			Idle: IdleMask, OnFault: OnFaultWire, Profile: "card", FlatToneHz: 1020, FlatToneDBm0: -22,
			EmergencyNumbers: []string{"112", "911", "999", "000", "110", "118", "119"},
			WAV: WAV{CallerIn: []string{"/etc/flattone/c.wav"}, AgentIn: []string{"/etc/a.wav"},
				AgentOut: "/etc/flattone/ao.wav", CallerOut: "/etc/flattone/co.wav", Pace: 1, Gap: time.Second},
			Calls: Calls{Source: SourceAudio, Contact: Hook, Silence: 15 * time.Second},
		}},
		Profiles: map[string]Profile{"card": {
			Fields: Fields(), Brands: Brands(), Keep: KeepNone, Tenant: "main", Charge: Take, Offline: Refuse, Tries: 3, KeyTimeout: 20 * time.Second, KeyWarning: 10 * time.Second,
			OverallTimeout: 5 * time.Minute, QuietEnd: 3 * time.Second, RefusalQuiet: 1500 * time.Millisecond,
			Restart: 700 * time.Millisecond,
		}},
		file: "/etc/flattone/flattone.toml",
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

// TestEveryKeyIsRead changes every key there is and finds each change in the Config.
func TestEveryKeyIsRead(t *testing.T) {
	for _, test := range []struct {
		table, entry string
		got          func(*Config) any
		want         any
	}{
		{"", `state_dir = "s"`, func(c *Config) any { return c.StateDir }, "/x/s"},
		{"", `runtime_dir = "/r/"`, func(c *Config) any { return c.LineSocket() }, "/r/line.sock"},
		{"", `runtime_dir = "r"`, func(c *Config) any { return c.AdminSocket() }, "/x/r/admin.sock"},
		{"", `daemon.line_binary = "bin/l"`, func(c *Config) any { return c.Daemon.LineBinary }, "/x/bin/l"},
		{"", `audit = { checkpoint_every_s = 60, checkpoint_file = "kept", checkpoint_webhook = true }`, func(c *Config) any { return c.Audit }, Audit{time.Minute, "/x/kept", true}},
		{"", `metrics.listen = "unix:/m"`, func(c *Config) any { return c.Metrics.Listen }, "unix:/m"},
		{"", `store = { postgres = "host=db dbname=f user=u", password_file = "p" }`, func(c *Config) any { return c.Store }, Store{Postgres: "host=db dbname=f user=u", PasswordFile: "/x/p"}},
		{"", `syslog = { address = "siem:6514", ca_file = "ca.pem" }`, func(c *Config) any { return c.Syslog }, Syslog{"siem:6514", "/x/ca.pem"}},
		{"", `roles.viewer = ["anna", "@staff"]`, func(c *Config) any { return c.Roles.Viewer }, []string{"anna", "@staff"}},
		{"", `roles.technician = []`, func(c *Config) any { return c.Roles.Technician }, []string{}},
		{"", `roles.custodian = ["anna"]`, func(c *Config) any { return c.Roles.Custodian }, []string{"anna"}},
		{"", `roles.auditor = ["CORP\\anna"]`, func(c *Config) any { return c.Roles.Auditor }, []string{`CORP\anna`}},
		{"", `roles.installer = ["@wheel"]`, func(c *Config) any { return c.Roles.Installer }, []string{"@wheel"}},
		{"", `roles.desk = []`, func(c *Config) any { return c.Roles.Desk }, []string{}},
		{"[upstream.webhook]", `timeout_s = 3`, func(c *Config) any { return c.Upstream[0].Timeout }, 3 * time.Second},
		{"[upstream.webhook]", `first_retry_ms = 10`, func(c *Config) any { return c.Upstream[0].FirstRetry }, 10 * time.Millisecond},
		{"[upstream.webhook]", `max_retry_s = 1`, func(c *Config) any { return c.Upstream[0].MaxRetry }, time.Second},
		{"[upstream.webhook]", `give_up_after_h = 2`, func(c *Config) any { return c.Upstream[0].GiveUpAfter }, 2 * time.Hour},
		{"[upstream.webhook]", `envelope = "cloudevents"`, func(c *Config) any { return c.Upstream[0].Envelope }, EnvelopeCloudEvents},
		{"[upstream.webhook]", `old_secret_file = "old"`, func(c *Config) any { return c.Upstream[0].Webhook.OldSecretFile }, "/x/old"},
		{"", `upstream.bus = { kind = "jetstream", urls = ["tls://a:4222", "tls://b"], stream = "CARDS", nkey_file = "n", ca_file = "ca" }`, func(c *Config) any { return c.Upstream[0] },
			Destination{Name: "bus", Kind: KindJetStream, Envelope: EnvelopeStandard, Timeout: 10 * time.Second, FirstRetry: time.Second, MaxRetry: 5 * time.Minute,
				GiveUpAfter: 72 * time.Hour, TLS: TLS{CAFile: "/x/ca"}, JetStream: JetStream{URLs: []string{"tls://a:4222", "tls://b"}, Stream: "CARDS", Subject: DefaultSubject, NKeyFile: "/x/n"}}},
		{"", `upstream.bus = { kind = "jetstream", urls = ["tls://a"], stream = "CARDS", make_stream = true, user = "box", password_file = "p" }`, func(c *Config) any { return c.Upstream[0].JetStream },
			JetStream{URLs: []string{"tls://a"}, Stream: "CARDS", Subject: DefaultSubject, MakeStream: true, User: "box", PasswordFile: "/x/p"}},
		{"[[line]]", `rate_hz = 44100`, func(c *Config) any { return c.Lines[0].Rate }, audio.Rate44k},
		{"[[line]]", `lookahead_ms = 100`, func(c *Config) any { return c.Lines[0].LookAhead }, 100 * time.Millisecond},
		{"[[line]]", `shield = "field"`, func(c *Config) any { return c.Lines[0].Shield }, ShieldField},
		{"[[line]]", `idle = "pass"`, func(c *Config) any { return c.Lines[0].Idle }, IdlePass},
		{"[[line]]", `caller_cue = true`, func(c *Config) any { return c.Lines[0].CallerCue }, true},
		{"[[line]]", `flat_tone_hz = 1270`, func(c *Config) any { return c.Lines[0].FlatToneHz }, 1270},
		{"[[line]]", `flat_tone_dbm0 = -30`, func(c *Config) any { return c.Lines[0].FlatToneDBm0 }, -30.0},
		{"[[line]]", `agent_keys.start = "*12345#D"`, func(c *Config) any { return c.Lines[0].AgentKeys }, AgentKeys{Start: "*12345#D"}},
		{"[[line]]", `agent_keys = { start = "*#1", cancel = "##" }`, func(c *Config) any { return c.Lines[0].AgentKeys }, AgentKeys{Start: "*#1", Cancel: "##"}},
		{"[[line]]", `agent_keys.start = ""`, func(c *Config) any { return c.Lines[0].AgentKeys }, AgentKeys{}},
		{"[[line]]", `emergency_numbers = ["17", "00112112"]`, func(c *Config) any { return c.Lines[0].EmergencyNumbers }, []string{"17", "00112112"}},
		{"[line.wav]", `pace = 0`, func(c *Config) any { return c.Lines[0].WAV.Pace }, 0.0},
		{"[line.wav]", `gap_ms = 0`, func(c *Config) any { return c.Lines[0].WAV.Gap }, time.Duration(0)},
		{"[line.wav]", `wait_armed = true`, func(c *Config) any { return c.Lines[0].WAV.WaitArmed }, true},
		{"[line.wav]", `clock_file = "k"`, func(c *Config) any { return c.Lines[0].WAV.ClockFile }, "/x/k"},
		{"[profile.card]", `fields = ["pan", "cvv"]`, func(c *Config) any { return c.Profiles["card"].Fields }, []Field{PAN, CVV}},
		{"[profile.card]", `brands = ["jcb", "amex"]`, func(c *Config) any { return c.Profiles["card"].Brands }, []Brand{"jcb", "amex"}},
		{"[profile.card]", `visa_19 = true`, func(c *Config) any { return c.Profiles["card"].Visa19 }, true},
		{"[profile.card]", `talking_keypad = true`, func(c *Config) any { return c.Profiles["card"].TalkingKeypad }, true},
		{"[profile.card]", `tries = 10`, func(c *Config) any { return c.Profiles["card"].Tries }, 10},
		{"[profile.card]", `key_timeout_s = 30`, func(c *Config) any { return c.Profiles["card"].KeyTimeout }, 30 * time.Second},
		{"[profile.card]", `key_warning_s = 1`, func(c *Config) any { return c.Profiles["card"].KeyWarning }, time.Second},
		{"[profile.card]", `overall_timeout_s = 30`, func(c *Config) any { return c.Profiles["card"].OverallTimeout }, 30 * time.Second},
		{"[profile.card]", `quiet_end_ms = 1000`, func(c *Config) any { return c.Profiles["card"].QuietEnd }, time.Second},
		{"[profile.card]", `refusal_quiet_ms = 500`, func(c *Config) any { return c.Profiles["card"].RefusalQuiet }, 500 * time.Millisecond},
		{"[profile.card]", `restart_ms = 2000`, func(c *Config) any { return c.Profiles["card"].Restart }, 2 * time.Second},
		{"[profile.card]", `same_key_guard_ms = "auto"`, func(c *Config) any { return c.Profiles["card"].SameKeyGuard }, time.Duration(0)},
		{"[profile.card]", `same_key_guard_ms = 40`, func(c *Config) any { return c.Profiles["card"].SameKeyGuard }, 40 * time.Millisecond},
		{"[profile.card]", `test_cvv_length = 12`, func(c *Config) any { return c.Profiles["card"].TestCVVLength }, 12},
	} {
		c, err := Parse("/x/f.toml", []byte(with(test.table, test.entry)))
		if err != nil {
			t.Errorf("%s: %v", test.entry, err)
			continue
		}
		if got := test.got(c); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: got %v, want %v", test.entry, got, test.want)
		}
	}
}

func TestWhereMetricsAreAsked(t *testing.T) {
	for listen, want := range map[string]string{
		"unix:/run/m.sock": "unix /run/m.sock", "127.0.0.1:9469": "tcp 127.0.0.1:9469", "[::1]:1": "tcp [::1]:1", "localhost:80": "tcp localhost:80", "127.1.2.3:65535": "tcp 127.1.2.3:65535",
		":9469": "is not this machine's loopback", "0.0.0.0:9469": "is not this machine's loopback", "[::]:9469": "is not this machine's loopback",
		"10.0.0.1:9469": "is not this machine's loopback", "box.example:9469": "is not this machine's loopback", "[::1%lo]:9469": "is not this machine's loopback",
		"": "is neither", "127.0.0.1": "is neither", "127.0.0.1:": "is neither", "127.0.0.1:0": "is neither", "127.0.0.1:65536": "is neither", "/run/m.sock": "is neither",
		"unix:m.sock": "is a socket without a whole path", "unix:": "is a socket without a whole path", "unix:/" + strings.Repeat("m", 107): "is a path of 108 bytes",
		"unix:/run/flattone/admin.sock": "is a socket of flattoned's already", "unix:/run/flattone/../flattone/line.sock": "is a socket of flattoned's already",
	} {
		c, err := Parse("/x/f.toml", []byte(with("", fmt.Sprintf("metrics.listen = %q", listen))))
		if err == nil {
			network, address := c.Metrics.Address()
			if got := network + " " + address; got != want {
				t.Errorf("%q is listened at as %s, want %s", listen, got, want)
			}
		} else if strings.HasPrefix(want, "tcp ") || strings.HasPrefix(want, "unix ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", listen, err, want)
		}
	}
}

func TestWhoIsToldBySyslog(t *testing.T) {
	for _, wrong := range []string{`address = ""`, `address = "siem"`, `address = ":6514"`, `address = "siem:"`, `address = "siem:0"`, `ca_file = "ca.pem"`} {
		if _, err := Parse("/x/f.toml", []byte(with("", "syslog = { "+wrong+" }"))); err == nil || !strings.Contains(err.Error(), "syslog.address") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

// A line of sound devices stands where the recordings did.
func TestSound(t *testing.T) {
	before, _, _ := strings.Cut(small, "[line.wav]")
	for entries, want := range map[string]Sound{
		`caller = "a"` + "\n" + `agent = "b"`: {Caller: "a", Agent: "b", CallerChannel: 1, AgentChannel: 1},
		`caller = "a"` + "\n" + `agent = "a"` + "\nagent_channel = 2\ncaller_channel = 3\nperiod_frames = 64": {Caller: "a", Agent: "a", CallerChannel: 3, AgentChannel: 2, PeriodFrames: 64},
		`caller = "a"` + "\n" + `agent = "b"` + "\ngain_to_agent_db = 6\ngain_to_caller_db = -4.5":            {Caller: "a", Agent: "b", CallerChannel: 1, AgentChannel: 1, GainToAgentDB: 6, GainToCallerDB: -4.5},
	} {
		c, err := Parse("/x/f.toml", []byte(before+"[line.sound]\n"+entries+"\n"))
		if err != nil {
			t.Error(err)
		} else if got := c.Lines[0].Sound; got == nil || *got != want {
			t.Errorf("%s: got %+v, want %+v", entries, got, want)
		}
	}
}

// What tells of calls stands below the devices.
func TestCalls(t *testing.T) {
	before, _, _ := strings.Cut(small, "[line.wav]")
	before += "[line.sound]\ncaller = \"a\"\nagent = \"b\"\n"
	for entries, want := range map[string]struct {
		Calls
		trusted bool
	}{
		"":                               {Calls{SourceAudio, "", "", Hook, false, 15 * time.Second}, false},
		"[line.calls]\nsilence_s = 0":    {Calls{SourceAudio, "", "", Hook, false, 0}, false},
		"[line.calls]\nsource = \"api\"": {Calls{SourceAPI, "", "", Hook, false, 15 * time.Second}, true},
		"[line.calls]\nsource = \"hid\"\ndevice = \"usb-1/input3\"\ninverted = true":             {Calls{SourceHID, "usb-1/input3", "", Hook, true, 15 * time.Second}, true},
		"[line.calls]\nsource = \"gpio\"\ndevice = \"/dev/gpiochip0\"\ninput = \"17\"":           {Calls{SourceGPIO, "/dev/gpiochip0", "17", Hook, false, 15 * time.Second}, true},
		"[line.calls]\nsource = \"serial\"\ndevice = \"/d\"\ninput = \"ri\"\ncontact = \"ring\"": {Calls{SourceSerial, "/d", "ri", Ring, false, 15 * time.Second}, false},
	} {
		c, err := Parse("/x/f.toml", []byte(before+entries+"\n"))
		if err != nil {
			t.Error(err)
			continue
		}
		l := c.Lines[0]
		if l.Calls != want.Calls || l.Calls.Trusted() != want.trusted {
			t.Errorf("%s: got %+v, trusted %v", entries, l.Calls, l.Calls.Trusted())
		}
		if warned := len(l.Consequences()) > 0; warned == want.trusted {
			t.Errorf("%s: the owner is warned: %v", entries, warned)
		}
	}
}

// with is the small file with one more entry in a table, "" for the top.
func with(table, entry string) string {
	if table == "" {
		table = "version = 1"
	}
	return strings.Replace(small, table+"\n", table+"\n"+entry+"\n", 1)
}

// TestBadFiles holds the whole text of what is said about each bad file. Read the golden files as an
// administrator would: they are the product's words.
func TestBadFiles(t *testing.T) {
	golden(t, "testdata/bad/*.toml", "flattone.toml", func(name string, doc []byte) error {
		_, err := Parse(name, doc)
		return err
	})
}

// golden parses files, under a name, and compares what is said of each.
func golden(t *testing.T, pattern, name string, parse func(name string, doc []byte) error) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			doc, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			err = parse(name, doc)
			if !errors.Is(err, ErrInvalid) || errors.Is(err, ErrAbsent) {
				t.Fatalf("got %v, want faults", err)
			}
			got, golden := err.Error()+"\n", strings.TrimSuffix(file, ".toml")+".txt"
			for _, hidden := range []string{"MfKQ", "hunter2"} {
				if strings.Contains(got, hidden) {
					t.Errorf("a secret in the wrong place is repeated")
				}
			}
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestFaultsCanBeTakenApart(t *testing.T) {
	_, err := Parse("f.toml", []byte(with("[[line]]", "lookahead_ms = 5")))
	fault, ok := errors.AsType[Fault](err)
	want := Fault{File: "f.toml", Line: 9, Key: "line[0].lookahead_ms", Value: "5",
		Reason: "is out of range", Remedy: "write a whole number from 10 to 100"}
	if !ok || fault != want {
		t.Errorf("got %#v, want %#v", fault, want)
	}
}

func TestLoadTellsAbsentFromInvalid(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "flattone.toml")
	if _, err := Load(path); !errors.Is(err, ErrAbsent) || errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), path) {
		t.Errorf("absent: %v", err)
	}
	if _, err := Load(dir); !errors.Is(err, ErrInvalid) {
		t.Errorf("a folder: %v", err)
	}
	if err := os.WriteFile(path, bytes.Repeat([]byte("#\n"), maxSize), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrInvalid) {
		t.Errorf("too large: %v", err)
	}
	if err := os.WriteFile(path, []byte("version = 3"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); !errors.Is(err, ErrInvalid) || errors.Is(err, ErrAbsent) {
		t.Errorf("invalid: %v", err)
	}
	if err := os.WriteFile(path, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "vault.key"); c.Vault.KeyFile != want {
		t.Errorf("key_file is %s, want %s", c.Vault.KeyFile, want)
	}
	if _, ok := c.Line("one"); !ok {
		t.Error("line one is not found")
	}
	if _, ok := c.Line("two"); ok {
		t.Error("line two is found")
	}
}

func TestExampleFilesLoad(t *testing.T) {
	files, err := filepath.Glob("../../configs/*.toml")
	if err != nil || len(files) < 2 {
		t.Fatalf("found %v: %v", files, err)
	}
	for _, file := range files {
		_, err := Load(file)
		if filepath.Base(file) == "desk.toml" {
			_, err = LoadDesk(file)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// TestExampleNamesEveryKey keeps the example complete: it is the manual.
func TestExampleNamesEveryKey(t *testing.T) {
	doc, err := os.ReadFile("../../configs/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{known: map[string][]string{}}
	c, l, p := defaults()
	root := &table{r: r, used: map[string]bool{}, values: map[string]any{
		"line":    []any{map[string]any{"wav": map[string]any{}}, map[string]any{"sound": map[string]any{}, "caller_modem": map[string]any{}, "agent_modem": map[string]any{}}},
		"profile": map[string]any{"any": map[string]any{}},
		"gateway": map[string]any{"a": map[string]any{"kind": "stripe"}, "b": map[string]any{"kind": "iso8583"}, "c": map[string]any{"kind": "template"}},
		"vault":   map[string]any{"tpm": map[string]any{}, "hsm": map[string]any{}},
	}}
	root.config(&c, l, p)
	keys := 0
	for _, known := range r.known {
		for _, key := range known {
			keys++
			if !bytes.Contains(doc, []byte(key)) && key != "test_cvv_length" {
				t.Errorf("configs/example.toml doesn't explain %s", key)
			}
		}
	}
	if keys < 40 {
		t.Errorf("only %d keys looked for", keys)
	}
}

package qemu

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// ann is who commands the box: a member of flattone-admin.
const ann = "ann"

// settings are those of a box with two lines. On one caller and agent are on two channels of a sound card, with a relay past the box at an adapter's RTS; on the other the
// caller is at a voice modem. A caller here is a recording, and starts when he does: nobody hurries him.
const settings = `version = 1
[vault]
credential = "vault-key"
[upstream.webhook]
url = "http://127.0.0.1:8377/"
secret_file = "/run/credentials/flattoned.service/webhook-secret"
first_retry_ms = 100
max_retry_s = 1
[profile.card]
key_timeout_s = 120
[[line]]
name = "cards"
place = "trunk-side"
profile = "card"
[line.sound]
caller = "trunk"
agent = "trunk"
agent_channel = 2
period_frames = 80
[line.relay]
device = "/dev/ttyUSB0"
output = "rts"
[[line]]
name = "modem"
place = "trunk-side"
profile = "card"
[line.caller_modem]
profile = "v253"
port = "/dev/ttyS1"
[line.sound]
agent = "headset"
period_frames = 80
`

// install does what an owner does: installs the package, names the cards, has the configuration applied. What tuning measures needs two telephones and somebody
// at each; its report is taken for granted.
func (m *machine) install() {
	m.t.Helper()
	m.put("/root/flattone.deb", read(m.t, rig+"/flattone.deb"), "0644")
	began := time.Now()
	m.run("apt-get", "install", "--quiet", "--yes", "/root/flattone.deb")
	m.serves()
	m.t.Logf("measured: installed and serving in %v", time.Since(began).Round(time.Second))
	m.run("useradd", "--groups", "flattone-admin", ann)
	m.run("install", "--mode=0755", "/share/receiver", "/usr/local/bin/receiver")
	m.put("/etc/systemd/system/receiver.service", []byte(`[Service]
ExecStart=/usr/local/bin/receiver 127.0.0.1:8377 /etc/flattone/webhook.secret /share/tokens
[Install]
WantedBy=multi-user.target
`), "0644")
	m.run("systemctl", "enable", "--now", "receiver")
	m.put("/root/flattone.toml", []byte(settings), "0644")
	m.runAs(console, "flattone", "apply", "--yes", "/root/flattone.toml")
	for i, name := range []string{"trunk", "headset"} {
		m.run("flattone", "devices", "adopt", name, "platform-snd_aloop."+strconv.Itoa(i))
	}
	for _, line := range []string{"cards", "modem"} {
		m.accept(line)
		m.run("systemctl", "restart", unit(line))
	}
}

// accept puts a report of a tuning where flattoned looks for it.
func (m *machine) accept(line string) {
	m.t.Helper()
	dir := m.t.TempDir()
	for _, name := range []string{"flattone.toml", "devices.toml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(m.run("cat", "/etc/flattone/"+name)), 0o600); err != nil {
			m.t.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "flattone.toml"))
	if err != nil {
		m.t.Fatal(err)
	}
	adopted, err := cfg.Devices()
	if err != nil {
		m.t.Fatal(err)
	}
	l, _ := cfg.Line(line)
	fingerprint, _ := l.Fingerprint(adopted)
	acceptancetest.Place(m.t, dir, line, fingerprint)
	report := read(m.t, filepath.Join(dir, "acceptance", line+".json"))
	m.put("/root/report", report, "0600")
	m.run("install", "-D", "--mode=0600", "--owner=flattone", "--group=flattone", "/root/report", "/var/lib/flattone/acceptance/"+line+".json")
}

// serves waits until flattoned answers, and looks for units that failed.
func (m *machine) serves() {
	m.t.Helper()
	soon(m.t, "flattoned serves", func() bool { _, code := m.try("root", "flattone", "lines"); return code == 0 })
	if failed := m.run("systemctl", "list-units", "--failed", "--plain", "--no-legend"); failed != "" {
		m.t.Errorf("units failed:\n%s", failed)
	}
}

// line is how a line is, down if flattoned doesn't answer.
func (m *machine) line(name string) control.Line {
	m.t.Helper()
	out, code := m.try(ann, "flattone", "lines", "--json")
	var lines []control.Line
	if code == 0 && json.Unmarshal([]byte(out), &lines) != nil {
		m.t.Fatalf("flattone lines: %s", out)
	}
	i := slices.IndexFunc(lines, func(l control.Line) bool { return l.Name == name })
	if i < 0 {
		return control.Line{Name: name}
	}
	return lines[i]
}

// status is how the box is, as `flattone status` says.
func (m *machine) status() (status control.Status) {
	m.t.Helper()
	out, _ := m.try(ann, "flattone", "status", "--json")
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&status); err != nil { // and behind it, in words, that not all is well
		m.t.Fatalf("flattone status: %v\n%s", err, out)
	}
	return status
}

// tokens are those that the receiver has verified, by line.
func (m *machine) tokens() map[string]string {
	m.t.Helper()
	tokens := map[string]string{}
	got, err := os.ReadFile(filepath.Join(m.share(), "tokens"))
	if err != nil && !os.IsNotExist(err) {
		m.t.Fatal(err)
	}
	for l := range bytes.Lines(got) {
		var one struct {
			Event struct {
				Data struct{ Line, Token string }
			}
		}
		if err := json.Unmarshal(l, &one); err != nil {
			m.t.Fatal(err)
		}
		tokens[one.Event.Data.Line] = one.Event.Data.Token
	}
	return tokens
}

// unit is a line's.
func unit(line string) string { return "flattone-line@" + line + ".service" }

// pid is that of a unit's process.
func (m *machine) pid(unit string) string { m.t.Helper(); return m.property(unit, "MainPID") }

// moment is when something happened to a unit, since the machine booted.
func (m *machine) moment(unit, what string) time.Duration {
	m.t.Helper()
	us, err := strconv.ParseInt(strings.TrimSpace(m.property(unit, what+"TimestampMonotonic")), 10, 64)
	if err != nil {
		m.t.Fatal(err)
	}
	return time.Duration(us) * time.Microsecond
}

// TestBox is all of it, in one machine.
func TestBox(t *testing.T) {
	m := newMachine(t)
	if err := os.WriteFile(filepath.Join(m.share(), "receiver"), read(t, rig+"/receiver"), 0o755); err != nil {
		t.Fatal(err)
	}
	m.install()
	on := func(name string, test func(*machine)) {
		t.Run(name, func(t *testing.T) {
			was := m.t
			m.t = t
			defer func() { m.t = was }()
			test(m)
		})
	}
	on("sound", sound)
	on("relay", relay)
	on("probe", probe)
	on("modem", voiceModem)
	on("real-time", realTime)
	on("tpm", tpm)
}

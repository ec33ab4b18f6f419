package qemu

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/e2e/shell"
)

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
	m.T.Helper()
	m.put("/root/flattone.deb", shell.Read(m.T, rig+"/flattone.deb"), "0644")
	began := time.Now()
	m.Run("apt-get", "install", "--quiet", "--yes", "/root/flattone.deb")
	m.Serves()
	m.T.Logf("measured: installed and serving in %v", time.Since(began).Round(time.Second))
	m.Run("useradd", "--groups", "flattone-admin", shell.Ann)
	m.Run("install", "--mode=0755", "/share/receiver", "/usr/local/bin/receiver")
	m.put("/etc/systemd/system/receiver.service", []byte(`[Service]
ExecStart=/usr/local/bin/receiver 127.0.0.1:8377 /etc/flattone/webhook.secret /share/tokens
[Install]
WantedBy=multi-user.target
`), "0644")
	m.Run("systemctl", "enable", "--now", "receiver")
	m.put("/root/flattone.toml", []byte(settings), "0644")
	m.RunAs(shell.Console, "flattone", "apply", "--yes", "/root/flattone.toml")
	for i, name := range []string{"trunk", "headset"} {
		m.Run("flattone", "devices", "adopt", name, "platform-snd_aloop."+strconv.Itoa(i))
	}
	for _, line := range []string{"cards", "modem"} {
		m.accept(line)
		m.Run("systemctl", "restart", shell.Unit(line))
	}
}

// accept puts a report of a tuning where flattoned looks for it.
func (m *machine) accept(line string) {
	m.T.Helper()
	dir := m.T.TempDir()
	for _, name := range []string{"flattone.toml", "devices.toml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(m.Run("cat", "/etc/flattone/"+name)), 0o600); err != nil {
			m.T.Fatal(err)
		}
	}
	cfg, err := config.Load(filepath.Join(dir, "flattone.toml"))
	if err != nil {
		m.T.Fatal(err)
	}
	adopted, err := cfg.Devices()
	if err != nil {
		m.T.Fatal(err)
	}
	l, _ := cfg.Line(line)
	fingerprint, _ := l.Fingerprint(adopted)
	acceptancetest.Place(m.T, dir, line, fingerprint)
	report := shell.Read(m.T, filepath.Join(dir, "acceptance", line+".json"))
	m.put("/root/report", report, "0600")
	m.Run("install", "-D", "--mode=0600", "--owner=flattone", "--group=flattone", "/root/report", "/var/lib/flattone/acceptance/"+line+".json")
}

// status is how the box is, as `flattone status` says.
func (m *machine) status() (status control.Status) {
	m.T.Helper()
	out, _ := m.Try(shell.Ann, "flattone", "status", "--json")
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&status); err != nil { // and behind it, in words, that not all is well
		m.T.Fatalf("flattone status: %v\n%s", err, out)
	}
	return status
}

// tokens are those that the receiver has verified, by line.
func (m *machine) tokens() map[string][]string {
	m.T.Helper()
	got, err := os.ReadFile(filepath.Join(m.share(), "tokens"))
	if err != nil && !os.IsNotExist(err) {
		m.T.Fatal(err)
	}
	return shell.Tokens(m.T, got)
}

// TestBox is all of it, in one machine.
func TestBox(t *testing.T) {
	m := newMachine(t)
	if err := os.WriteFile(filepath.Join(m.share(), "receiver"), shell.Read(t, rig+"/receiver"), 0o755); err != nil {
		t.Fatal(err)
	}
	m.install()
	on := func(name string, test func(*machine)) {
		t.Run(name, func(t *testing.T) {
			was := m.T
			m.T = t
			defer func() { m.T = was }()
			test(m)
		})
	}
	on("sound", sound)
	on("relay", relay)
	on("probe", probe)
	on("modem", voiceModem)
	on("real-time", realTime)
	on("tpm", tpm)
	on("direct", tpmDirect)
}

package box

import (
	"regexp"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/desk/desktest"
	"github.com/flattone/flattone/e2e/shell"
)

const deskUnit = "flattone-desk.service"

// TestDesk: the desk starts once there is a configuration of its, in its sandbox, answers at its port, and is flattoned's client; a technician pairs an agent. It isn't
// started by who installs a box without one, and a faulty configuration is told by its unit.
func TestDesk(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 4})
	if state, enabled := b.Property(deskUnit, "ActiveState"), b.Property(deskUnit, "UnitFileState"); state != "inactive" || enabled != "enabled" {
		t.Errorf("without a configuration the desk is %s and %s", state, enabled)
	}
	chain, key := desktest.Certificate(t, "desk.example.com")
	b.put("/etc/flattone/desk.pem", chain, "0644")
	b.put("/etc/flattone/desk.key", key, "0600")
	b.put("/etc/flattone/desk.toml", []byte("version = 1\norigin = \"https://desk.example.com:8443\"\ncert_file = \"desk.pem\"\nkey_file = \"desk.key\"\n"), "0644")
	if out, code := b.try("root", "flattone", "check", "--desk", "/etc/flattone/desk.toml"); code == 0 || !strings.Contains(out, "desk.key") {
		t.Errorf("a key that is root's alone is good for the desk: %d %s", code, out)
	}
	b.Run("chown", "flattone-desk:flattone-desk", "/etc/flattone/desk.key")
	b.Run("flattone", "check", "--desk", "/etc/flattone/desk.toml")
	b.Run("systemctl", "start", deskUnit) // it waits until the desk has said that it is ready
	b.Run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8443")
	if out := b.RunAs(shell.Ann, "flattone", "desk", "pair", "anna"); !regexp.MustCompile(`(?m)^[0-9A-Z]{4}-[0-9A-Z]{4}$`).MatchString(out) {
		t.Errorf("a code: %q", out)
	}
	if told := b.Journal("--unit="+deskUnit, "--priority=warning", "--output=cat"); told != "" {
		t.Errorf("the desk isn't content: %s", told)
	}
	if state, n := b.Property(deskUnit, "ActiveState"), b.Property(deskUnit, "NRestarts"); state != "active" || n != "0" {
		t.Errorf("the desk is %s, after %s starts:\n%s", state, n, b.Journal("--unit="+deskUnit, "--output=cat"))
	}
	if status := b.Run("cat", "/proc/"+b.PID(deskUnit)+"/status"); !strings.Contains(status, "CapEff:\t0000000000000000") {
		t.Errorf("the desk may: %s", status)
	}
	b.Run("systemctl", "stop", "flattone.target")
	if state := b.Property(deskUnit, "ActiveState"); state != "inactive" {
		t.Errorf("the target is stopped, and the desk is %s", state)
	}
}

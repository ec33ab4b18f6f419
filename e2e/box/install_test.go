package box

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/e2e/shell"
)

// TestInstalled: apt installs the package without a network, and what it installed serves, to those who may command it and to nobody else;
// so it does after the next boot.
func TestInstalled(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.apt(pkg)
	m.Serves()
	m.Run("useradd", "--groups", "flattone-admin", shell.Ann)
	m.waitsForDevices()
	m.RunAs(shell.Ann, "busctl", "introspect", "org.flattone.Appliance1", "/org/flattone/Appliance1")
	if out, code := m.Try("nobody", "flattone", "status"); code != exitDenied {
		t.Errorf("flattone status by somebody who may not command the box ended with %d, not %d:\n%s", code, exitDenied, out)
	}
	m.Run("systemctl", "stop", "flattoned.service")
	m.RunAs(shell.Ann, "flattone", "lines") // which has systemd start it
	m.RunAs(shell.Ann, "flattone", "devices")
	for _, verb := range []string{"mask", "judge"} {
		if out, code := m.Try("root", "flattone", verb); code != exitUsage {
			t.Errorf("the package has a verb of the lab: flattone %s ended with %d\n%s", verb, code, out)
		}
	}
	m.off()
	booted := time.Now()
	m.on()
	m.Serves()
	serving := time.Since(booted)
	m.waitsForDevices()
	m.owned()
	m.ruled()
	t.Logf("measured: after a boot flattoned serves %v after its machine's power came, and %v after its own start", serving.Round(time.Millisecond),
		m.Moment("flattoned.service", "ActiveEnter")-m.Moment("flattoned.service", "ExecMainStart"))
}

// Exit codes of flattone: see its manual page.
const (
	exitFailed    = 1
	exitUsage     = 2
	exitDenied    = 4
	exitUnhealthy = 9
)

// waitsForDevices checks that nothing else is wrong with the box than what the first configuration says: its devices have no names yet. A container's
// clock is the machine's.
func (m *machine) waitsForDevices() {
	m.T.Helper()
	var status control.Status
	soon(m.T, "flattone status tells of the missing devices", func() bool {
		out, code := m.Try(shell.Ann, "flattone", "status", "--json")
		if code != exitUnhealthy {
			return false
		}
		if err := json.NewDecoder(strings.NewReader(out)).Decode(&status); err != nil {
			m.T.Fatalf("%v:\n%s", err, out)
		}
		return true
	})
	for _, c := range status.Conditions {
		if c.Code != "device_absent" && c.Code != health.ClockUnsynced {
			m.T.Errorf("just installed, the box says: %s: %s (%s)", c.Code, c.Words, c.Detail)
		}
	}
}

// TestCardArrives: a caller keys his card on a line of the installed box, and its token is delivered. What the processes take of memory is
// told; neither the journal nor a file of theirs has the number.
func TestCardArrives(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 4}, line{"b", "amex-corrected", 4})
	b.RunAs(shell.Ann, "flattone", "watch", "a", "--arm", "--until", "delivered", "--timeout", patience.String())
	b.arrives("a")
	for unit, goal := range map[string]int{"flattoned.service": 40, shell.Unit("a"): 25} {
		m := strings.Fields(b.Run("grep", "-E", "^(VmRSS|RssAnon):", "/proc/"+b.PID(unit)+"/status"))
		t.Logf("measured: memory of %s: %s", unit, strings.Join(m, " "))
		if kB, err := strconv.Atoi(m[1]); err != nil || kB > goal<<10 {
			t.Errorf("%s takes %s kB, and %d MiB is the goal: %v", unit, m[1], goal, err)
		}
	}
	pan := keyed(t, "visa")
	digits := strings.Join(strings.Split(pan, ""), "[ -]?")
	if out, code := b.Try("root", "grep", "-rlE", digits, "/var/lib/flattone", "/var/lib/flattone-line", "/run/flattone", "/etc", "/tmp"); code != 1 {
		t.Errorf("the number, or no search for it (%d): %s", code, out)
	}
	b.silentOn(pan)
	b.Run("flattone", "support-bundle", "/root/bundle.tar.gz")
	b.Run("tar", "--extract", "--one-top-level=/root/bundle", "--file=/root/bundle.tar.gz")
	if out, code := b.Try("root", "grep", "-rlE", digits, "/root/bundle"); code != 1 {
		t.Errorf("the number is in what a supporter sees, or no search for it (%d): %s", code, out)
	}
}

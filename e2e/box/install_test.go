package box

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// TestInstalled: apt installs the package without a network, and what it installed serves, to those who may command it and to nobody else;
// so it does after the next boot.
func TestInstalled(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.apt(pkg)
	m.serves()
	m.run("useradd", "--groups", "flattone-admin", ann)
	m.waitsForDevices()
	m.runAs(ann, "busctl", "introspect", "org.flattone.Appliance1", "/org/flattone/Appliance1")
	if out, code := m.try("nobody", "flattone", "status"); code != exitDenied {
		t.Errorf("flattone status by somebody who may not command the box ended with %d, not %d:\n%s", code, exitDenied, out)
	}
	m.run("systemctl", "stop", "flattoned.service")
	m.runAs(ann, "flattone", "lines") // which has systemd start it
	m.runAs(ann, "flattone", "devices")
	for _, verb := range []string{"mask", "judge"} {
		if out, code := m.try("root", "flattone", verb); code != exitUsage {
			t.Errorf("the package has a verb of the lab: flattone %s ended with %d\n%s", verb, code, out)
		}
	}
	m.off()
	booted := time.Now()
	m.on()
	m.serves()
	serving := time.Since(booted)
	m.waitsForDevices()
	m.owned()
	m.ruled()
	t.Logf("measured: after a boot flattoned serves %v after its machine's power came, and %v after its own start", serving.Round(time.Millisecond),
		m.moment("flattoned.service", "ActiveEnter")-m.moment("flattoned.service", "ExecMainStart"))
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
	m.t.Helper()
	var status control.Status
	soon(m.t, "flattone status tells of the missing devices", func() bool {
		out, code := m.try(ann, "flattone", "status", "--json")
		if code != exitUnhealthy {
			return false
		}
		if err := json.NewDecoder(strings.NewReader(out)).Decode(&status); err != nil {
			m.t.Fatalf("%v:\n%s", err, out)
		}
		return true
	})
	for _, c := range status.Conditions {
		if c.Code != "device_absent" && c.Code != health.ClockUnsynced {
			m.t.Errorf("just installed, the box says: %s: %s (%s)", c.Code, c.Words, c.Detail)
		}
	}
}

// serves waits until flattoned answers, and looks for units that failed.
func (m *machine) serves() {
	m.t.Helper()
	soon(m.t, "flattoned serves", func() bool { _, code := m.try("root", "flattone", "lines"); return code == 0 })
	if failed := m.run("systemctl", "list-units", "--failed", "--plain", "--no-legend"); failed != "" {
		m.t.Errorf("units failed:\n%s", failed)
	}
}

// moment is when something happened to a unit, since the machine booted.
func (m *machine) moment(unit, what string) time.Duration {
	m.t.Helper()
	us, err := strconv.ParseInt(m.property(unit, what+"TimestampMonotonic"), 10, 64)
	if err != nil {
		m.t.Fatal(err)
	}
	return time.Duration(us) * time.Microsecond
}

// TestCardArrives: a caller keys his card on a line of the installed box, and its token is delivered. What the processes take of memory is
// told; neither the journal nor a file of theirs has the number.
func TestCardArrives(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 4}, line{"b", "amex-corrected", 4})
	b.runAs(ann, "flattone", "watch", "a", "--arm", "--until", "delivered", "--timeout", patience.String())
	b.arrives("a")
	for unit, goal := range map[string]int{"flattoned.service": 40, unit("a"): 25} {
		m := strings.Fields(b.run("grep", "-E", "^(VmRSS|RssAnon):", "/proc/"+b.pidOf(unit)+"/status"))
		t.Logf("measured: memory of %s: %s", unit, strings.Join(m, " "))
		if kB, err := strconv.Atoi(m[1]); err != nil || kB > goal<<10 {
			t.Errorf("%s takes %s kB, and %d MiB is the goal: %v", unit, m[1], goal, err)
		}
	}
	pan := keyed(t, "visa")
	digits := strings.Join(strings.Split(pan, ""), "[ -]?")
	if out, code := b.try("root", "grep", "-rlE", digits, "/var/lib/flattone", "/var/lib/flattone-line", "/run/flattone", "/etc", "/tmp"); code != 1 {
		t.Errorf("the number, or no search for it (%d): %s", code, out)
	}
	b.silentOn(pan)
	b.run("flattone", "support-bundle", "/root/bundle.tar.gz")
	b.run("tar", "--extract", "--one-top-level=/root/bundle", "--file=/root/bundle.tar.gz")
	if out, code := b.try("root", "grep", "-rlE", digits, "/root/bundle"); code != 1 {
		t.Errorf("the number is in what a supporter sees, or no search for it (%d): %s", code, out)
	}
}

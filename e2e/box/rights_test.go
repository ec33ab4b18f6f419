package box

import (
	"regexp"
	"strconv"
	"testing"
)

// denied is how systemd says that polkit, or the bus, lets nobody do that.
var denied = regexp.MustCompile(`Access denied|[Aa]uthentication required|Permission denied`)

// TestPolkit: the daemon's user may have lines started, stopped and restarted, and nothing else be done; others may not even do that.
func TestPolkit(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	manager := func(call string, args ...string) []string {
		return append([]string{"busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", call}, args...)
	}
	for _, verb := range []string{"RestartUnit", "StopUnit", "StartUnit"} {
		b.runAs("flattone", manager(verb, "ss", unit("a"), "replace")...)
	}
	no := func(user string, call []string) {
		t.Helper()
		if out, code := b.try(user, call...); code == 0 || !denied.MatchString(out) {
			t.Errorf("%v by %s ended with %d: %s", call[5:], user, code, out)
		}
	}
	for _, call := range [][]string{
		manager("RestartUnit", "ss", "systemd-journald.service", "replace"),
		manager("RestartUnit", "ss", "systemd-timesyncd.service", "replace"),
		manager("StopUnit", "ss", "flattoned.socket", "replace"),
		manager("StartUnit", "ss", "flattone-line@a.socket", "replace"),
		manager("KillUnit", "ssi", unit("a"), "main", "9"),
		manager("SetUnitProperties", "sba(sv)", unit("a"), "true", "1", "Description", "s", "another"),
		manager("EnableUnitFiles", "asbb", "1", unit("a"), "false", "true"),
		manager("Reload"),
	} {
		no("flattone", call)
	}
	for _, user := range []string{"flattone-line", "flattone-desk", ann} {
		no(user, manager("RestartUnit", "ss", unit("a"), "replace"))
	}
}

var exposure = regexp.MustCompile(`Overall exposure level for \S+ ([0-9.]+)`)

// TestExposure: systemd's own judgement of the units, as they run.
func TestExposure(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	for unit, bound := range map[string]float64{"flattoned.service": 1.3, unit("a"): 1.6} {
		out := b.run("systemd-analyze", "security", "--no-pager", unit)
		found := exposure.FindStringSubmatch(out)
		if found == nil {
			t.Fatalf("systemd-analyze said:\n%s", out)
		}
		got, _ := strconv.ParseFloat(found[1], 64)
		t.Logf("measured: exposure of %s: %.1f", unit, got)
		if got > bound {
			t.Errorf("%s has an exposure of %.1f, and %.1f is the bound:\n%s", unit, got, bound, out)
		}
	}
}

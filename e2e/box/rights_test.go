package box

import (
	"regexp"
	"strings"
	"testing"

	"github.com/flattone/flattone/e2e/shell"
)

// denied is how systemd, polkit, the bus and the kernel say that somebody may not do that.
var denied = regexp.MustCompile(`[Aa]ccess denied|[Aa]uthentication required|Permission denied|not allowed to own|rejected`)

// TestPolkit: the daemon's user may have lines started, stopped and restarted, and nothing else be done; others may not even do that.
func TestPolkit(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	manager := func(call string, args ...string) []string {
		return append([]string{"busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", call}, args...)
	}
	for _, verb := range []string{"RestartUnit", "StopUnit", "StartUnit"} {
		b.RunAs("flattone", manager(verb, "ss", shell.Unit("a"), "replace")...)
	}
	for _, call := range [][]string{
		manager("RestartUnit", "ss", "systemd-journald.service", "replace"),
		manager("RestartUnit", "ss", "systemd-timesyncd.service", "replace"),
		manager("StopUnit", "ss", "flattoned.socket", "replace"),
		manager("StartUnit", "ss", "flattone-line@a.socket", "replace"),
		manager("KillUnit", "ssi", shell.Unit("a"), "main", "9"),
		manager("SetUnitProperties", "sba(sv)", shell.Unit("a"), "true", "1", "Description", "s", "another"),
		manager("EnableUnitFiles", "asbb", "1", shell.Unit("a"), "false", "true"),
		manager("Reload"),
	} {
		b.denied("flattone", call...)
	}
	for _, user := range []string{"flattone-line", "flattone-desk", shell.Ann} {
		b.denied(user, manager("RestartUnit", "ss", shell.Unit("a"), "replace")...)
	}
}

// denied checks that somebody may not do something.
func (m *machine) denied(user string, argv ...string) {
	m.T.Helper()
	if out, code := m.Try(user, argv...); code == 0 || !denied.MatchString(out) {
		m.T.Errorf("%s by %s ended with %d: %s", strings.Join(argv, " "), user, code, out)
	}
}

// TestBus: whoever may command the box, and root, may look at it on the system bus; nobody else, and nobody but flattoned's user may pass for it.
func TestBus(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	look := []string{"busctl", "get-property", "org.flattone.Appliance1", "/org/flattone/Appliance1", "org.flattone.Appliance1", "State"}
	for _, user := range []string{"root", shell.Ann} {
		b.RunAs(user, look...)
	}
	pass := []string{"busctl", "call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName", "su", "org.flattone.Appliance1", "2"}
	for _, user := range []string{"nobody", "flattone-line", "flattone-desk"} {
		b.denied(user, look...)
		b.denied(user, pass...)
	}
	b.denied("root", pass...)
	b.denied(shell.Ann, pass...)
}

// TestProbe: flattoned's user may have devices looked for, which a process of the lines' user does for him; and nobody else.
func TestProbe(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	b.put("/srv/ask", []byte(`#!/usr/bin/perl
use IO::Socket::UNIX;
$s = IO::Socket::UNIX->new("/run/flattone/probe.sock") or die "$!\n";
print $s "{\"devices\":true}\n";
print <$s>;
`), "0755")
	if out := b.RunAs("flattone", "/srv/ask"); !strings.HasPrefix(out, "{") || strings.Contains(out, `"error"`) {
		t.Errorf("it answers %s", out)
	}
	for _, user := range []string{"nobody", "flattone-line", "flattone-desk", shell.Ann} {
		b.denied(user, "/srv/ask")
	}
}

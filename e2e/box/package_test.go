package box

import (
	"strings"
	"testing"
)

// TestUpgraded: a later package is installed while a caller keys on one line and another is idle. flattoned is the later one's; the lines'
// processes are what they were, the later flattoned speaks with them, and the card arrives.
func TestUpgraded(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1}, line{"b", "amex-corrected", 1})
	pids := map[string]string{"a": b.pidOf(unit("a")), "b": b.pidOf(unit("b"))}
	daemon := b.pidOf("flattoned.service")
	b.keying("a")
	b.apt(laterPkg)
	if out := b.run("dpkg-query", "--show", "flattone"); !strings.HasSuffix(out, "+later\n") {
		t.Errorf("the package is %s", out)
	}
	if b.pidOf("flattoned.service") == daemon {
		t.Error("flattoned is still the one before")
	}
	b.arrives("a")
	for name, was := range pids {
		b.same(name, was)
	}
	b.runAs(ann, "flattone", "watch", "b", "--arm", "--until", "delivered", "--timeout", patience.String())
}

// TestPurged: without the package the box is silent; its vault stays until somebody has said that it may go.
func TestPurged(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 8})
	b.runAs(ann, "flattone", "watch", "a", "--arm", "--until", "delivered", "--timeout", patience.String())
	b.run("apt-get", "purge", "--quiet", "--yes", "flattone")
	if left := b.run("systemctl", "list-units", "--plain", "--no-legend", "--state=active", "flattone*"); left != "" {
		t.Errorf("units still run:\n%s", left)
	}
	b.run("test", "-s", "/var/lib/flattone/flattone.db")
	b.run("test", "-s", "/etc/flattone/vault-key.cred")
	// The vault is what it was to whoever installs the package again,
	b.apt(pkg)
	b.serves()
	if out := b.run("flattone", "tokens"); !strings.Contains(out, b.delivered()["a"]) {
		t.Errorf("the vault that was kept has lost its token:\n%s", out)
	}
	// until it is given up.
	b.run("bash", "-c", "echo 'flattone flattone/delete_vault boolean true' | debconf-set-selections")
	b.run("apt-get", "purge", "--quiet", "--yes", "flattone")
	for _, gone := range []string{"/var/lib/flattone", "/var/lib/flattone-line", "/etc/flattone", "/run/flattone"} {
		if out, code := b.try("root", "ls", "-laR", gone); code == 0 {
			t.Errorf("%s is still there:\n%s", gone, out)
		}
	}
}

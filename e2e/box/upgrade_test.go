package box

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/e2e/shell"
)

// TestUpgraded: a later package, whose programs speak the next version of the wire, is installed while a caller keys on one line and another is idle; and then
// the one before again, while a caller keys on a line of the later one. Each time flattoned is the package's, lines are what they were, both speak the version
// that the older of them has, and the card arrives. Configuration and vault stay.
func TestUpgraded(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1}, line{"b", "amex-corrected", 1}, line{"before", "visa", 8})
	b.RunAs(shell.Ann, "flattone", "watch", "before", "--arm", "--until", "delivered", "--timeout", patience.String())
	settings := b.settled()
	b.under(laterPkg, "a", "b")
	if out := b.Run("dpkg-query", "--show", "flattone"); !strings.HasSuffix(out, "+later\n") {
		t.Errorf("the package is %s", out)
	}
	b.speaks("b", "1")
	b.Run("systemctl", "restart", shell.Unit("b"))
	b.speaks("b", "2")
	soon(t, "a call waits on line b", func() bool { return b.Line("b").InCall })
	b.under(pkg, "b", "a")
	b.arrives("before")
	if now := b.settled(); now != settings {
		t.Errorf("what was settled was\n%sand is\n%s", settings, now)
	}
}

// under installs a package under a caller who keys, and another line.
func (b *installed) under(file, keys, other string) {
	b.T.Helper()
	was, beside, daemon := b.PID(shell.Unit(keys)), b.PID(shell.Unit(other)), b.PID("flattoned.service")
	b.keying(keys)
	b.apt(file, "--allow-downgrades")
	if b.PID("flattoned.service") == daemon {
		b.T.Error("flattoned is still the one before")
	}
	b.arrives(keys)
	b.same(keys, was)
	b.same(other, beside)
	b.speaks(keys, "1")
}

// speaks checks which version of the wire a line and flattoned have agreed on at last.
func (b *installed) speaks(line, version string) {
	b.T.Helper()
	said := func() string {
		up := strings.Split(strings.TrimSpace(b.Journal("--unit=flattoned.service", "--output=cat", "--grep=^line is up line="+line+" ")), "\n")
		return up[len(up)-1]
	}
	soon(b.T, line+" speaks version "+version, func() bool { return b.Line(line).Up && strings.HasSuffix(said(), " wire="+version) })
}

// settled are the sums of all that somebody has settled.
func (b *installed) settled() string {
	b.T.Helper()
	return b.Run("bash", "-c", "sha256sum /etc/flattone/*.{toml,cred,secret}")
}

// TestDowngradeRefused: a version that doesn't know the vault's schema isn't installed and says why. It is tried while a caller keys, and nothing is
// touched by it.
func TestDowngradeRefused(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	stands := func() string {
		return b.Run("bash", "-c", "sha256sum /usr/bin/flattone* /etc/flattone/* /var/lib/flattone/schema; dpkg-query --show --showformat '${Version} ${Status}' flattone") +
			" flattoned " + b.PID("flattoned.service") + " line " + b.PID(shell.Unit("a"))
	}
	before := stands()
	b.keying("a")
	b.put("/root/flattone.deb", shell.Read(t, earlierPkg), "0644")
	out, code := b.Try("root", "apt-get", "install", "--quiet", "--yes", "--allow-downgrades", "/root/flattone.deb")
	if code == 0 || !strings.Contains(out, "this version knows 0: its cards could not be read") || !strings.Contains(out, "keep the newer version") {
		t.Errorf("it ended with %d, and says:\n%s", code, out)
	}
	if now := stands(); now != before {
		t.Errorf("what stood was\n%s\nand is\n%s", before, now)
	}
	b.arrives("a")
}

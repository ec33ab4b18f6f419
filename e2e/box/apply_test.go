package box

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/e2e/shell"
)

// TestApply: root has the box go over to another configuration. He is told what becomes of each line, and only the unit of the line that changes is started
// again; where flattoned reads something only once it is started again, and the lines' processes go on, with a caller who keys.
func TestApply(t *testing.T) {
	t.Parallel()
	lines := []line{{"stays", "visa", 1}, {"changes", "visa", 1}}
	b := install(t, lines...)
	stays, changes, flattoned := b.PID(shell.Unit("stays")), b.PID(shell.Unit("changes")), b.PID("flattoned.service")
	lines[1].pace = 2
	b.applies(settings(append(lines, line{"comes", "visa", 1})), "done: started again changes; begun comes; untouched stays")
	if b.PID(shell.Unit("stays")) != stays || b.PID("flattoned.service") != flattoned || b.PID(shell.Unit("changes")) == changes || !b.Line("comes").Up {
		t.Errorf("processes: stays %s, was %s; changes %s, was %s; comes %+v", b.PID(shell.Unit("stays")), stays, b.PID(shell.Unit("changes")), changes, b.Line("comes"))
	}
	b.keying("stays")
	b.applies(append(settings([]line{lines[0], {"comes", "visa", 1}}), "[metrics]\nlisten = \"unix:/run/flattone/metrics/metrics.sock\"\n"...),
		"flattoned is started again", "done: ended changes; untouched stays, comes")
	if b.PID("flattoned.service") == flattoned || b.PID(shell.Unit("stays")) != stays {
		t.Errorf("flattoned is %s, was %s; the line %s, was %s", b.PID("flattoned.service"), flattoned, b.PID(shell.Unit("stays")), stays)
	}
	soon(t, "the line that is gone has ended", func() bool { return b.PID(shell.Unit("changes")) == "0" })
	b.arrives("stays")
	if status := ask[control.Status](b, "status"); status.LinesTotal != 2 {
		t.Errorf("the status is %+v", status)
	}
}

// applies has root apply a configuration, and looks for words in what he is told.
func (b *installed) applies(content []byte, says ...string) {
	b.T.Helper()
	b.put("/root/new.toml", content, "0600")
	out := b.RunAs(shell.Console, "flattone", "apply", "/root/new.toml", "--yes")
	for _, want := range says {
		if !strings.Contains(out, want) {
			b.T.Errorf("%q is not in what it says:\n%s", want, out)
		}
	}
}

// TestApplyChangesNothing: a configuration with a fault, one with which flattoned doesn't start, and one that somebody else than root brings are refused with the
// reason. Files and processes stay as they are; only flattoned was away for the second.
func TestApplyChangesNothing(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	before, was, daemon := b.settled(), b.PID(shell.Unit("a")), b.PID("flattoned.service")
	good := string(settings([]line{{"a", "visa", 1}, {"another", "visa", 1}}))
	for _, test := range []struct {
		name, who, config, says string
		code                    int
		restarts                bool
	}{
		{"a fault", shell.Console, good + "colour = 3\n", "colour", exitFailed, false},
		{"somebody else's", shell.Ann, good, "ask as root", exitDenied, false},
		{"from afar", "root", good, "from afar this takes a second factor", exitDenied, false},
		{"flattoned can't listen", shell.Console, good + "[metrics]\nlisten = \"unix:/run/flattone/armed/metrics.sock\"\n", "the old configuration is back", exitFailed, true},
	} {
		b.put("/srv/new.toml", []byte(test.config), "0644")
		out, code := b.Try(test.who, "flattone", "apply", "/srv/new.toml", "--yes")
		if code != test.code || !strings.Contains(out, test.says) {
			t.Errorf("%s: it ended with %d, and says:\n%s", test.name, code, out)
		}
		b.same("a", was)
		if restarted := b.PID("flattoned.service") != daemon; restarted != test.restarts {
			t.Errorf("%s: flattoned was started again: %t", test.name, restarted)
		}
		if now := b.settled(); now != before || len(ask[[]control.Line](b, "lines")) != 1 {
			t.Errorf("%s: what was settled was\n%sand is\n%s", test.name, before, now)
		}
	}
	// Nor does flattoned write there, whatever it is told.
	if out, code := b.Try("flattone", "touch", "/etc/flattone/flattone.toml"); code == 0 {
		t.Errorf("flattoned's user may write the configuration: %s", out)
	}
}

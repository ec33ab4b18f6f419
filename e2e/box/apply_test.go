package box

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
)

// TestApply: root has the box go over to another configuration. He is told what becomes of each line, and only the unit of the line that changes is started
// again; where flattoned reads something only once it is started again, and the lines' processes go on, with a caller who keys.
func TestApply(t *testing.T) {
	t.Parallel()
	lines := []line{{"stays", "visa", 1}, {"changes", "visa", 1}}
	b := install(t, lines...)
	stays, changes, flattoned := b.pidOf(unit("stays")), b.pidOf(unit("changes")), b.pidOf("flattoned.service")
	lines[1].pace = 2
	b.applies(settings(append(lines, line{"comes", "visa", 1})), "done: started again changes; begun comes; untouched stays")
	if b.pidOf(unit("stays")) != stays || b.pidOf("flattoned.service") != flattoned || b.pidOf(unit("changes")) == changes || !b.line("comes").Up {
		t.Errorf("processes: stays %s, was %s; changes %s, was %s; comes %+v", b.pidOf(unit("stays")), stays, b.pidOf(unit("changes")), changes, b.line("comes"))
	}
	b.keying("stays")
	b.applies(append(settings([]line{lines[0], {"comes", "visa", 1}}), "[metrics]\nlisten = \"unix:/run/flattone/metrics/metrics.sock\"\n"...),
		"flattoned is started again", "done: ended changes; untouched stays, comes")
	if b.pidOf("flattoned.service") == flattoned || b.pidOf(unit("stays")) != stays {
		t.Errorf("flattoned is %s, was %s; the line %s, was %s", b.pidOf("flattoned.service"), flattoned, b.pidOf(unit("stays")), stays)
	}
	soon(t, "the line that is gone has ended", func() bool { return b.pidOf(unit("changes")) == "0" })
	b.arrives("stays")
	if status := ask[control.Status](b, "status"); status.LinesTotal != 2 {
		t.Errorf("the status is %+v", status)
	}
}

// applies has root apply a configuration, and looks for words in what he is told.
func (b *installed) applies(content []byte, says ...string) {
	b.t.Helper()
	b.put("/root/new.toml", content, "0600")
	out := b.runAs(console, "flattone", "apply", "/root/new.toml", "--yes")
	for _, want := range says {
		if !strings.Contains(out, want) {
			b.t.Errorf("%q is not in what it says:\n%s", want, out)
		}
	}
}

// TestApplyChangesNothing: a configuration with a fault, one with which flattoned doesn't start, and one that somebody else than root brings are refused with the
// reason. Files and processes stay as they are; only flattoned was away for the second.
func TestApplyChangesNothing(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	before, was, daemon := b.settled(), b.pidOf(unit("a")), b.pidOf("flattoned.service")
	good := string(settings([]line{{"a", "visa", 1}, {"another", "visa", 1}}))
	for _, test := range []struct {
		name, who, config, says string
		code                    int
		restarts                bool
	}{
		{"a fault", console, good + "colour = 3\n", "colour", exitFailed, false},
		{"somebody else's", ann, good, "permission denied", exitFailed, false},
		{"from afar", "root", good, "from afar this takes a second factor", exitDenied, false},
		{"flattoned can't listen", console, good + "[metrics]\nlisten = \"unix:/run/flattone/armed/metrics.sock\"\n", "the old configuration is back", exitFailed, true},
	} {
		b.put("/srv/new.toml", []byte(test.config), "0644")
		out, code := b.try(test.who, "flattone", "apply", "/srv/new.toml", "--yes")
		if code != test.code || !strings.Contains(out, test.says) {
			t.Errorf("%s: it ended with %d, and says:\n%s", test.name, code, out)
		}
		b.same("a", was)
		if restarted := b.pidOf("flattoned.service") != daemon; restarted != test.restarts {
			t.Errorf("%s: flattoned was started again: %t", test.name, restarted)
		}
		if now := b.settled(); now != before || len(ask[[]control.Line](b, "lines")) != 1 {
			t.Errorf("%s: what was settled was\n%sand is\n%s", test.name, before, now)
		}
	}
	// Nor does flattoned write there, whatever it is told.
	if out, code := b.try("flattone", "touch", "/etc/flattone/flattone.toml"); code == 0 {
		t.Errorf("flattoned's user may write the configuration: %s", out)
	}
}

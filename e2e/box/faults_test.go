package box

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/e2e/shell"
)

// TestFrozenDaemon: a flattoned that does nothing any more is killed by systemd's watchdog and started again; nothing of its memory is
// printed, and its line goes on.
func TestFrozenDaemon(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	b.keying("a")
	was := b.PID(shell.Unit("a"))
	b.freeze("flattoned.service")
	b.arrives("a")
	b.same("a", was)
	b.silentOn(keyed(t, "visa"))
}

// TestFrozenLine: the same of a line while its caller keys. It comes up held, since it was armed; the other line isn't touched.
func TestFrozenLine(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1}, line{"b", "amex-corrected", 1})
	other := b.PID(shell.Unit("b"))
	b.keying("a")
	b.freeze(shell.Unit("a"))
	soon(t, "the line is held", func() bool { l := b.Line("a"); return l.Up && l.State == control.StateHeld })
	b.same("b", other)
	b.RunAs(shell.Ann, "flattone", "watch", "b", "--arm", "--until", "delivered", "--timeout", patience.String())
	b.silentOn(keyed(t, "visa"))
}

// freeze stops a unit's process, and waits until systemd has put a new one in its place.
func (b *installed) freeze(unit string) {
	b.T.Helper()
	was := b.PID(unit)
	began := time.Now()
	b.Run("systemctl", "kill", "--signal=STOP", "--kill-whom=main", unit)
	soon(b.T, unit+" was started again", func() bool {
		return b.Property(unit, "NRestarts") == "1" && b.Property(unit, "ActiveState") == "active"
	})
	b.T.Logf("measured: %s was frozen, and a new one runs %v later", unit, time.Since(began).Round(10*time.Millisecond))
	if b.PID(unit) == was {
		b.T.Errorf("%s was started again, and is the same process", unit)
	}
	// Any other signal would leave the process a word to say.
	if told := b.Journal("--unit="+unit, "--output=cat"); !strings.Contains(told, "Watchdog timeout") || !strings.Contains(told, "("+program(unit)+") with signal SIGKILL") {
		b.T.Errorf("it was not the watchdog that killed %s:\n%s", unit, told)
	}
}

// program is what a unit runs.
func program(unit string) string {
	name, _, _ := strings.Cut(strings.TrimSuffix(unit, ".service"), "@")
	return name
}

// TestKilledDaemon: flattoned is killed while a caller keys. The line is not, the next flattoned finds it, and the card arrives.
func TestKilledDaemon(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	was := b.PID(shell.Unit("a"))
	b.keying("a")
	b.Run("systemctl", "kill", "--signal=KILL", "--kill-whom=main", "flattoned.service")
	b.arrives("a")
	b.same("a", was)
	if n := b.Property("flattoned.service", "NRestarts"); n != "1" {
		t.Errorf("flattoned was started again %s times", n)
	}
}

// TestKilledOften: however often they are killed, a line and flattoned are started again.
func TestKilledOften(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	// systemd gives up after five within ten seconds, unless it is told otherwise.
	b.put("/srv/kill", []byte(`#!/bin/bash
main() { systemctl show --value --property=MainPID "$1"; }
for _ in {1..8}; do
  was=$(main "$1")
  kill -KILL "$was"
  until now=$(main "$1"); [ "$now" != 0 ] && [ "$now" != "$was" ]; do sleep 0.02; done
done
`), "0755")
	for _, unit := range []string{shell.Unit("a"), "flattoned.service"} {
		b.Run("timeout", "60", "/srv/kill", unit)
		soon(t, unit+" is up", func() bool { return b.Property(unit, "ActiveState") == "active" && b.Line("a").Up })
		if n := b.Property(unit, "NRestarts"); n != "8" {
			t.Errorf("systemd has started %s again %s times, of 8", unit, n)
		}
	}
}

// same checks that a line's process is the one it was, and that flattoned knows it.
func (b *installed) same(line, was string) {
	b.T.Helper()
	if now := b.PID(shell.Unit(line)); now != was {
		b.T.Errorf("line %s has another process than before", line)
	}
	soon(b.T, "flattoned has line "+line+" again", func() bool { return b.Line(line).Up })
}

var dump = regexp.MustCompile(`goroutine \d+|0x[0-9a-f]{8}|fatal error|panic:`)

// silentOn looks through the journal for what a process prints of its memory, and for a number.
func (b *installed) silentOn(number string) {
	b.T.Helper()
	for line := range strings.Lines(b.Journal("--output=export", "--all", "--unit=flattone*")) {
		if strings.Contains(line, number) {
			b.T.Error("the journal has the number")
		}
		if _, message, ok := strings.Cut(line, "MESSAGE="); ok && dump.MatchString(message) {
			b.T.Errorf("the journal has a dump: %s", message)
		}
	}
}

// keyed is the number that is keyed in a recorded call: one for tests, and public.
func keyed(t *testing.T, call string) string {
	t.Helper()
	var truth struct{ Card struct{ PAN string } }
	if err := json.Unmarshal(shell.Read(t, recordings, call, "truth.json"), &truth); err != nil {
		t.Fatal(err)
	}
	return truth.Card.PAN
}

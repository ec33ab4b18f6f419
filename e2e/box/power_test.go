package box

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// logindPatience is how long logind has what delays a shutdown do so (InhibitDelayMaxUSec).
const logindPatience = 5 * time.Second

// TestPowerOffDuringCapture: somebody has the box shut down while a caller keys. The shutdown waits until the capture is void, no longer than logind
// lets it; after the next boot the log says so, and nothing else is left of it.
func TestPowerOffDuringCapture(t *testing.T) {
	t.Parallel()
	b := install(t, line{"a", "visa", 1})
	b.keying("a")
	held := b.Run("systemd-inhibit", "--list", "--no-legend", "--no-pager")
	for _, what := range []string{"shutdown", "sleep"} {
		if !regexp.MustCompile(`(?m)^flattone .* ` + what + ` +a card is being taken +delay *$`).MatchString(held) {
			t.Errorf("nothing delays %s while a card is being keyed:\n%s", what, held)
		}
	}
	took := b.powerOff()
	b.on()
	b.Serves()
	soon(t, "the line is up", func() bool { return b.Line("a").Up })
	voided := 0
	for _, e := range ask[[]control.AuditEntry](b, "events") {
		if e.Action == "line.voided" && e.Object == "line a" && e.Origin == "logind: shutdown" && e.Result == "ok" {
			voided++
		}
	}
	if tokens := len(ask[[]control.Token](b, "tokens")); voided != 1 || tokens != 0 {
		t.Errorf("the log says %d times that the capture is void for the shutdown, and the vault has %d cards", voided, tokens)
	}
	b.silentOn(keyed(t, "visa"))
	if took > 2*logindPatience {
		t.Errorf("the machine was off %v after it was told", took)
	}
	t.Logf("measured: the machine was off %v after it was told, with a card half keyed", took.Round(10*time.Millisecond))
}

// powerOff has the box shut down, and measures how long that takes.
func (b *installed) powerOff() time.Duration {
	b.T.Helper()
	began := time.Now()
	b.Run("busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PowerOff", "b", "false")
	b.awaitOff()
	return time.Since(began)
}

// TestOrderlyEnd: that lines end because all ends is no failure of theirs, and nobody is told of one: neither where the box is stopped, nor where the machine is.
func TestOrderlyEnd(t *testing.T) {
	t.Parallel()
	lines := []line{{"a", "visa", 1}, {"b", "visa", 1}, {"c", "visa", 1}, {"d", "visa", 1}}
	b := install(t, lines...)
	up := func() {
		t.Helper()
		for _, l := range lines {
			soon(t, "line "+l.name+" is up", func() bool { return b.Line(l.name).Up })
		}
	}
	for range 3 {
		b.Run("systemctl", "stop", "flattone.target")
		soon(t, "no unit runs", func() bool { return b.active() == "" })
		b.Run("systemctl", "start", "flattone.target")
		up()
	}
	b.powerOff()
	b.on()
	b.Serves()
	up()
	for _, e := range ask[[]control.AuditEntry](b, "events") {
		if e.Action == "condition.raised" && strings.HasPrefix(e.Object, "line ") {
			t.Errorf("the log has that %s failed: %s, %s", e.Object, e.Result, e.Origin)
		}
	}
	if told := b.Journal("FLATTONE_CODE=process_down", "FLATTONE_CODE=process_stopped"); told != "" {
		t.Errorf("the journal has faults:\n%s", told)
	}
}

package box

import (
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
	if held := b.run("systemd-inhibit", "--list", "--no-legend", "--no-pager"); held == "" {
		t.Error("nothing delays a shutdown while a card is being keyed")
	}
	began := time.Now()
	b.run("busctl", "call", "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager", "PowerOff", "b", "false")
	b.awaitOff()
	took := time.Since(began)
	b.on()
	b.serves()
	soon(t, "the line is up", func() bool { return b.line("a").Up })
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

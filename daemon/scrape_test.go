package daemon

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// scrape is what a box says to Prometheus.
func scrape(t *testing.T, cfg config.Metrics) string {
	t.Helper()
	network, address := cfg.Address()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	}}}
	answer, err := client.Get("http://box/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("a scrape is answered %s, %v: %s", answer.Status, err, text)
	}
	return string(text)
}

// What becomes of captures is counted once, whatever a line says again after its connection was lost; nothing of a card or a caller is told.
func TestABoxIsScraped(t *testing.T) {
	h := newHouse(t)
	h.cfg.Metrics.Listen = "unix:" + h.path("run/metrics.sock")
	d, stop, _ := h.run()
	events := d.feed.Subscribe(t.Context())
	line := h.attached("desk-1")
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	if info, err := os.Stat(h.path("run/metrics.sock")); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	say := func(m wire.Message) {
		t.Helper()
		if err := line.Send(m); err != nil {
			t.Fatal(err)
		}
		wait(t, events, func(e control.Event) bool { return e.Kind == control.KindState })
	}
	capture := newCaptureID()
	say(wire.State{State: "void", Capture: "old", Reason: "cancelled"}) // as it was when flattoned came
	say(wire.State{State: "idle"})
	say(wire.State{State: "void", Capture: "cap_a", Reason: "timeout_overall"})
	if err := line.SendCard(saidOf(capture), visaCard(t)); err != nil {
		t.Fatal(err)
	}
	token := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindToken }).Token
	say(wire.State{State: "done", Capture: capture})
	if err := line.Send(wire.Ringing{On: true, Number: "+15550100"}); err != nil {
		t.Fatal(err)
	}
	line.Close()
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineDown })
	line = h.attached("desk-1")
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineUp })
	say(wire.State{State: "done", Capture: capture}) // again

	var text string
	for _, want := range []string{`flattone_captures_total{line="desk-1",outcome="done"} 1`, `flattone_captures_total{line="desk-1",outcome="timeout_overall"} 1`,
		`flattone_line_up{line="desk-1"} 1`, `flattone_line_state{line="desk-1",state="done"} 1`, `flattone_condition{code="key_file",line="",severity="warning"} 1`,
		`flattone_condition{code="starting",line="desk-2",severity="notice"} 1`, `flattone_deliveries_pending{destination="webhook"} 1`, `flattone_delivery_attempts_total{destination="webhook",result="failed"} 1`,
		`flattone_seal_seconds_count 1`, `flattone_vault_locked 0`, `flattone_vault_cards{kind="flight"} 1`, `flattone_vault_cards{kind="vault"} 0`,
		`flattone_vault_key_version 1`, `flattone_vault_key_cards 1`, `flattone_vault_rewrap_remaining_cards 0`, `flattone_vault_cards_shredded_total{why="unresolved"} 0`,
		`flattone_vault_purge_timestamp_seconds 1`, `flattone_custodians 0`} {
		until(t, want, func() bool { text = scrape(t, h.cfg.Metrics); return strings.Contains(text, want) })
	}
	for _, no := range []string{visa[:6], "4242", token, "tok_", "cap_", "5550100", "cancelled"} {
		if strings.Contains(text, no) {
			t.Errorf("a scrape says %s:\n%s", no, text)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(h.path("run/metrics.sock")); err == nil {
		t.Error("the socket is left behind")
	}
}

func TestWhereABoxCantBeScraped(t *testing.T) {
	h := newHouse(t)
	h.cfg.Metrics.Listen = "unix:" + h.path("state/not/there.sock")
	if _, err := h.open(); err == nil || !strings.Contains(err.Error(), "[metrics] listen") {
		t.Errorf("it starts: %v", err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	h.cfg.Metrics.Listen = taken.Addr().String()
	if _, err := h.open(); err == nil || !strings.Contains(err.Error(), "SocketBindAllow") {
		t.Errorf("it starts: %v", err)
	}
	h.cfg.Metrics.Listen = "127.0.0.1:0"
	d := h.daemon()
	if network := d.scrapes.Addr().Network(); network != "tcp" {
		t.Errorf("it listens at %s", network)
	}
}

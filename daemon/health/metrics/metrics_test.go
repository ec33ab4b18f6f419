package metrics_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/health/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scraped serves m at a listener and answers with what a scrape says.
func scraped(t *testing.T, m *metrics.Metrics, l net.Listener) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- m.Run(ctx, l, slog.New(slog.NewTextHandler(t.Output(), nil))) }()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, l.Addr().Network(), l.Addr().String())
	}}
	client := http.Client{Transport: transport}
	get := func(method, path string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://box"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	status, body := get("GET", "/metrics")
	if status != http.StatusOK {
		t.Fatalf("a scrape is answered %d: %s", status, body)
	}
	for _, other := range [][2]string{{"POST", "/metrics"}, {"GET", "/"}, {"GET", "/debug/pprof/"}} {
		if status, _ := get(other[0], other[1]); status != http.StatusNotFound && status != http.StatusMethodNotAllowed {
			t.Errorf("%s %s is answered %d", other[0], other[1], status)
		}
	}
	transport.CloseIdleConnections()
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("it still listens")
	}
	return body
}

func parsed(t *testing.T, text string) map[string]*dto.MetricFamily {
	t.Helper()
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return families
}

// aBox has one of everything.
func aBox(context.Context) metrics.Box {
	stands := health.NewBoard()
	stands.Set(health.StoreFailed, "", "no space left on device")
	stands.Set(health.CodecPoor, "trunk-1", health.LookAheadNeeded(40))
	return metrics.Box{Conditions: stands.Snapshot(), Destinations: []metrics.Destination{
		{Name: "crm", Pending: 2, Dead: 1, Oldest: time.Now().Add(-time.Minute), Delivered: 1, Failed: 2}}, Lines: []metrics.Line{
		{Name: "trunk-1", Up: true, InCall: true, State: "keying", Restarts: 3, MaskedPermille: 250}, {Name: "trunk-2", State: "held"}},
		Open: []metrics.Open{{Gateway: "shop", State: "unknown", Count: 2}},
		Vault: &metrics.Vault{Locked: true, Cards: map[string]int64{"vault": 7, "flight": 2}, Held: 1, Flight: time.Now().Add(-time.Hour), Counted: then,
			Shredded: map[string]int64{"expired": 3, "asked": 0}, Rewrapped: 4, Purged: then, Key: 2, KeySince: then, KeySealed: 9, KeyCards: 5, Remaining: 6,
			Custodians: 3, CustodiansLocked: 1, Checkpoint: then}}
}

var then = time.UnixMilli(1_700_000_000_500)

func TestAScrape(t *testing.T) {
	m := metrics.New("1.2.3", aBox)
	m.Captured("trunk-1", "done")
	m.Captured("trunk-1", "timeout_overall")
	m.Captured("trunk-1", "4242424242424242") // which no line says
	m.Captured("gone", "done")
	m.Forget("gone")
	m.Sealed(3 * time.Millisecond)
	m.Paid("shop", "declined", "funds")
	m.Paid("shop", "approved", "")
	m.Acted("shop", "refund", "done")
	m.Answered("shop", 300*time.Millisecond)
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "m.sock"))
	if err != nil {
		t.Fatal(err)
	}
	text := scraped(t, m, l)
	for _, line := range []string{
		`flattone_build_info{goversion="go`, `flattone_condition{code="store_failed",line="",severity="fault"} 1`,
		`flattone_condition{code="codec_poor",line="trunk-1",severity="warning"} 1`,
		`flattone_line_up{line="trunk-1"} 1`, `flattone_line_up{line="trunk-2"} 0`, `flattone_line_in_call{line="trunk-1"} 1`,
		`flattone_line_state{line="trunk-1",state="keying"} 1`, `flattone_line_state{line="trunk-1",state="idle"} 0`, `flattone_line_state{line="trunk-2",state="held"} 1`,
		`flattone_line_restarts_total{line="trunk-1"} 3`, `flattone_line_masked_ratio{line="trunk-1"} 0.25`,
		`flattone_captures_total{line="trunk-1",outcome="done"} 1`, `flattone_captures_total{line="trunk-1",outcome="timeout_overall"} 1`,
		`flattone_captures_total{line="trunk-1",outcome="other"} 1`,
		`flattone_delivery_attempts_total{destination="crm",result="delivered"} 1`, `flattone_delivery_attempts_total{destination="crm",result="failed"} 2`,
		`flattone_vault_locked 1`, `flattone_vault_cards{kind="vault"} 7`, `flattone_vault_cards{kind="flight"} 2`, `flattone_vault_cards_held 1`,
		`flattone_vault_counted_timestamp_seconds 1.7000000005e+09`, `flattone_vault_cards_shredded_total{why="expired"} 3`, `flattone_vault_cards_shredded_total{why="asked"} 0`,
		`flattone_vault_rewrapped_cards_total 4`, `flattone_vault_purge_timestamp_seconds 1.7000000005e+09`, `flattone_vault_key_version 2`,
		`flattone_vault_key_created_timestamp_seconds 1.7000000005e+09`, `flattone_vault_key_sealed_cards 9`, `flattone_vault_key_cards 5`, `flattone_vault_rewrap_remaining_cards 6`,
		`flattone_custodians 3`, `flattone_custodians_locked 1`, `flattone_audit_checkpoint_timestamp_seconds 1.7000000005e+09`,
		`flattone_payments_total{gateway="shop",reason="funds",state="declined"} 1`, `flattone_payments_total{gateway="shop",reason="",state="approved"} 1`,
		`flattone_payment_answer_seconds_bucket{gateway="shop",le="0.25"} 0`, `flattone_payment_answer_seconds_bucket{gateway="shop",le="0.5"} 1`,
		`flattone_payment_acts_total{gateway="shop",kind="refund",state="done"} 1`,
		`flattone_payments_open{gateway="shop",state="unknown"} 2`,
		`flattone_deliveries_pending{destination="crm"} 2`, `flattone_deliveries_dead{destination="crm"} 1`, `flattone_seal_seconds_bucket{le="0.0025"} 0`, `flattone_seal_seconds_bucket{le="0.005"} 1`, `process_resident_memory_bytes`,
	} {
		if !strings.Contains(text, "\n"+line) {
			t.Errorf("it doesn't say %s", line)
		}
	}
	if strings.Contains(text, "4242") || strings.Contains(text, `line="gone"`) {
		t.Errorf("it says what it should not:\n%s", text)
	}
	for name, want := range map[string]float64{"flattone_delivery_oldest_seconds": 60, "flattone_vault_flight_oldest_seconds": 3600} {
		if age := parsed(t, text)[name].GetMetric()[0].GetGauge().GetValue(); age < want || age > want+60 {
			t.Errorf("%s is %v", name, age)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("the official lint says %v (%v)", problems, err)
	}
}

// What the store doesn't say is left out, and the rest is told.
func TestAScrapeWithoutAStore(t *testing.T) {
	m := metrics.New("1.2.3", func(ctx context.Context) metrics.Box {
		b := aBox(ctx)
		b.Destinations[0].Pending, b.Vault = -1, nil
		return b
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	families := parsed(t, scraped(t, m, l))
	if families["flattone_deliveries_pending"] != nil || families["flattone_vault_locked"] != nil || families["flattone_delivery_oldest_seconds"] != nil || len(families["flattone_condition"].GetMetric()) != 2 {
		t.Errorf("it says %v", families["flattone_condition"])
	}
}

// What hasn't been yet has no time, and no age; a key that nobody has made has no series.
func TestAScrapeOfANewVault(t *testing.T) {
	m := metrics.New("1.2.3", func(context.Context) metrics.Box { return metrics.Box{Vault: &metrics.Vault{}} })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	families := parsed(t, scraped(t, m, l))
	for name := range families {
		if strings.HasPrefix(name, "flattone_vault_key_") || strings.HasPrefix(name, "flattone_") && strings.HasSuffix(name, "_timestamp_seconds") {
			t.Errorf("it says %s", name)
		}
	}
	if got := families["flattone_vault_flight_oldest_seconds"].GetMetric(); len(got) != 1 || got[0].GetGauge().GetValue() != 0 {
		t.Errorf("the oldest in flight: %v", got)
	}
}

// Whoever asks often, or slowly, holds up nobody but himself, and is let go when the box stops.
func TestASlowScraper(t *testing.T) {
	look := make(chan struct{})
	m := metrics.New("1.2.3", func(ctx context.Context) metrics.Box { <-look; return metrics.Box{} })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- m.Run(ctx, l, slog.New(slog.DiscardHandler)) }()
	var conns []net.Conn
	for range 50 {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "GET /metrics HTTP/1.1\r\nHost: box\r\n\r\n")
		conns = append(conns, c)
	}
	refused := 0
	for _, c := range conns {
		c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		var head [12]byte
		if n, _ := io.ReadFull(c, head[:]); n == len(head) && string(head[9:]) == "503" {
			refused++
		}
	}
	if refused < 40 {
		t.Errorf("of 50 scrapes at once %d were refused", refused)
	}
	cancel()
	close(look)
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

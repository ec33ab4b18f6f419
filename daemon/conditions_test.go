package daemon

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/swap"
	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/wire"
)

// until waits for something that becomes true by itself.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// stands reports whether a condition of the box stands, and what is known besides.
func stands(d *Daemon, code health.Code) (detail string, is bool) {
	for _, c := range d.health.Snapshot() {
		if c.Code == code && c.Line == "" {
			return c.Detail, true
		}
	}
	return "", false
}

// rename makes the audit log's table another, as if it could not be written.
func rename(t *testing.T, d *Daemon, from, to string) {
	t.Helper()
	if err := d.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec("ALTER TABLE " + from + " RENAME TO " + to)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func conditionsIn(t *testing.T, d *Daemon) (entries []string, at []time.Time) {
	t.Helper()
	log, err := d.audit.Recent(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range log {
		e := log[len(log)-1-i]
		if strings.HasPrefix(e.Action, "condition.") {
			entries, at = append(entries, strings.Join([]string{e.Actor, e.Action, e.Object, e.Result, e.Origin}, ", ")), append(at, e.Time)
		}
	}
	return entries, at
}

// The beginning and the end of a critical control's failure are each one entry of the audit log and one record of the journal, even where it is the audit
// log that fails: what can't be noted then is noted later, with its own time.
func TestFailuresOfCriticalControlsAreOnRecord(t *testing.T) {
	h := newHouse(t)
	d, stop, _ := h.run()
	line := h.attached("desk-1")
	say := func(m wire.Message) {
		if err := line.Send(m); err != nil {
			t.Fatal(err)
		}
	}
	say(wire.State{State: "held", Reason: "line_broken"})
	say(wire.Input{Leg: "caller", Code: "input_clips"}) // which is no control
	until(t, "the failure is noted", func() bool { entries, _ := conditionsIn(t, d); return len(entries) == 1 })

	rename(t, d, "audit_entry", "away")
	ended := time.Now()
	say(wire.State{State: "idle"})
	until(t, "the audit log fails", func() bool { _, fails := stands(d, health.AuditFailed); return fails })
	rename(t, d, "away", "audit_entry")
	until(t, "all is noted", func() bool { entries, _ := conditionsIn(t, d); return len(entries) == 4 })
	if _, fails := stands(d, health.AuditFailed); fails {
		t.Error("the audit log can be written, and is still said to fail")
	}
	const masks, logs = "PCI DSS 10.7.2: segmentation control", "PCI DSS 10.7.2: audit logging"
	entries, at := conditionsIn(t, d)
	want := "flattoned, condition.raised, line desk-1, line_broken, " + masks + "\n" +
		"flattoned, condition.cleared, line desk-1, line_broken, " + masks + "\n" +
		"flattoned, condition.raised, box, audit_failed, " + logs + "\n" +
		"flattoned, condition.cleared, box, audit_failed, " + logs
	if got := strings.Join(entries, "\n"); got != want {
		t.Errorf("the audit log has\n%s\nand should have\n%s", got, want)
	}
	if at[1].Sub(ended).Abs() > 500*time.Millisecond {
		t.Errorf("the failure ended at %v, and is noted as of %v", ended, at[1])
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	log := h.log.String()
	for _, code := range []health.Code{"line_broken", "input_clips", health.AuditFailed} {
		declared, _ := health.Lookup(code)
		if n := strings.Count(log, "message_id="+declared.MessageID); n != 2 && (code != "input_clips" || n != 1) {
			t.Errorf("of %s the log has %d records", code, n)
		}
	}
	if !strings.Contains(log, `level=ERROR msg="its sound processing failed" code=line_broken severity=fault stands=true line=desk-1`) ||
		!strings.Contains(log, `level=INFO msg="over: its sound processing failed" code=line_broken severity=fault stands=false line=desk-1`) {
		t.Errorf("the log has\n%s", log)
	}
}

// A syslog receiver that can't be reached is a condition, not a reason to stop; one that nobody could vouch for is one not to start.
func TestASyslogReceiverThatIsAway(t *testing.T) {
	h := newHouse(t)
	h.cfg.Syslog = config.Syslog{Address: "127.0.0.1:1", CAFile: h.path("ca.pem")}
	if _, err := h.open(); err == nil || !strings.Contains(err.Error(), "ca_file") {
		t.Errorf("it starts: %v", err)
	}
	h.cfg.Syslog.CAFile = ""
	d, stop, _ := h.run()
	until(t, "it is told that the receiver is away", func() bool {
		detail, away := stands(d, health.SyslogFailing)
		return away && strings.Contains(detail, "connection refused")
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestTheWayUpstream(t *testing.T) {
	var answer atomic.Int32
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(answer.Load())) }))
	defer hook.Close()
	h := newHouse(t)
	to := &h.cfg.Upstream[0]
	to.Webhook.URL, to.FirstRetry, to.MaxRetry = hook.URL, time.Millisecond, time.Millisecond
	d := h.daemon()
	send := func(id string) {
		if err := d.store.Write(t.Context(), func(tx *store.Tx) error {
			return d.outbox.Enqueue(tx, upstream.Event{ID: id, To: "webhook", Type: "card.captured", Key: id, Time: time.Now(), Data: []byte("{}")})
		}); err != nil {
			t.Fatal(err)
		}
	}
	d.waitVitals(t.Context(), time.Now().Add(time.Hour))
	if _, behind := stands(d, health.UpstreamBehind); behind {
		t.Error("nothing waits, and upstream is behind")
	}
	send("one")
	for _, test := range []struct {
		after time.Duration
		is    bool
	}{{behindAfter - time.Minute, false}, {behindAfter + time.Minute, true}, {0, false}} {
		d.waitVitals(t.Context(), time.Now().Add(test.after))
		if _, is := stands(d, health.UpstreamBehind); is != test.is {
			t.Errorf("after %v upstream is behind: %t", test.after, is)
		}
	}
	// What delivers is the dispatcher itself: each answer in a run of its own.
	for _, test := range []struct {
		answer   int
		code     health.Code
		detail   string
		delivers bool
	}{
		{answer: 500, code: health.UpstreamFailing, detail: "answered 500"},
		{answer: 200, delivers: true},
		{answer: 410, code: health.UpstreamGone},
	} {
		answer.Store(int32(test.answer))
		send(http.StatusText(test.answer))
		run := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { run <- d.outbox.Run(ctx) }()
		until(t, "upstream answers", func() bool {
			_, failing := stands(d, health.UpstreamFailing)
			_, gone := stands(d, health.UpstreamGone)
			pending, err := d.outbox.Pending(t.Context())
			return err == nil && failing == (test.code == health.UpstreamFailing) && gone == (test.code == health.UpstreamGone) && (pending == 0) == test.delivers
		})
		cancel()
		if err := <-run; err != nil {
			t.Fatal(err)
		}
		if detail, _ := stands(d, test.code); !strings.Contains(detail, test.detail) {
			t.Errorf("of %s it says %q", test.code, detail)
		}
	}
}

// TestTheKeyIsOld: a key that is in use for longer than it may be is a condition once flattoned would have rotated it, until somebody does.
func TestTheKeyIsOld(t *testing.T) {
	h := newHouse(t)
	h.cfg.Vault.RotateAfter = 48 * time.Hour
	d := h.daemon()
	now := time.Now()
	for _, after := range []time.Duration{0, 47 * time.Hour, 49 * time.Hour, 50 * time.Hour} {
		d.keyVitals(t.Context(), now.Add(after))
		if detail, is := stands(d, health.KeyOld); is {
			t.Errorf("it stands after %v: %s", after, detail)
		}
	}
	d.keyVitals(t.Context(), now.Add(52*time.Hour))
	if detail, is := stands(d, health.KeyOld); !is || detail != "its cryptoperiod of 2 days is over" {
		t.Errorf("after 52 hours it stands %t: %s", is, detail)
	}
	if err := d.vault.Close(); err != nil {
		t.Fatal(err)
	}
	d.keyVitals(t.Context(), now.Add(53*time.Hour))
	if detail, is := stands(d, health.KeyOld); !is || !strings.HasSuffix(detail, "the vault is locked") {
		t.Errorf("locked, it stands %t: %s", is, detail)
	}
	if err := d.openByRoot(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	d.keyVitals(t.Context(), now.Add(time.Hour))
	if _, is := stands(d, health.KeyOld); is {
		t.Error("rotated, it still stands")
	}
}

// TestSwapIsOn: a swap that isn't sealed is a condition that names it, until it is off; while nobody says how it is, it stays as it was.
func TestSwapIsOn(t *testing.T) {
	d := newHouse(t).daemon()
	var areas []swap.Area
	var failed error
	d.swaps = func(context.Context) ([]swap.Area, error) { return areas, failed }
	is := func(when, want string) {
		t.Helper()
		d.swapVitals(t.Context())
		if detail, stands := stands(d, health.SwapOn); detail != want || stands != (want != "") {
			t.Errorf("%s: %t, %s", when, stands, detail)
		}
	}
	areas = []swap.Area{{Name: "/dev/zram0", Sealed: true}}
	is("sealed", "")
	areas = append(areas, swap.Area{Name: "/dev/sda2"}, swap.Area{Name: "/swapfile"})
	is("on", "/dev/sda2, /swapfile")
	failed, areas = errors.New("no bus"), nil
	is("unknown", "/dev/sda2, /swapfile")
	failed = nil
	is("off", "")
}

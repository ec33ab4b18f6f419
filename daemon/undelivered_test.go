package daemon

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// hook is a webhook whose answers the test decides. It notes the ids of what it took.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	took   []string
}

func newHook(t *testing.T) *hook {
	k := &hook{status: http.StatusOK}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.status == http.StatusOK {
			k.took = append(k.took, r.Header.Get("webhook-id"))
		}
		w.WriteHeader(k.status)
	}))
	t.Cleanup(k.Close)
	return k
}

func (k *hook) answers(status int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status = status
}

func (k *hook) has() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.took)
}

// TestDeadLetters: a technician sees what a destination refused, has it sent again or drops it, and has one that was gone tried again; each is in the audit log, and a refusal of the
// box's own changes nothing.
func TestDeadLetters(t *testing.T) {
	k, h := newHook(t), newHouse(t)
	h.cfg.Upstream[0].Webhook.URL, h.cfg.Upstream[0].FirstRetry, h.cfg.Upstream[0].MaxRetry = k.URL, time.Millisecond, time.Millisecond
	h.cfg.Upstream[0].GiveUpAfter = time.Hour
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	capture := func() {
		t.Helper()
		told := takesCard(t, line)
		if _, err := client.Arm(t.Context(), "desk-1", "card"); err != nil {
			t.Fatal(err)
		}
		<-told
	}
	refused := func() control.Undelivered {
		t.Helper()
		capture()
		e := wait(t, events, func(e control.Event) bool { return e.Delivery == control.DeliveryDead })
		all, err := client.Undelivered(t.Context(), control.Pick{Destination: "webhook"}, true, 10)
		if err != nil || len(all) != 1 || all[0].Capture != e.Capture || !all[0].Dead || all[0].Status != 422 || all[0].Tries != 1 || all[0].Reason == "" || all[0].Type != "card.captured" {
			t.Fatalf("the dead letters are %+v (%v)", all, err)
		}
		return all[0]
	}
	delivered := func() {
		t.Helper()
		wait(t, events, func(e control.Event) bool { return e.Delivery == control.DeliveryDelivered })
	}
	wrong := func(what string, code string, err error) {
		t.Helper()
		if e, is := errors.AsType[*control.Error](err); !is || e.Code != code {
			t.Errorf("%s: %v, want %s", what, err, code)
		}
	}

	k.answers(http.StatusUnprocessableEntity)
	first := refused()
	d.waitVitals(t.Context(), time.Now())
	if detail, is := stands(d, health.UpstreamDead); !is || detail != "webhook: 1" {
		t.Errorf("of the dead letter the box says %q", detail)
	}
	s, err := client.Status(t.Context())
	if err != nil || s.Destinations[0].Dead != 1 || s.Destinations[0].Waiting != 1 || s.Destinations[0].State != control.DestinationReady {
		t.Errorf("the status is %+v (%v)", s.Destinations, err)
	}
	_, err = client.Replay(t.Context(), control.Pick{})
	wrong("replay of nothing", control.CodeBadRequest, err)
	_, err = client.Replay(t.Context(), control.Pick{ID: "evt_nosuch"})
	wrong("replay of what isn't there", control.CodeWrongState, err)
	_, err = client.Drop(t.Context(), control.Pick{ID: first.ID}, "")
	wrong("drop without a reason", control.CodeBadRequest, err)
	_, err = client.Drop(t.Context(), control.Pick{ID: first.ID}, visa)
	wrong("drop for a card's number", control.CodeBadRequest, err)
	wrong("resume of one that isn't gone", control.CodeWrongState, client.Resume(t.Context(), "webhook"))

	k.answers(http.StatusOK)
	if n, err := client.Replay(t.Context(), control.Pick{ID: first.ID}); n != 1 || err != nil {
		t.Fatalf("%d sent again, %v", n, err)
	}
	delivered()
	if _, is := stands(d, health.UpstreamDead); is {
		t.Error("there is no dead letter any more, and the box says so")
	}

	k.answers(http.StatusUnprocessableEntity)
	second := refused()
	if n, err := client.Drop(t.Context(), control.Pick{Destination: "webhook"}, "the order was cancelled"); n != 1 || err != nil {
		t.Fatalf("%d dropped, %v", n, err)
	}

	k.answers(http.StatusGone)
	capture()
	until(t, "the destination is disabled", func() bool { _, is := stands(d, health.UpstreamGone); return is })
	k.answers(http.StatusOK)
	if err := client.Resume(t.Context(), "webhook"); err != nil {
		t.Fatal(err)
	}
	delivered()
	if _, is := stands(d, health.UpstreamGone); is {
		t.Error("it is tried again, and the box says that it is gone")
	}
	if got := k.has(); len(got) != 2 || got[0] != first.ID || slices.Contains(got, second.ID) {
		t.Errorf("the webhook took %q", got)
	}

	var noted []string
	log, err := d.audit.Recent(t.Context(), 50)
	for _, e := range slices.Backward(log) {
		if e.Action == "upstream.replayed" || e.Action == "upstream.dropped" || e.Action == "upstream.resumed" {
			noted = append(noted, e.Action+", "+e.Object+", "+e.Result)
		}
	}
	want := []string{"upstream.replayed, event " + first.ID + " (1), ok", "upstream.dropped, upstream.webhook (1), the order was cancelled", "upstream.resumed, upstream.webhook, ok"}
	if err != nil || !slices.Equal(noted, want) {
		t.Errorf("the audit log has %q (%v), want %q", noted, err, want)
	}
}

package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

// cloudEvent is what a test looks at of a CloudEvent.
type cloudEvent struct {
	SpecVersion, ID, Source, Type, Subject, DataContentType string
	Time                                                    time.Time
	Data                                                    map[string]any
}

// kept are the events that a stream has, in its order.
func kept(t *testing.T, stream jetstream.Stream) (all []cloudEvent) {
	t.Helper()
	info, err := stream.Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for n := info.State.FirstSeq; n <= info.State.LastSeq && info.State.Msgs > 0; n++ {
		m, err := stream.GetMsg(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		var e cloudEvent
		if err := json.Unmarshal(m.Data, &e); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Data), visa) || m.Header.Get("Nats-Msg-Id") != e.ID || m.Header.Get("Content-Type") != "application/cloudevents+json" || !strings.HasSuffix(m.Subject, "."+e.Type) {
			t.Errorf("on %s with %v: %s", m.Subject, m.Header, m.Data)
		}
		all = append(all, e)
	}
	return all
}

// TestAStreamIsTold: what a capture's token is, then that its card was charged, once each, over a server that goes and comes back and a flattoned that is started again; and the box
// says how that goes.
func TestAStreamIsTold(t *testing.T) {
	bus := natstest.New(t, nil)
	bus.Stream("CARDS", "flattone.>")
	h, _ := chargingHouse(t)
	h.cfg.Upstream = config.Upstream{{Name: "bus", Kind: config.KindJetStream, Envelope: config.EnvelopeCloudEvents, Timeout: 2 * time.Second, FirstRetry: 10 * time.Millisecond,
		MaxRetry: 100 * time.Millisecond, GiveUpAfter: time.Hour, JetStream: config.JetStream{URLs: []string{bus.URL()}, Stream: "CARDS", Subject: config.DefaultSubject}}}
	d, stop, _ := h.run()
	events, line, client := h.serves(d)
	var captures []string
	charge := func() {
		t.Helper()
		begun := charges(t, line, client, "", control.Charge{Amount: fmt.Sprint(10 + len(captures))})
		wait(t, events, func(e control.Event) bool { return e.Payment == begun.Payment && e.State == control.PaymentApproved })
		captures = append(captures, begun.Capture)
	}
	toldOf := func() {
		t.Helper()
		until(t, "all is told", func() bool {
			s, err := client.Status(t.Context())
			return err == nil && s.UpstreamPending == 0
		})
	}
	charge()
	toldOf()
	s, err := client.Status(t.Context())
	if err != nil || len(s.Destinations) != 1 || s.Destinations[0].Kind != "jetstream" || s.Destinations[0].To != bus.URL() || s.Destinations[0].State != control.DestinationReady {
		t.Errorf("the status is %+v (%v)", s.Destinations, err)
	}

	bus.Stop()
	charge()
	until(t, "the box says that the stream isn't told", func() bool {
		s, err := client.Status(t.Context())
		detail, is := stands(d, health.UpstreamFailing)
		return err == nil && is && strings.HasPrefix(detail, "bus: no connection to a server") && s.UpstreamPending > 0 && s.Destinations[0].State == control.DestinationFailing
	})
	waiting, err := client.Undelivered(t.Context(), control.Pick{Destination: "bus"}, false, 10)
	if err != nil || len(waiting) == 0 || waiting[0].Type != "card.captured" || waiting[0].Capture != captures[1] || waiting[0].Dead || waiting[0].Reason == "" {
		t.Errorf("what the stream doesn't have is %+v (%v)", waiting, err)
	}

	if err := stop(); err != nil {
		t.Fatal(err)
	}
	line.Close()
	bus.Start()
	d, _, _ = h.run()
	events, line, client = h.serves(d)
	toldOf()
	charge()
	toldOf()
	if detail, is := stands(d, health.UpstreamFailing); is {
		t.Errorf("still said: %s", detail)
	}
	stream, err := bus.JetStream().Stream(t.Context(), "CARDS")
	if err != nil {
		t.Fatal(err)
	}
	order := map[string][]string{} // of each capture
	ids := map[string]bool{}
	for _, e := range kept(t, stream) {
		order[e.Subject], ids[e.ID] = append(order[e.Subject], e.Type), true
		if e.SpecVersion != "1.0" || e.Source == "" || e.DataContentType != "application/json" || e.Time.IsZero() || e.Data["capture"] != e.Subject {
			t.Errorf("told %+v", e)
		}
	}
	want := []string{"card.captured", "payment.approved"}
	for _, c := range captures {
		if !slices.Equal(order[c], want) {
			t.Errorf("of a capture the stream was told %q, want %q", order[c], want)
		}
	}
	if len(order) != 3 || len(ids) != 6 {
		t.Errorf("%d captures and %d ids", len(order), len(ids))
	}
}

package jetstream

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

func TestPublishedAndAcknowledged(t *testing.T) {
	server := natstest.New(t, nil)
	stream := server.Stream("S", "flattone.>")
	s := newSender(t, server, func(c *Config) { c.Box = "box.one"; c.Subject = "flattone.{box}.{key}.{type}" })
	if r := s.Send(t.Context(), event("evt_1", "cap 1*")); r != (upstream.Result{Outcome: upstream.Delivered}) {
		t.Fatalf("got %+v", r)
	}
	all := kept(t, stream)
	if len(all) != 1 {
		t.Fatalf("the stream has %d messages", len(all))
	}
	equal(t, "subject", all[0].Subject, "flattone.box_one.cap_1_.card.captured")
	equal(t, "body", string(all[0].Data), `{"n":1}`)
	equal(t, "id", all[0].Header.Get("Nats-Msg-Id"), "evt_1")
	equal(t, "type of the body", all[0].Header.Get("Content-Type"), "application/json")
}

func TestRepeatIsKeptOnceOverRestart(t *testing.T) {
	server := natstest.New(t, nil)
	server.Stream("S", "flattone.>")
	s := newSender(t, server, nil)
	deliver(t, s, event("evt_1", "k"))
	deliver(t, s, event("evt_1", "k"))
	server.Stop()
	server.Start()
	deliver(t, s, event("evt_1", "k"))
	deliver(t, s, event("evt_2", "k"))
	stream, err := server.JetStream().Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "kept", ids(kept(t, stream)), []string{"evt_1", "evt_2"})
}

// A server that isn't there is said at once; whoever waits for an acknowledgement as it goes is let go then, not when the time is up.
func TestServerGoesAndComes(t *testing.T) {
	server := natstest.New(t, nil)
	s := newSender(t, server, func(c *Config) { c.Timeout = time.Hour })
	// Somebody takes the event who never answers, so that the attempt is under way as the server goes.
	conn, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	got, err := conn.SubscribeSync("flattone.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	result := make(chan upstream.Result, 1)
	go func() { result <- s.Send(context.Background(), event("evt_1", "k")) }()
	if _, err := got.NextMsg(time.Minute); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	server.Stop()
	r := <-result
	equal(t, "as it went", r, upstream.Result{Outcome: upstream.Later, Reason: errLost.Error()})
	until(t, s, event("evt_1", "k"), upstream.Later, "no connection to a server: dial tcp")
	server.Start()
	stream := server.Stream("S", "flattone.>")
	deliver(t, s, event("evt_1", "k"))
	equal(t, "kept", ids(kept(t, stream)), []string{"evt_1"})
}

// The server may come up after the box.
func TestServerComesLate(t *testing.T) {
	server := natstest.New(t, nil)
	server.Stop()
	s := newSender(t, server, nil)
	until(t, s, event("evt_1", "k"), upstream.Later, "no connection")
	server.Start()
	server.Stream("S", "flattone.>")
	deliver(t, s, event("evt_1", "k"))
}

// A context that ends breaks an attempt off, whether it waits for a connection or an acknowledgement.
func TestContextEnds(t *testing.T) {
	server := natstest.New(t, nil)
	s := newSender(t, server, func(c *Config) { c.Timeout = time.Hour })
	until(t, s, event("evt_1", "k"), upstream.Later, "no stream takes")
	if _, err := s.conn.Subscribe("flattone.>", func(*nats.Msg) {}); err != nil { // takes it, and says nothing
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r := s.Send(ctx, event("evt_1", "k")); r.Outcome != upstream.Later {
		t.Errorf("got %+v", r)
	}
	s.cfg.Timeout = 50 * time.Millisecond
	equal(t, "time up", s.Send(t.Context(), event("evt_1", "k")).Reason, "no acknowledgement within 0.05 s; it is sent again under the same id")
}

package jetstream

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

func making(c *Config) { c.MakeStream = true }

// What the box makes survives its server, remembers ids for a day, and loses nothing that nobody has read.
func TestMakesItsStream(t *testing.T) {
	server := natstest.New(t, nil)
	deliver(t, newSender(t, server, making), event("evt_1", "k"))
	stream, err := server.JetStream().Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	c := stream.CachedInfo().Config
	equal(t, "subjects", c.Subjects, []string{"flattone.*.>"})
	equal(t, "in a file", c.Storage, jetstream.FileStorage)
	equal(t, "retention", c.Retention, jetstream.LimitsPolicy)
	equal(t, "when full", c.Discard, jetstream.DiscardNew)
	equal(t, "window", c.Duplicates, 24*time.Hour)
}

// A second box of the same stream adds its subject, and leaves alone what whoever runs the servers has changed since.
func TestKeepsWhatOthersSet(t *testing.T) {
	server := natstest.New(t, nil)
	deliver(t, newSender(t, server, making), event("evt_1", "k"))
	streams := server.JetStream()
	stream, err := streams.Stream(t.Context(), "S")
	if err != nil {
		t.Fatal(err)
	}
	c := stream.CachedInfo().Config
	c.MaxBytes, c.Duplicates, c.Description = 1<<20, time.Minute, "ours now"
	if _, err := streams.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	deliver(t, newSender(t, server, func(c *Config) { making(c); c.Subject = "tills.{box}" }), event("evt_2", "k"))
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := info.Config
	equal(t, "subjects", now.Subjects, []string{"flattone.*.>", "tills.*"})
	equal(t, "others' settings", []any{now.MaxBytes, now.Duplicates, now.Description}, []any{int64(1 << 20), time.Minute, "ours now"})
}

func TestLeavesOthersStreamsAlone(t *testing.T) {
	server := natstest.New(t, nil)
	stream := server.Stream("S", "other.>")
	until(t, newSender(t, server, making), event("evt_1", "k"), upstream.Later, "no flattone made")
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "subjects", info.Config.Subjects, []string{"other.>"})
}

func TestMakesNoneUnasked(t *testing.T) {
	server := natstest.New(t, nil)
	until(t, newSender(t, server, nil), event("evt_1", "k"), upstream.Later, "nats stream add S")
	if names := server.JetStream().StreamNames(t.Context()); len(names.Name()) > 0 {
		t.Error("a stream was made")
	}
}

// A stream that is deleted under it is made again.
func TestMakesItAgain(t *testing.T) {
	server := natstest.New(t, nil)
	s := newSender(t, server, making)
	deliver(t, s, event("evt_1", "k"))
	if err := server.JetStream().DeleteStream(t.Context(), "S"); err != nil {
		t.Fatal(err)
	}
	deliver(t, s, event("evt_1", "k"))
}

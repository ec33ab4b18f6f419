package jetstream

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

func TestMain(m *testing.M) {
	natstest.Main()
	goleak.VerifyTestMain(m)
}

// newSender is a sender to the stream S of a server, unless change says something else.
func newSender(t testing.TB, server *natstest.Server, change func(*Config)) *Sender {
	t.Helper()
	cfg := Config{Box: "box1", Stream: "S"}
	if server != nil {
		cfg.Servers = []string{server.URL()}
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func event(id, key string) upstream.Envelope {
	return upstream.Envelope{ID: id, Type: "card.captured", Key: key, ContentType: "application/json", Body: []byte(`{"n":1}`)}
}

// deliver sends an event until the stream has it.
func deliver(t testing.TB, s *Sender, e upstream.Envelope) {
	t.Helper()
	for {
		switch r := s.Send(t.Context(), e); r.Outcome {
		case upstream.Delivered:
			return
		case upstream.Later:
			time.Sleep(10 * time.Millisecond)
		default:
			t.Fatalf("%s: %+v", e.ID, r)
		}
	}
}

// until sends an event until what comes of it is as wanted, and returns the reason.
func until(t testing.TB, s *Sender, e upstream.Envelope, outcome upstream.Outcome, reason string) {
	t.Helper()
	var r upstream.Result
	for begun := time.Now(); time.Since(begun) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
		if r = s.Send(t.Context(), e); r.Outcome == outcome && strings.Contains(r.Reason, reason) {
			return
		}
	}
	t.Fatalf("what came last was %+v, want outcome %d because of %q", r, outcome, reason)
}

// kept are the messages of a stream, in order.
func kept(t testing.TB, stream jetstream.Stream) (all []*jetstream.RawStreamMsg) {
	t.Helper()
	info, err := stream.Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for seq := info.State.FirstSeq; seq <= info.State.LastSeq && info.State.Msgs > 0; seq++ {
		m, err := stream.GetMsg(context.Background(), seq)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

func ids(all []*jetstream.RawStreamMsg) (list []string) {
	for _, m := range all {
		list = append(list, m.Header.Get(jetstream.MsgIDHeader))
	}
	return list
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

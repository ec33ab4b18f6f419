package webhook

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/upstream"
)

const (
	testSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	newSecret  = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(postUntilKilled); dir != "" {
		postForever(dir, os.Getenv(postTo))
	}
	goleak.VerifyTestMain(m)
}

// by is credentials that never change.
func by(secrets ...string) func() (Credentials, error) {
	return func() (Credentials, error) { return Credentials{Secrets: secrets}, nil }
}

// quick has short times, so that a test of failures ends soon.
func quick() upstream.Destination {
	return upstream.Destination{Timeout: 2 * time.Second, BackOff: time.Millisecond, MaxWait: time.Millisecond}
}

// rig is an outbox that runs on a store of its own, with one destination.
type rig struct {
	t          testing.TB
	dir        string
	db         *store.DB
	outbox     *upstream.Outbox
	log        bytes.Buffer
	deliveries chan upstream.Delivery
	stop       func() error
}

func newRig(t testing.TB, to upstream.Destination, url string, transport http.RoundTripper) *rig {
	t.Helper()
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "state")}
	r.start(to, url, transport)
	t.Cleanup(func() { r.shut() })
	return r
}

// outbox is one with one destination, "hook".
func outbox(db *store.DB, to upstream.Destination, url string, transport http.RoundTripper, deps upstream.Deps) (*upstream.Outbox, error) {
	sender, err := newSender(Config{URL: url, Read: by(testSecret)}, transport)
	if err != nil {
		return nil, err
	}
	to.Name, to.Sender = "hook", sender
	return upstream.New(upstream.Config{Destinations: []upstream.Destination{to}}, deps)
}

func (r *rig) start(to upstream.Destination, url string, transport http.RoundTripper) {
	r.t.Helper()
	var err error
	if r.db, err = open(r.dir); err != nil {
		r.t.Fatal(err)
	}
	r.deliveries = make(chan upstream.Delivery, 100_000)
	r.outbox, err = outbox(r.db, to, url, transport, upstream.Deps{Store: r.db, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		OnDelivery: func(d upstream.Delivery) { r.deliveries <- d }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.run()
}

func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.outbox.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-ended })
}

// open opens the store in a folder.
func open(dir string) (*store.DB, error) {
	where, err := storetest.At(dir)
	if err != nil {
		return nil, err
	}
	return store.Open(context.Background(), store.Config{Dir: dir, Postgres: store.Postgres{Where: where, Box: "test"}})
}

// shut ends the outbox and closes the store, as often as it is called.
func (r *rig) shut() {
	if err := r.stop(); err != nil && !errors.Is(err, store.ErrClosed) {
		r.t.Error(err)
	}
	if err := errors.Join(r.outbox.Close(), r.db.Close()); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) enqueue(key string, id string) {
	r.t.Helper()
	err := r.db.Write(context.Background(), func(tx *store.Tx) error {
		return r.outbox.Enqueue(tx, upstream.Event{ID: id, To: "hook", Type: "card.captured", Key: key, Time: time.Now(), Data: []byte(`{"n":1}`)})
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) pending() int {
	r.t.Helper()
	n, err := r.outbox.Pending(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// next waits for the outcome of an attempt.
func (r *rig) next() upstream.Delivery { return <-r.deliveries }

// delivered waits for the next event that is delivered.
func (r *rig) delivered() upstream.Delivery {
	for {
		if d := r.next(); d.Delivered {
			return d
		}
	}
}

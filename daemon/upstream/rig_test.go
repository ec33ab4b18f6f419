package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
)

const testSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func TestMain(m *testing.M) {
	if dir := os.Getenv(postUntilKilled); dir != "" {
		postForever(dir, os.Getenv(postTo))
	}
	goleak.VerifyTestMain(m)
}

// request is what a fake receiver saw.
type request struct {
	at     time.Duration // since the receiver was made
	id     string
	body   string
	header http.Header
}

// fake is a transport without a network: answer says what each attempt gets.
type fake struct {
	answer func(ctx context.Context, r request) (status int, header http.Header, err error)
	begun  time.Time

	mu   sync.Mutex
	seen []request
}

func newFake(answer func(context.Context, request) (int, http.Header, error)) *fake {
	return &fake{answer: answer, begun: time.Now()}
}

// statuses answers in turn, then 200.
func statuses(codes ...int) func(context.Context, request) (int, http.Header, error) {
	return func(context.Context, request) (int, http.Header, error) {
		if len(codes) == 0 {
			return 200, nil, nil
		}
		code := codes[0]
		codes = codes[1:]
		return code, nil, nil
	}
}

func (f *fake) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r := request{at: time.Since(f.begun), id: req.Header.Get("webhook-id"), body: string(body), header: req.Header}
	f.mu.Lock()
	f.seen = append(f.seen, r)
	f.mu.Unlock()
	status, header, err := f.answer(req.Context(), r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader("thanks")), Request: req}, nil
}

// ids are the events seen, in order.
func (f *fake) ids() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.seen {
		all = append(all, r.id)
	}
	return all
}

// times are the moments of the attempts.
func (f *fake) times() (all []time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.seen {
		all = append(all, r.at)
	}
	return all
}

// rig is an outbox that runs on a store of its own.
type rig struct {
	t          testing.TB
	dir        string
	db         *store.DB
	outbox     *Outbox
	log        bytes.Buffer
	deliveries chan Delivery
	stop       func() error
}

func newRig(t testing.TB, cfg Config, transport http.RoundTripper) *rig {
	t.Helper()
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "state")}
	r.start(cfg, transport)
	t.Cleanup(func() { r.shut() })
	return r
}

// start opens the store and runs an outbox without jitter.
func (r *rig) start(cfg Config, transport http.RoundTripper) {
	r.t.Helper()
	if cfg.URL == "" {
		cfg.URL = "https://upstream.example/hook"
	}
	cfg.Secret = testSecret
	var err error
	if r.db, err = open(r.dir); err != nil {
		r.t.Fatal(err)
	}
	r.deliveries = make(chan Delivery, 10_000)
	r.outbox, err = New(cfg, Deps{Store: r.db, Transport: transport, Log: slog.New(slog.NewTextHandler(&r.log, nil)),
		OnDelivery: func(d Delivery) { r.deliveries <- d }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.outbox.jitter = func(d time.Duration) time.Duration { return d }
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
	if err := r.db.Close(); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) enqueue(key string, id string) {
	r.t.Helper()
	err := r.db.Write(context.Background(), func(tx *store.Tx) error {
		return r.outbox.Enqueue(tx, Event{ID: id, Type: "card.captured", Key: key, Time: time.Now(), Data: []byte(`{"n":1}`)})
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
func (r *rig) next() Delivery { return <-r.deliveries }

// delivered waits for the next event that is delivered.
func (r *rig) delivered() Delivery {
	for {
		if d := r.next(); d.Delivered {
			return d
		}
	}
}

func equal[T any](t testing.TB, what string, got, want []T) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

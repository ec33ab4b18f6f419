package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// request is what a fake destination saw.
type request struct {
	at    time.Duration // since it was made
	id    string
	key   string
	media string
	body  string
}

// fake is a sender without a network: answer says what each attempt gets, in the words of HTTP.
type fake struct {
	answer func(ctx context.Context, r request) (status int, after time.Duration, err error)
	begun  time.Time

	mu     sync.Mutex
	seen   []request
	closed atomic.Bool
}

func newFake(answer func(context.Context, request) (int, time.Duration, error)) *fake {
	return &fake{answer: answer, begun: time.Now()}
}

// statuses answers in turn, then 200.
func statuses(codes ...int) func(context.Context, request) (int, time.Duration, error) {
	var mu sync.Mutex
	return func(context.Context, request) (int, time.Duration, error) {
		mu.Lock()
		defer mu.Unlock()
		if len(codes) == 0 {
			return 200, 0, nil
		}
		code := codes[0]
		codes = codes[1:]
		return code, 0, nil
	}
}

// hang never answers.
func hang(ctx context.Context, _ request) (int, time.Duration, error) {
	<-ctx.Done()
	return 0, 0, ctx.Err()
}

func (f *fake) Send(ctx context.Context, e Envelope) Result {
	r := request{at: time.Since(f.begun), id: e.ID, key: e.Key, media: e.ContentType, body: string(e.Body)}
	f.mu.Lock()
	f.seen = append(f.seen, r)
	f.mu.Unlock()
	status, after, err := f.answer(ctx, r)
	if err != nil {
		return Result{Reason: err.Error()}
	}
	said := Result{Status: status, After: after}
	switch {
	case status <= 299:
		said.Outcome = Delivered
	case status == 410:
		said.Outcome, said.Reason = Gone, "gone"
	case status == 422:
		said.Outcome, said.Reason = Refused, "it won't take it"
	default:
		said.Reason = fmt.Sprint("answered ", status)
	}
	return said
}

func (f *fake) Close() error {
	f.closed.Store(true)
	return nil
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
	box        string
	dir        string
	db         *store.DB
	outbox     *Outbox
	log        bytes.Buffer
	deliveries chan Delivery
	unheard    bool // nobody reads the log and the deliveries
	stop       func() error
}

// newRig runs an outbox with one destination, "to".
func newRig(t testing.TB, to Destination, by Sender) *rig {
	t.Helper()
	r := &rig{t: t, dir: filepath.Join(t.TempDir(), "state")}
	r.start(to, by)
	t.Cleanup(func() { r.shut() })
	return r
}

func (r *rig) start(to Destination, by Sender) {
	r.t.Helper()
	to.Name, to.Sender = "to", by
	r.run(to)
}

// run opens the store and runs an outbox without jitter.
func (r *rig) run(to ...Destination) {
	r.t.Helper()
	var err error
	if r.db, err = open(r.dir); err != nil {
		r.t.Fatal(err)
	}
	deps := Deps{Store: r.db, Log: slog.New(slog.DiscardHandler)}
	if !r.unheard {
		r.deliveries = make(chan Delivery, 10_000)
		deps.Log, deps.OnDelivery = slog.New(slog.NewTextHandler(&r.log, nil)), func(d Delivery) { r.deliveries <- d }
	}
	r.outbox, err = New(Config{Box: r.box, Destinations: to}, deps)
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
	if err := errors.Join(r.outbox.Close(), r.db.Close()); err != nil {
		r.t.Error(err)
	}
}

func (r *rig) enqueue(key string, id string) {
	r.t.Helper()
	r.enqueueTo("to", key, id)
}

func (r *rig) enqueueTo(to, key, id string) {
	r.t.Helper()
	err := r.db.Write(context.Background(), func(tx *store.Tx) error {
		return r.outbox.Enqueue(tx, Event{ID: id, To: to, Type: "card.captured", Key: key, Time: time.Now(), Data: []byte(`{"n":1}`)})
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

// state is the health of the way to the first destination.
func (r *rig) state() State {
	r.t.Helper()
	all, err := r.outbox.Figures(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	return all[0].State
}

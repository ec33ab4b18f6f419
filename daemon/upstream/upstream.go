// Package upstream tells the owner's systems what happened: an outbox in the store, and one dispatcher that
// posts its events to one HTTPS webhook, signed after Standard Webhooks.
//
// It exists because a token is worth nothing if nobody learns it, and because the network fails more often
// than the disk. [Outbox.Enqueue] writes the event in the transaction of what it tells about; from there it
// is delivered at least once, over restarts and kill -9, with an id that stays the same (webhook-id, the
// idempotency key). Events of one key (a capture) arrive in order: a later one never passes an earlier one
// that isn't delivered; other keys go on.
//
// It never follows a redirect, never speaks plain http to another machine, never logs a body or an address's
// path. A card number can't be typed here: the package must not import secret or capture.
package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/flattone/flattone/daemon/store"
)

// Event is something to tell. Data is any JSON; it is sent as it is.
type Event struct {
	ID   string    // the idempotency key; an id that is in the outbox already is not taken twice
	Type string    // noun.verb: card.captured
	Key  string    // events of one key stay in order
	Time time.Time // when it happened
	Data json.RawMessage
}

// Delivery is what became of one attempt.
type Delivery struct {
	EventID   string
	Type      string
	Key       string
	Tries     int // attempts so far, this one included
	Status    int // HTTP status; 0 if there was no answer
	Delivered bool
	Reason    string    // why not, for people
	Next      time.Time // when it is tried again; zero if delivered or disabled
}

// State is the health of the way upstream.
type State int32

const (
	Ready    State = iota // the last attempt was delivered, or there was none yet
	Failing               // the last attempt failed; it is retried
	Disabled              // the receiver said 410 Gone; nothing more is sent until a restart
)

// String names a state as status shows it.
func (s State) String() string { return [...]string{"ready", "failing", "disabled"}[s] }

// Deps are what the outbox is built on.
type Deps struct {
	Store      *store.DB
	Transport  http.RoundTripper // nil: TLS 1.2 or later by the system's roots, no proxy
	Log        *slog.Logger
	OnDelivery func(Delivery) // called after each attempt, from the dispatcher; must not block; may be nil
}

// Outbox holds undelivered events and delivers them. Safe for concurrent use; Run runs once.
type Outbox struct {
	cfg    Config
	store  *store.DB
	log    *slog.Logger
	client *http.Client
	signer *webhooks.Webhook
	tell   func(Delivery)
	jitter func(time.Duration) time.Duration
	state  atomic.Int32
	wake   chan struct{} // a committed event; holds one
}

// New checks the config and returns an outbox. Events can be put in at once; they leave in [Outbox.Run].
func New(cfg Config, deps Deps) (*Outbox, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	if deps.Store == nil || deps.Log == nil {
		return nil, errors.New("upstream: the outbox needs a store and a log")
	}
	signer, err := webhooks.NewWebhook(cfg.Secret)
	if err != nil {
		return nil, errors.New("upstream: secret: not base64") // the library's error could quote it
	}
	transport := deps.Transport
	if transport == nil {
		transport = newTransport(cfg)
	}
	tell := deps.OnDelivery
	if tell == nil {
		tell = func(Delivery) {}
	}
	return &Outbox{
		cfg:    cfg,
		store:  deps.Store,
		log:    deps.Log,
		client: &http.Client{Transport: transport, CheckRedirect: dontFollow},
		signer: signer,
		tell:   tell,
		jitter: fullJitter,
		wake:   make(chan struct{}, 1),
	}, nil
}

// State returns the health of the way upstream.
func (o *Outbox) State() State { return State(o.state.Load()) }

// fullJitter draws evenly between nothing and d, so that boxes that failed together don't return together.
func fullJitter(d time.Duration) time.Duration { return rand.N(d + 1) }

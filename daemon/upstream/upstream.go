// Package upstream tells the owner's systems what happened: an outbox in the store, and for each destination a
// dispatcher that hands its events to a [Sender].
//
// It exists because a token is worth nothing if nobody learns it, and because the network fails more often
// than the disk. [Outbox.Enqueue] writes the event in the transaction of what it tells about; from there it
// is delivered at least once, over restarts and kill -9, with an id that stays the same (the idempotency key).
// Each destination has its own rows, its own order and its own pace: a slow one holds up no other. Events of one
// key (a capture) arrive there in order: a later one never passes an earlier one that isn't over; other keys go on,
// many at the same time. What a destination refuses for good is a dead letter, which holds its key until a
// technician has it sent again, or drops it: nothing is ever left out in silence.
//
// It never logs a body, and shows none. A card number can't be typed here: the package must not import secret or
// capture. How an event travels is the senders' business, in packages below.
package upstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Event is something to tell. Data is any JSON; it is sent as it is.
type Event struct {
	ID   string    // the idempotency key; an id that is in the outbox already, for the same destination, is not taken twice
	To   string    // the destination's name
	Type string    // noun.verb: card.captured
	Key  string    // events of one key stay in order
	Time time.Time // when it happened
	Data json.RawMessage
}

// Delivery is what became of one attempt.
type Delivery struct {
	To        string // the destination's name
	EventID   string
	Type      string
	Key       string
	Tries     int // attempts so far, this one included
	Status    int // as HTTP has them; 0 if there was no answer
	Delivered bool
	Dead      bool      // given up: it waits for a technician
	State     State     // of the way there, from now on
	Reason    string    // why not, for people
	Next      time.Time // when it is tried again; zero if it isn't
}

// State is the health of the way to a destination.
type State int32

const (
	Ready    State = iota // the last attempt was delivered, or there was none yet
	Failing               // the last attempt failed, and not for what it was to deliver
	Disabled              // the destination is gone; nothing more is sent there until [Outbox.Resume] or a restart
)

// String names a state as status shows it.
func (s State) String() string { return [...]string{"ready", "failing", "disabled"}[s] }

// Deps are what the outbox is built on.
type Deps struct {
	Store      *store.DB
	Log        *slog.Logger
	OnDelivery func(Delivery) // called after each attempt, from the dispatchers; must not block; may be nil
}

// Outbox holds undelivered events and delivers them. Safe for concurrent use; Run runs once.
type Outbox struct {
	box    string
	store  *store.DB
	log    *slog.Logger
	tell   func(Delivery)
	jitter func(time.Duration) time.Duration
	to     []*dispatcher // in the order of the config
}

// New checks the config and returns an outbox. Events can be put in at once; they leave in [Outbox.Run].
// Close it at the end; if it is an error, the senders stay the caller's.
func New(cfg Config, deps Deps) (*Outbox, error) {
	if deps.Store == nil || deps.Log == nil {
		return nil, errors.New("upstream: the outbox needs a store and a log")
	}
	o := &Outbox{box: cfg.Box, store: deps.Store, log: deps.Log, tell: deps.OnDelivery, jitter: fullJitter}
	if o.tell == nil {
		o.tell = func(Delivery) {}
	}
	var faults []error
	for _, to := range cfg.Destinations {
		to = to.withDefaults()
		err := to.check()
		if err == nil && o.dispatcher(to.Name) != nil {
			err = errors.New("its name is another's, too")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("destination %q: %w", to.Name, err))
			continue
		}
		o.to = append(o.to, &dispatcher{o: o, to: to, wake: make(chan struct{}, 1)})
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	return o, nil
}

// dispatcher is that of a destination; nil if there is none of that name.
func (o *Outbox) dispatcher(name string) *dispatcher {
	for _, d := range o.to {
		if d.to.Name == name {
			return d
		}
	}
	return nil
}

// fullJitter draws evenly between nothing and d, so that boxes that failed together don't return together.
func fullJitter(d time.Duration) time.Duration { return rand.N(d + 1) }

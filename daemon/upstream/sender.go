package upstream

import (
	"context"
	"time"
)

// Sender takes events to one destination. Safe for concurrent use: events of different keys are sent at the same time.
type Sender interface {
	// Send makes one attempt, and says what came of it. It keeps no event and tries nothing again: what happens next is the dispatcher's
	// business. The end of ctx breaks it off; then nobody looks at the result.
	Send(ctx context.Context, e Envelope) Result
	// Close gives up the connections that are kept, once nothing is sent any more.
	Close() error
}

// Envelope is an event as it is sent: each attempt, today or after an upgrade, has the same bytes.
type Envelope struct {
	ID          string // the idempotency key
	Type        string // noun.verb: card.captured
	Key         string // events of one key come one after the other
	ContentType string // of Body
	Body        []byte // not to be changed
}

// Result is what came of one attempt.
type Result struct {
	Outcome Outcome
	// Status is the answer's, as HTTP has them (RFC 9110, section 15); 0 if there was none, or the destination has other words.
	Status int
	// After is how long the destination asked to be left alone; only of [Later].
	After time.Duration
	// Reason says why it wasn't delivered, for people. Nothing of an address's path, a credential or a body is in it.
	Reason string
}

// Outcome is what an attempt means for the event.
type Outcome int

const (
	Later     Outcome = iota // not now: it is tried again
	Delivered                // the destination has it, and won't lose it
	Refused                  // it will never take this event, whoever else's it takes: a dead letter
	Gone                     // it says that it is no more: nothing else is sent there
)

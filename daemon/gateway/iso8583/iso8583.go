// Package iso8583 charges cards at an acquirer who speaks ISO 8583:1987, over one connection that is kept.
//
// It exists for owners whose contract is with an acquirer or a switch, and not with a payment service. [Connector.Run] keeps the connection: it signs on, sends echoes,
// and connects again. The verbs of [gateway.Connector] may be called meanwhile, many at a time; answers find their question by its type, its trace number (STAN), its
// transmission time and the terminal, in whatever order they come. What fits no question is dropped and counted. An echo of his is answered.
//
// What is asked, and by which message:
//
//	Authorise  0100, or 0200 for a sale        one try: what became of it is then for Void to settle
//	Capture    0220, repeated as 0221          an advice: repeated until it is answered
//	Void       0420, repeated as 0421          an advice, of which field 90 says what it undoes, whether that arrived or not
//	Refund     0200, processing code 20        one try: asking again under the same key gives the money once
//	Inquire    none                            the standard has no such question: [gateway.ErrCannotInquire]
//
// The reference number (field 37) of a payment or a refund is made from its key, so that an acquirer who is asked twice can tell; his contract must say that he does. A
// sign-on, an echo and every answer are of one terminal, so no two connectors may share one.
//
// It promises that a card goes from its locked page to another and from there into the connection; that what an answer repeats of it is left in locked memory and
// wiped (package wiping does so for what TLS keeps); and that no error has a byte of a message. It must never reverse of its own accord, for who keeps the books does
// that; and never take an approval of another amount for one.
package iso8583

import (
	"errors"
	"fmt"
	"net"
	"sync/atomic"

	"github.com/flattone/flattone/daemon/gateway"
)

// State is where a connector stands with its acquirer.
//
//	        connected          answered: 00
//	away ─────────────▶ signing on ─────────────▶ ready
//	 ▲ ▲                    │                       │
//	 │ └──── refused, or no answer                  │ the connection is lost, an echo isn't answered, or a frame makes no sense
//	 └──────────────────────────────────────────────┘
//
// Only ready sends what is asked; otherwise a verb is [gateway.ErrNotSent].
type State int32

// The states.
const (
	Away State = iota
	SigningOn
	Ready
)

// String names a state as status shows it.
func (s State) String() string { return [...]string{"away", "signing on", "ready"}[s] }

// Connector is one terminal of an acquirer's. Safe for concurrent use; Run runs once.
type Connector struct {
	cfg     Config
	deps    Deps
	state   atomic.Int32
	why     atomic.Pointer[error] // of the state, if there is a reason
	link    atomic.Pointer[link]  // nil unless ready
	traces  traces
	strays  atomic.Uint64
	garbled atomic.Uint64
}

var _ gateway.Connector = (*Connector)(nil)

// New checks the config. It doesn't connect: [Connector.Run] does.
func New(cfg Config, deps Deps) (*Connector, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("iso8583: %w", err)
	}
	if deps.Dial == nil {
		deps.Dial = (&net.Dialer{Timeout: cfg.Timeout}).DialContext
	}
	if deps.OnState == nil {
		deps.OnState = func(State, error) {}
	}
	return &Connector{cfg: cfg, deps: deps}, nil
}

// State returns where the connector stands.
func (c *Connector) State() State { return State(c.state.Load()) }

// Counts are of what came and was dropped since the start.
type Counts struct {
	Strays  uint64 // answers to nothing that is asked: late, a second time, another terminal's, or of a kind that isn't one
	Garbled uint64 // frames that are no message
}

// Counts returns what was dropped.
func (c *Connector) Counts() Counts { return Counts{c.strays.Load(), c.garbled.Load()} }

// Why nobody knows what the acquirer did.
var (
	errLost     = errors.New("the connection to the acquirer was lost before the answer")
	errNoAnswer = errors.New("the acquirer didn't answer")
)

// notSent says why nothing left.
func notSent(why error) error { return fmt.Errorf("%w: %w", gateway.ErrNotSent, why) }

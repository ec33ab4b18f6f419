// Package payment has a captured card charged: once, and so that what became of it is always known.
//
// It exists because between a box and a provider everything can be lost but money. A payment is a row in the store before anybody keys a card for it. Its id is the
// idempotency key by which a provider is asked; the reference by which he will know it is durable before the card leaves; and what isn't known, after a time-out or
// kill -9, is asked for or undone until it is. What is done with it later, an [Act], is asked for until the provider answers. It promises:
//
//   - A card is sent for a payment once. What comes after a doubt are questions and reversals, never a second charge.
//   - Every payment ends: approved, declined, failed (nothing was taken, and why) or abandoned. Until then somebody sees to it, after a restart within a minute, and
//     where boxes share a store another one, should this one be gone.
//   - An outcome is told, to the agent and upstream, once it is durable, in one transaction with the audit log and the end of a card that wasn't to be kept.
//   - A card that was charged the same amount in the last ten minutes is charged again only when somebody has said so. A restart forgets which those were.
//   - A CVV lives in locked memory until the answer, or [Config.Patience] is over, and nowhere else; that of a held payment as long again, until the word. A payment whose CVV is lost with the process was never sent, or
//     is asked for; it isn't sent again.
//
// It never sees a provider's words but those of package gateway, and never a digit but in the card that it hands on.
package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// State is where a payment stands.
//
//	wanted ──a card is sealed──▶ ready ──its reference is durable──▶ asked ──an answer──────────▶ approved, declined
//	  │                          │ ▲ │ │                               │ │ no answer, or a restart
//	  │ the capture ends         │ │ │ │ the provider isn't there,     │ └──▶ unknown ──asked────▶ approved, declined
//	  ▼                          │ │ │ │ and it may be charged later   │           └──not there, or undone──▶ failed
//	abandoned    the same card   │ │ │ └──▶ waiting ──he is there──▶ (as ready)    (asked again for as long as it takes)
//	             was charged the │ │ └── nothing left the box, or he refused ──▶ failed
//	             same lately     ▼ │ confirmed
//	                             held ──cancelled, or nobody says a word, or a restart──▶ failed
type State string

// The states.
const (
	Wanted    State = "wanted"
	Ready     State = "ready"
	Held      State = "held"
	Waiting   State = "waiting"
	Asked     State = "asked"
	Unknown   State = "unknown"
	Approved  State = "approved"
	Declined  State = "declined"
	Failed    State = "failed"
	Abandoned State = "abandoned"
)

// Over reports that nothing becomes of it any more.
func (s State) Over() bool {
	return s == Approved || s == Declined || s == Failed || s == Abandoned
}

// Why a payment failed, or what keeps it: the reason's codes.
const (
	NotReached    = "gateway_away"    // the provider couldn't be asked
	Refused       = "gateway_refused" // he refused the request: a key, an account or a form is wrong
	Interrupted   = "interrupted"     // flattoned ended before he was asked
	NotThere      = "not_there"       // he says that he was never asked
	Undone        = "undone"          // nobody could know, so it was undone
	NoCard        = "no_card"         // the vault didn't give the card
	Duplicate     = "duplicate"       // the same card was charged the same amount lately, and nobody said to charge it again
	TooLate       = "too_late"        // he couldn't be asked for so long that the card is gone
	NotConfigured = "no_gateway"      // the configuration doesn't have him any more
)

// Order is what a line is armed for.
type Order struct {
	Capture  string
	Line     string
	Profile  string
	Gateway  string
	Minor    int64  // the amount in the currency's minor unit
	Currency string // ISO 4217
	// Reference is the owner's word for it, which the provider and upstream are told; it may be empty.
	Reference string
	Take      bool // a sale; otherwise only an authorisation
	// Later has it charged later, without a CVV, where the provider can't be asked. The card must be one that is kept.
	Later bool
	// Consent says that the holder agrees that the card is kept, and charged again without him. It must be one that is kept.
	Consent bool
	Address gateway.Address
	// Total begins a bill, of which this payment pays a part; Bill is one that was begun, by any of its payments, and then an amount of 0 is what is left of it. A
	// payment has both, and the bill is its first payment.
	Total int64
	Bill  string
	// Away: the provider couldn't be reached as this was ordered, and it is Later. So who takes the card knows before he does.
	Away bool
}

// Payment is what there is to know of one.
type Payment struct {
	ID string
	Order
	Token   string
	State   State
	Reason  string
	Answer  gateway.Answer
	Created time.Time
	Changed time.Time
	// By is who asked for it.
	By string

	key      string
	deferred bool   // it was keyed while the provider couldn't be asked
	network  string // of a stored card: the network's id of the payment that its holder agreed with
	ref      string
	names    map[string]string // what each destination knows the card by
	tries    int64
}

// Cards is what a payment needs of the vault.
type Cards interface {
	// Use is [vault.Vault.Use].
	Use(ctx context.Context, u vault.Use, with func(*secret.Card) error) error
	// ResolveIn ends a card that was kept for the payment alone, in the payment's transaction; another card stays.
	ResolveIn(tx *store.Tx, by, token string) error
	// Agree and Agreed are [vault.Vault.Agree] and [vault.Vault.Agreed].
	Agree(tx *store.Tx, by, token string, c vault.Consent) error
	Agreed(tx *store.Tx, token string) (vault.Consent, error)
	// Names are what each destination knows a card by.
	Names(tx *store.Tx, token string) (map[string]string, error)
	// Captured is the token of a capture's card, "" where there is none.
	Captured(tx *store.Tx, capture string) (token string, err error)
}

// Caller and Purpose are how a payment asks the vault for its card, and Stored how for one that no caller has keyed for it.
const (
	Caller  = "payments"
	Purpose = "charge"
	Stored  = "stored"
)

// Config is how payments are made.
type Config struct {
	Box string
	// Patience is how long a provider may take, and so how long a CVV lives. It is also how long a payment is held.
	Patience time.Duration
}

// Deps are what payments are built on.
type Deps struct {
	Store    *store.DB
	Audit    *audit.Log
	Cards    Cards
	Gateways map[string]gateway.Connector
	// Enqueue has a destination told, in the transaction of what it is told. To whom is one of the names of Cards.Names.
	Enqueue func(tx *store.Tx, e Event) error
	// Tell is given every change, once it is durable, and TellAct every one of an act. They must not block.
	Tell    func(Payment)
	TellAct func(Payment, Act)
	Log     *slog.Logger
}

// Payments makes them. Safe for concurrent use; Run runs once.
type Payments struct {
	cfg     Config
	deps    Deps
	charges *queue          // payments
	follow  *queue          // acts
	under   sync.WaitGroup  // questions under way, which Run waits for at its end
	ctx     context.Context // Run's, once started is closed: charges wait for it
	started chan struct{}
	mu      sync.Mutex
	words   map[string]chan struct{} // of payments that are held
	twice   *twice
}

// New checks what it is given.
func New(cfg Config, deps Deps) (*Payments, error) {
	if deps.Store == nil || deps.Audit == nil || deps.Cards == nil || deps.Enqueue == nil || deps.Tell == nil || deps.TellAct == nil || deps.Log == nil {
		return nil, errors.New("payment: a dependency is missing")
	}
	if cfg.Patience <= 0 {
		return nil, errors.New("payment: no patience")
	}
	seen, err := newTwice()
	if err != nil {
		return nil, fmt.Errorf("payment: the key of who was charged lately: %w", err)
	}
	tell := deps.Tell
	deps.Tell = func(pay Payment) {
		seen.saw(pay)
		tell(pay)
	}
	p := &Payments{cfg: cfg, deps: deps, started: make(chan struct{}), words: map[string]chan struct{}{}, twice: seen}
	p.charges = p.queue("payment", p.see, map[State]time.Duration{Ready: resend, Held: 0, Asked: 0, Unknown: 0, Waiting: 0})
	p.follow = p.queue("payment_act", p.seeAct, map[State]time.Duration{Open: 0})
	return p, nil
}

func (p *Payments) queue(table string, see func(context.Context, string), left map[State]time.Duration) *queue {
	return &queue{store: p.deps.Store, log: p.deps.Log, box: p.cfg.Box, table: table, left: left, lease: p.lease(), see: see, wake: make(chan struct{}, 1), busy: map[string]bool{}}
}

// Errors of orders.
var (
	ErrBadOrder = errors.New("that can't be charged")
	ErrUnknown  = errors.New("there is no such payment")
	ErrAway     = errors.New("the provider can't be reached")
)

// check refuses what no provider could be asked.
func (p *Payments) check(o Order) error {
	_, known := p.deps.Gateways[o.Gateway]
	switch {
	case !known:
		return fmt.Errorf("%w: no gateway %q is configured", ErrBadOrder, o.Gateway)
	case o.Minor < 0 || o.Minor == 0 && o.Bill == "" || o.Minor > mostMinor:
		return fmt.Errorf("%w: the amount is not above 0, or too much", ErrBadOrder)
	case o.Total < 0 || o.Total > mostMinor || o.Total > 0 && (o.Bill != "" || o.Minor > o.Total):
		return fmt.Errorf("%w: a total begins a bill, and is no less than the amount", ErrBadOrder)
	case !gateway.IsCurrency(o.Currency):
		return fmt.Errorf("%w: the currency is not three capital letters of ISO 4217", ErrBadOrder)
	case !gateway.IsReference(o.Reference):
		return fmt.Errorf("%w: the reference is not up to 64 letters, digits, dots, hyphens and underscores, with at most 11 digits in a row", ErrBadOrder)
	}
	return nil
}

// mostMinor is what fits in ISO 8583's field 4, twelve digits.
const mostMinor = 999_999_999_999

package payment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(workIn); dir != "" {
		b, err := openBox(dir, os.Getenv(provider))
		if err == nil {
			err = b.work(os.Stdout)
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

const (
	thePAN = "4242424242424242"
	theCVV = "928374650192" // longer than any, so that it can be searched for
)

// till is a provider that keeps books, in memory: what a connector makes of one over the network is tested with the connector.
type till struct {
	mu    sync.Mutex
	books map[string]*entry // by key
	// next is what becomes of the next requests, in order; none left: approved.
	next   []fault
	cvvs   []int // how long each card's was
	orders []gateway.Order
	asks   int // questions and reversals
	// cannotInquire has it know of reversals alone.
	cannotInquire bool
	away          bool
	mute          bool // there, and doesn't say so
}

// entry is a payment in the till's books.
type entry struct {
	charged  int // how often money was taken
	declined bool
	undone   bool
	captured int64
	refunds  map[string]int64 // by key
	stored   *gateway.Stored  // of the last request
}

// fault is what becomes of a request.
type fault int

const (
	approves fault = iota
	declines
	isAway      // nothing is sent
	refuses     // the account is wrong
	losesAsk    // the card leaves and doesn't arrive
	losesAnswer // money is taken, and nobody hears of it
	garbles     // the same, with an answer that makes no sense
	hangs       // the same, and no answer until whoever asks gives up
)

// becomes is what whoever asks hears.
func (f fault) becomes(ctx context.Context, approved, declined gateway.Answer) (gateway.Answer, error) {
	switch f {
	case isAway:
		return gateway.Answer{}, gateway.ErrNotSent
	case refuses:
		return gateway.Answer{}, gateway.ErrRefused
	case losesAsk, losesAnswer:
		return gateway.Answer{}, errLost
	case garbles:
		return gateway.Answer{}, gateway.ErrGarbled
	case hangs:
		<-ctx.Done()
		return gateway.Answer{}, ctx.Err()
	case declines:
		return declined, nil
	}
	return approved, nil
}

func (b *till) set(change func(*till)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

func (b *till) take() fault {
	if b.away {
		return isAway
	}
	if len(b.next) == 0 {
		return approves
	}
	f := b.next[0]
	b.next = b.next[1:]
	return f
}

var errLost = errors.New("the connection was lost")

func (b *till) Authorise(ctx context.Context, o gateway.Order, card *secret.Card, note func(string) error) (gateway.Answer, error) {
	b.mu.Lock()
	f := b.take()
	b.cvvs, b.orders = append(b.cvvs, card.CVV.Len()), append(b.orders, o)
	b.mu.Unlock()
	if f == isAway {
		return gateway.Answer{}, gateway.ErrNotSent
	}
	if err := note("ref-" + o.Key); err != nil {
		return gateway.Answer{}, errors.Join(gateway.ErrNotSent, err)
	}
	if f == refuses {
		return gateway.Answer{}, gateway.ErrRefused
	}
	if f == losesAsk {
		return gateway.Answer{}, errLost
	}
	b.mu.Lock()
	e := b.books[o.Key]
	if e == nil {
		e = &entry{refunds: map[string]int64{}}
		b.books[o.Key] = e
	}
	e.stored = o.Stored
	if f == declines {
		e.declined = true
	} else if !e.undone {
		e.charged++
	}
	b.mu.Unlock()
	return f.becomes(ctx, gateway.Answer{Outcome: gateway.Approved, Auth: "A1B2C3", CVV: gateway.Match, NetworkID: "net-7"},
		gateway.Answer{Outcome: gateway.Declined, Class: gateway.Funds, Code: "51"})
}

func (b *till) Reach(ctx context.Context) error {
	b.mu.Lock()
	away, mute := b.away, b.mute
	b.mu.Unlock()
	switch {
	case away:
		return errLost
	case mute:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func (b *till) Inquire(_ context.Context, o gateway.Order, ref string) (gateway.Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asks++
	if b.cannotInquire {
		return gateway.Answer{}, gateway.ErrCannotInquire
	}
	if b.away {
		return gateway.Answer{}, errLost
	}
	e := b.books[o.Key]
	switch {
	case ref != "ref-"+o.Key:
		return gateway.Answer{}, errors.New("asked for what was never noted")
	case e == nil:
		b.books[o.Key] = &entry{undone: true} // and never will be
		return gateway.Answer{Outcome: gateway.NotThere}, nil
	case e.declined:
		return gateway.Answer{Outcome: gateway.Declined, Class: gateway.Funds}, nil
	}
	return gateway.Answer{Outcome: gateway.Approved, Auth: "A1B2C3"}, nil
}

func (b *till) Void(_ context.Context, o gateway.Order, _ string) (gateway.Answer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asks++
	if b.away {
		return gateway.Answer{}, errLost
	}
	if b.books[o.Key] == nil {
		b.books[o.Key] = &entry{}
	}
	b.books[o.Key].undone = true
	return gateway.Answer{Outcome: gateway.Approved}, nil
}

func (b *till) Capture(ctx context.Context, o gateway.Order, ref string, minor int64) (gateway.Answer, error) {
	return b.do(ctx, o, ref, func(e *entry) bool { return e.captured != 0 }, func(e *entry) { e.captured = minor })
}

func (b *till) Refund(ctx context.Context, o gateway.Order, ref, key string, minor int64) (gateway.Answer, error) {
	return b.do(ctx, o, ref, func(e *entry) bool { return e.refunds[key] != 0 }, func(e *entry) { e.refunds[key] = minor })
}

// do is what becomes of a request about a payment that there is. What was done before isn't declined any more.
func (b *till) do(ctx context.Context, o gateway.Order, ref string, done func(*entry) bool, change func(*entry)) (gateway.Answer, error) {
	b.mu.Lock()
	f, e := b.take(), b.books[o.Key]
	b.asks++
	if e == nil || ref != "ref-"+o.Key {
		b.mu.Unlock()
		return gateway.Answer{}, errors.New("asked about what never was")
	}
	if done(e) && (f == declines || f == refuses) {
		f = approves
	}
	if f == approves || f == losesAnswer || f == garbles || f == hangs {
		change(e)
	}
	b.mu.Unlock()
	return f.becomes(ctx, gateway.Answer{Outcome: gateway.Approved}, gateway.Answer{Outcome: gateway.Declined, Class: gateway.Refusal, Code: "05"})
}

// agrees reports whether the till's books say the same of an approved payment.
func (b *till) agrees(with Books) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, refunded := b.books[with.ID], int64(0)
	for _, minor := range e.refunds {
		refunded += minor
	}
	return e.undone == with.Voided() && e.captured == with.sum(Capture, Done) && refunded == with.Refunded() && !with.any(Capture, Open) && !with.any(Void, Open) && !with.any(Refund, Open)
}

// taken is how often the till has money for a payment.
func (b *till) taken(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.books[key]; e != nil && !e.undone {
		return e.charged
	}
	return 0
}

// rig is payments on all that they stand on, but for the provider.
type rig struct {
	dir   string
	db    *store.DB
	vault *vault.Vault
	audit *audit.Log
	till  *till
	pays  *Payments
	mu    sync.Mutex
	told  []Payment
	acts  []Act
	sent  []Event
	stop  func()
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), till: &till{books: map[string]*entry{}}}
	where, err := storetest.At(filepath.Join(r.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if r.db, err = store.Open(context.Background(), store.Config{Dir: filepath.Join(r.dir, "state"), Postgres: store.Postgres{Where: where, Box: "test"}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.db.Close() })
	if r.audit, err = audit.New(context.Background(), audit.Config{Box: "test", KeyFile: filepath.Join(r.dir, "audit.key")}, audit.Deps{Store: r.db}); err != nil {
		t.Fatal(err)
	}
	key, err := keys.Random()
	if err != nil {
		t.Fatal(err)
	}
	root := keys.Held(keys.TPM, key)
	r.vault, err = vault.New(context.Background(), vault.Config{Retention: 24 * time.Hour, OnceTTL: time.Hour, Destinations: []vault.Destination{{Name: "crm"}, {Name: "erp", Own: true}},
		Rules: []vault.Rule{{Caller: Caller, Purpose: Purpose, Connector: "till", PerHour: 1 << 30}, {Caller: Caller, Purpose: Stored, Connector: "till", PerHour: 1 << 30, Consented: true}}},
		vault.Deps{Store: r.db, Root: root, Audit: r.audit, Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.vault.Close() })
	r.build(t)
	t.Cleanup(func() { r.stop() })
	return r
}

// build makes payments on the rig, as a start of flattoned does. They don't run.
func (r *rig) build(t testing.TB) {
	t.Helper()
	var err error
	r.pays, err = New(Config{Box: "test", Patience: 30 * time.Second}, Deps{
		Store: r.db, Audit: r.audit, Cards: r.vault, Gateways: map[string]gateway.Connector{"till": gateway.Guard(r.till)}, Log: slog.New(slog.DiscardHandler),
		Enqueue: func(tx *store.Tx, e Event) error {
			tx.OnCommit(func() {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.sent = append(r.sent, e)
			})
			return nil
		},
		Tell: func(p Payment) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.told = append(r.told, p)
		},
		TellAct: func(_ Payment, a Act) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.acts = append(r.acts, a)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.stop = func() {}
}

// run has them run until stop.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	pays := r.pays
	go func() {
		defer close(done)
		pays.Run(ctx)
	}()
	r.stop = func() {
		cancel()
		<-done
	}
}

func (r *rig) order(capture string) Order {
	return Order{Capture: capture, Line: "desk-1", Profile: "full", Gateway: "till", Minor: 1234, Currency: "EUR", Reference: "order-7", Take: true,
		Address: gateway.Address{Line: "1 High Street", Postcode: "AB1 2CD"}}
}

// card is a test card.
func aCard(t testing.TB) *secret.Card {
	t.Helper()
	card, err := cardOf(thePAN, "1131", theCVV)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	return card
}

func cardOf(pan, expiry, cvv string) (*secret.Card, error) {
	card, err := secret.NewCard()
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		to     *secret.Text
		digits string
	}{{card.PAN, pan}, {card.Expiry, expiry}, {card.CVV.Text, cvv}} {
		for i := range len(f.digits) {
			if err := f.to.Append(f.digits[i]); err != nil {
				return nil, err
			}
		}
	}
	return card, nil
}

// seal has the vault take a card, and answers with its token.
func (r *rig) seal(t testing.TB, capture string, kind vault.Kind) string {
	t.Helper()
	token, err := r.vault.Seal(context.Background(), vault.Capture{ID: capture, Line: "desk-1", Place: "trunk-side", Profile: "full", Tenant: "main", Kind: kind,
		Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}, aCard(t))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// wants arms, in a manner of speaking: it answers with the payment and its capture.
func (r *rig) wants(t testing.TB, change func(*Order)) Payment {
	t.Helper()
	o := r.order(vault.NewCaptureID(time.Now()))
	if change != nil {
		change(&o)
	}
	pay, err := r.pays.Want(context.Background(), "ann", o)
	if err != nil {
		t.Fatal(err)
	}
	return pay
}

// sealed hands a card over, as a line does.
func (r *rig) sealed(t testing.TB, pay Payment, kind vault.Kind) (token string) {
	t.Helper()
	token = r.seal(t, pay.Capture, kind)
	if err := r.pays.Sealed(context.Background(), pay.Capture, token, aCard(t)); err != nil {
		t.Fatal(err)
	}
	return token
}

// is how a payment stands in the store.
func (r *rig) is(t testing.TB, id string) Payment {
	t.Helper()
	pay, err := r.pays.of(context.Background(), "id", id)
	if err != nil {
		t.Fatal(err)
	}
	return pay
}

package iso8583

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// forms are the ways of writing that the tests go through.
var forms = map[string]message.Form{"characters": {}, "packed, by a TPDU": {Packed: true, TPDU: "\x60\x00\x03\x00\x00"}}

func aConfig(form message.Form) Config {
	return Config{Address: "acquirer:5000", Plain: true, Form: form, Terminal: "FLAT0001", Acceptor: "000000000123456", Category: "5969", Institution: "123456"}
}

// rig is a connector that runs, and its acquirer, in a bubble.
type rig struct {
	t    testing.TB
	c    *Connector
	bank *acquirer.Acquirer
	stop func()

	mu     sync.Mutex
	unplug error // what a dial is answered by, if anything
	states []State
	whys   []error
}

// bubble runs a test with a rig, in virtual time.
func bubble(t *testing.T, form message.Form, test func(*testing.T, *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, form, nil)
		r.start(aConfig(form), Deps{})
		defer func() { r.stop() }()
		test(t, r)
	})
}

// newRig is an acquirer, plain without a TLS config, and nobody who asks him yet.
func newRig(t *testing.T, form message.Form, secure *tls.Config) *rig {
	r := &rig{t: t, bank: acquirer.New(form, secure)}
	t.Cleanup(r.bank.Close)
	return r
}

// start has a connector run until it is ready.
func (r *rig) start(cfg Config, deps Deps) {
	r.t.Helper()
	deps.Dial = r.dial
	deps.OnState = func(s State, why error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.states, r.whys = append(r.states, s), append(r.whys, why)
	}
	c, err := New(cfg, deps)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	}
	r.c = c
	synctest.Wait()
}

func (r *rig) dial(context.Context, string, string) (net.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unplug != nil {
		return nil, r.unplug
	}
	ours, theirs := net.Pipe()
	r.bank.Take(theirs)
	return ours, nil
}

// cut ends the connection and keeps it from coming back, until it is called with nil.
func (r *rig) cut(why error) {
	r.mu.Lock()
	r.unplug = why
	r.mu.Unlock()
	if why != nil {
		r.bank.HangUp()
	}
	synctest.Wait()
}

const good = "4242424242424242"

func aCard(t testing.TB, pan, mmyy, cvv string) *secret.Card {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	for text, digits := range map[*secret.Text]string{card.PAN: pan, card.Expiry: mmyy, card.CVV.Text: cvv} {
		for i := range len(digits) {
			if err := text.Append(digits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Cleanup(card.Destroy)
	return card
}

func anOrder(key string, minor int64) gateway.Order {
	return gateway.Order{Key: key, Minor: minor, Currency: "EUR"}
}

// pays authorises with a card, and tells the reference that was noted.
func (r *rig) pays(o gateway.Order, pan string) (a gateway.Answer, noted string, err error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 20*time.Second)
	defer cancel()
	a, err = gateway.Guard(r.c).Authorise(ctx, o, aCard(r.t, pan, "1229", "123"), func(ref string) error { noted = ref; return nil })
	if err == nil && a.Ref != "" {
		noted = a.Ref
	}
	return a, noted, err
}

// voids has two minutes.
func (r *rig) voids(o gateway.Order, ref string) (gateway.Answer, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), 2*time.Minute)
	defer cancel()
	return gateway.Guard(r.c).Void(ctx, o, ref)
}

// holds is what the books hold of all.
func (r *rig) holds() (all int64) {
	for _, e := range r.bank.Books() {
		all += e.Holds()
	}
	return all
}

// unknown reports whether an error leaves open what was done.
func unknown(err error) bool {
	return err != nil && !errors.Is(err, gateway.ErrNotSent) && !errors.Is(err, gateway.ErrRefused) && !errors.Is(err, gateway.ErrCannotInquire)
}

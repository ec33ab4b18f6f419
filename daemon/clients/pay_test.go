package clients

import (
	"errors"
	"fmt"
	"testing"

	"github.com/flattone/flattone/daemon/payment"
)

const (
	paid   = "pay_bbbbbbbbbbbbbbbbbbbbbbbbbb"
	theirs = "pay_cccccccccccccccccccccccccc"
)

// payingRig has two payments, one of them of another gateway.
func payingRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	one := r.all["crm"]
	one.PerHour = 100
	r.all["crm"] = one
	for name, gateway := range map[string]string{paid: "till", theirs: "bank"} {
		r.pays.books[name] = payment.Books{Payment: payment.Payment{ID: name, State: payment.Approved, Order: payment.Order{Gateway: gateway, Minor: 6000, Currency: "EUR", Take: true}}}
	}
	return r
}

func (r *rig) send(id, form string, args ...any) Answer {
	return r.Serve(r.t.Context(), "crm", id, fmt.Appendf(nil, form, args...))
}

func (r *rig) code(want Code, id, form string, args ...any) {
	r.t.Helper()
	if a := r.send(id, form, args...); a.Error == nil || a.Error.Code != want {
		r.t.Errorf("%s is answered %s, want %s", id, a.JSON(), want)
	}
}

const (
	charge = `{"verb":"charge","purpose":"support","token":%q,"minor":%d,"currency":%q}`
	refund = `{"verb":"refund","purpose":"support","payment":%q,"minor":%d}`
	books  = `{"verb":"payment","purpose":"support","payment":%q}`
)

// TestChargedOnce: by an id a card is charged once, though the box is killed once it is, and the card is gone by the time it is asked again.
func TestChargedOnce(t *testing.T) {
	r := payingRig(t)
	r.code(NotAllowed, "much", charge, token, 5001, "EUR")
	r.code(NotAllowed, "yen", charge, token, 5000, "JPY")
	r.code(UnknownToken, "none", charge, "tok_bbbbbbbbbbbbbbbbbbbbbbbbbb", 5000, "EUR")
	r.pays.fail = payment.ErrNoConsent
	r.code(NoConsent, "unwanted", charge, token, 5000, "EUR")
	r.pays.fail, r.pays.after = nil, errors.New("the answer got lost")
	r.code(Unavailable, "1", charge, token, 5000, "EUR")
	clear(r.cards.known)
	r.pays.after = nil
	r.code(IDReused, "1", charge, token, 4999, "EUR")
	for range 2 {
		a := r.send("1", charge, token, 5000, "EUR")
		if p := a.Payment; p == nil || p.ID != "pay_aaaaaaaaaaaaaaaaaaaaaaaaaa" || p.State != payment.Ready || p.Minor != 5000 || p.Currency != "EUR" {
			t.Errorf("answered %s", a.JSON())
		}
	}
	r.code(NoConsent, "unwanted", charge, token, 5000, "EUR")
	if len(r.pays.charged) != 1 || !r.pays.charged["client crm 1"].Take {
		t.Errorf("charged %+v", r.pays.charged)
	}
	if got := r.entries(); got["client.answered ok"] != 1 || got["client.answered no_consent"] != 1 || got["client.answered unknown_token"] != 1 || got["client.refused not_allowed"] != 2 {
		t.Errorf("the log has %v", got)
	}
}

// TestActs: with a payment of the client's gateway, and no more than it may.
func TestActs(t *testing.T) {
	r := payingRig(t)
	if p := r.send("1", books, paid).Payment; p == nil || p.State != payment.Approved || p.Taken != 6000 || p.Refunded != 0 {
		t.Errorf("it stands %+v", p)
	}
	r.code(UnknownPayment, "2", books, theirs)
	r.code(UnknownPayment, "3", books, "pay_dddddddddddddddddddddddddd")
	r.code(UnknownPayment, "4", refund, theirs, 1)
	r.code(NotAllowed, "5", refund, paid, 5001)
	r.code(Impossible, "6", `{"verb":"refund","purpose":"support","payment":%q}`, paid) // may be all 6000
	for range 2 {
		a := r.send("7", refund, paid, 5000)
		if a.Act == nil || *a.Act != (Act{ID: "act_aaaaaaaaaaaaaaaaaaaaaaaaaa", Payment: paid, Kind: payment.Refund, Minor: 5000, State: payment.Open}) {
			t.Errorf("answered %s", a.JSON())
		}
	}
	if a := r.send("8", `{"verb":"void","purpose":"support","payment":%q}`, paid); a.Act == nil || a.Act.Kind != payment.Void {
		t.Errorf("answered %s", a.JSON())
	}
	r.pays.fail = fmt.Errorf("payment: %w: nothing is left", payment.ErrCannot)
	r.code(Impossible, "9", `{"verb":"capture","purpose":"support","payment":%q,"minor":1}`, paid)
	r.pays.fail = payment.ErrKeyReused
	r.code(IDReused, "10", refund, paid, 1)
	if len(r.pays.acts) != 2 {
		t.Errorf("done %+v", r.pays.acts)
	}
}

package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/store"
)

// kept is a payment as the store has it.
type kept struct {
	ID, Gateway, Currency, Reference, Token, State, Reason string
	Minor, Take, Created, Changed                          int64
}

// keptPayments are all of a stopped box's, and how many cards wait for one.
func (r *rig) keptPayments(t *testing.T) (all []kept, flights int) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Config{Dir: r.State(), Postgres: r.shared})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		all = nil
		err := tx.Each(func(scan func(...any) error) error {
			var k kept
			err := scan(&k.ID, &k.Gateway, &k.Currency, &k.Reference, &k.Token, &k.State, &k.Reason, &k.Minor, &k.Take, &k.Created, &k.Changed)
			all = append(all, k)
			return err
		}, "SELECT id, gateway, currency, reference, token, state, reason, minor, take, created, changed FROM payment ORDER BY id")
		if err != nil {
			return err
		}
		return tx.One([]any{&flights}, "SELECT COUNT(*) FROM card_key")
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, flights
}

// reconcile holds what the box, its providers and upstream have of every payment against each other.
func (r *rig) reconcile(t *testing.T, till, bank *provider, starts []time.Time) {
	t.Helper()
	atTill, atBank := till.stripesBooks(t), bank.acquirersBooks(t)
	upstream := r.paymentsUpstream(t)
	all, flights := r.keptPayments(t)
	ends, longest := map[string]int{}, time.Duration(0)
	for _, p := range all {
		ends[strings.TrimSpace(p.Gateway+" "+p.State+" "+p.Reason)]++
		var taken, held, charges int64
		switch p.Gateway {
		case "till":
			e := atTill[p.ID]
			delete(atTill, p.ID)
			if e.Charges > 0 && (e.Reference != p.Reference || e.Currency != p.Currency) {
				t.Errorf("%s is for %s in %s, and with the provider for %s in %s", p.ID, p.Reference, p.Currency, e.Reference, e.Currency)
			}
			taken, held, charges = e.Taken-e.Returned, e.Held, int64(e.Charges)
		case "bank":
			number := field37(p.ID)
			if e := atBank[number]; e.Code == "00" && !e.Reversed {
				taken, held, charges = e.Taken, e.Authorised-e.Taken, 1
			}
			delete(atBank, number)
		}
		wantTaken, wantHeld, wantCharges := int64(0), int64(0), int64(0)
		if p.State == control.PaymentApproved {
			if wantCharges = 1; p.Take == 1 {
				wantTaken = p.Minor
			} else {
				wantHeld = p.Minor
			}
		}
		if taken != wantTaken || held != wantHeld || charges != wantCharges {
			t.Errorf("%s is %s %s for %d, and in the books of %s %d are taken, %d held, in %d charges", p.ID, p.State, p.Reason, p.Minor, p.Gateway, taken, held, charges)
		}
		if !over(p.State) {
			t.Errorf("%s is %s %s: it has not ended", p.ID, p.State, p.Reason)
		}
		if want := map[bool][]string{true: {"payment." + p.State}}[p.Token != ""]; !slices.Equal(upstream[p.ID], want) {
			t.Errorf("%s is %s, and upstream was told %v", p.ID, p.State, upstream[p.ID])
		}
		delete(upstream, p.ID)
		longest = max(longest, sinceStart(p, starts))
	}
	for key := range atTill {
		t.Errorf("Stripe's simulator has %s, which nobody here wanted", key)
	}
	for number, e := range atBank {
		if e.Holds() != 0 {
			t.Errorf("the acquirer has %s, which nobody here wanted", number)
		}
	}
	for id := range upstream {
		t.Errorf("upstream was told of %s, which there isn't", id)
	}
	if flights > 0 {
		t.Errorf("%d cards are still kept for payments that have ended", flights)
	}
	r.toldOnce(t, all)
	for _, how := range slices.Sorted(maps.Keys(ends)) {
		t.Logf("%4d %s", ends[how], how)
	}
	t.Logf("measured: %d payments, %d of them in doubt; what a start of flattoned found open was known after %v at most", len(all), len(r.told(control.PaymentUnknown)), longest.Round(time.Millisecond))
}

// sinceStart is how long after a restart a payment ended that was under way before it; 0 if there was none.
func sinceStart(p kept, starts []time.Time) time.Duration {
	created, changed := time.UnixMicro(p.Created), time.UnixMicro(p.Changed)
	for _, s := range slices.Backward(starts) {
		if s.Before(changed) && s.After(created) {
			return changed.Sub(s)
		}
	}
	return 0
}

// field37 is the number by which the acquirer is asked for a payment: sixty bits of its id's hash.
func field37(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base32.StdEncoding.EncodeToString(sum[:])[:12]
}

// toldOnce holds what the feed said of payments' ends against what they are.
func (r *rig) toldOnce(t *testing.T, all []kept) {
	t.Helper()
	is := map[string]string{}
	for _, p := range all {
		is[p.ID] = p.State
	}
	for _, e := range r.events {
		if e.Kind == control.KindPayment && over(e.State) && is[e.Payment] != e.State {
			t.Errorf("the agent was told that %s is %s, and it is %s", e.Payment, e.State, is[e.Payment])
		}
	}
}

// paymentsUpstream are the types of the events that upstream verified, by payment. The receiver drops what it has had by its id.
func (r *rig) paymentsUpstream(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for line := range bytes.Lines(r.got.Bytes()) {
		var got struct {
			Event struct {
				Type string
				Data struct{ Payment string }
			}
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(got.Event.Type, "payment.") {
			all[got.Event.Data.Payment] = append(all[got.Event.Data.Payment], got.Event.Type)
		}
	}
	return all
}

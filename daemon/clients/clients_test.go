package clients

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/payment"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cards are a vault's, by the tokens that anybody knows them by.
type cards struct {
	known map[string]vault.Entry
	held  error
	shred int
}

func (c *cards) Known(_ *store.Tx, destination, token string) (vault.Entry, error) {
	e, known := c.known[destination+" "+token]
	if !known {
		return e, vault.ErrUnknownToken
	}
	return e, nil
}

func (c *cards) ShredIn(tx *store.Tx, _, token string) error {
	if c.held != nil {
		return c.held
	}
	tx.OnCommit(func() {
		c.shred++
		for name, e := range c.known {
			if e.Token == token {
				delete(c.known, name)
			}
		}
	})
	return nil
}

// pays are payments', which do what is asked once for each client and key.
type pays struct {
	charged map[string]payment.Payment
	books   map[string]payment.Books
	acts    map[string]payment.Act
	fail    error // what they answer, if set
	after   error // what they answer once it is done, if set
}

func (p *pays) ChargeStored(_ context.Context, by, key string, o payment.StoredOrder) (payment.Payment, error) {
	if p.fail != nil {
		return payment.Payment{}, p.fail
	}
	pay, there := p.charged[by+" "+key]
	if !there {
		pay = payment.Payment{ID: fmt.Sprintf("pay_aaaaaaaaaaaaaaaaaaaaaaaaa%c", 'a'+len(p.charged)), Token: o.Token, State: payment.Ready,
			Order: payment.Order{Gateway: o.Gateway, Minor: o.Minor, Currency: o.Currency, Reference: o.Reference, Take: o.Take}}
		p.charged[by+" "+key] = pay
	}
	return pay, p.after
}

func (p *pays) Act(_ context.Context, by, key, name string, kind payment.Kind, minor int64) (payment.Act, error) {
	if p.fail != nil {
		return payment.Act{}, p.fail
	}
	act, there := p.acts[by+" "+key]
	if !there {
		act = payment.Act{ID: "act_aaaaaaaaaaaaaaaaaaaaaaaaaa", Payment: name, Kind: kind, Minor: minor, State: payment.Open}
		p.acts[by+" "+key] = act
	}
	return act, p.after
}

func (p *pays) Books(_ context.Context, name string) (payment.Books, error) {
	b, there := p.books[name]
	if !there {
		return b, payment.ErrUnknown
	}
	return b, nil
}

// rig is clients on a store, an audit log and one card.
type rig struct {
	t     testing.TB
	db    *store.DB
	log   *audit.Log
	cards *cards
	pays  *pays
	*Clients
}

func newRig(t testing.TB) *rig {
	t.Helper()
	dir := t.TempDir()
	where, err := storetest.At(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Dir: filepath.Join(dir, "state"), Postgres: store.Postgres{Where: where, Box: "box"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	r := &rig{t: t, db: db, cards: &cards{known: map[string]vault.Entry{"bus " + token: {Token: token, Kind: vault.Reusable, Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}}},
		pays: &pays{charged: map[string]payment.Payment{}, books: map[string]payment.Books{}, acts: map[string]payment.Act{}}}
	if r.log, err = audit.New(t.Context(), audit.Config{Box: "box", KeyFile: filepath.Join(dir, "state", "audit.key")}, audit.Deps{Store: db}); err != nil {
		t.Fatal(err)
	}
	r.Clients, err = New([]Client{{Name: "crm", Destination: "bus", May: Verbs(), Purposes: []string{"support"}, PerHour: 5, Gateway: "till", Currency: "EUR", MostMinor: 5000}, {Name: "shop", Destination: "other", May: Verbs(), Purposes: []string{"support"}, PerHour: 5}},
		Deps{Store: db, Audit: r.log, Cards: r.cards, Payments: r.pays, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) ask(client, id string, verb Verb) Answer {
	return r.Serve(r.t.Context(), client, id, fmt.Appendf(nil, `{"verb":%q,"purpose":"support","token":%q}`, verb, token))
}

func (r *rig) refused(client, id string, verb Verb, code Code) {
	r.t.Helper()
	if a := r.ask(client, id, verb); a.Error == nil || a.Error.Code != code {
		r.t.Errorf("%s of %s's is answered %s, want %s", id, client, a.JSON(), code)
	}
}

// entries counts the log's by action and result.
func (r *rig) entries() map[string]int {
	r.t.Helper()
	all, err := r.log.Recent(r.t.Context(), 1000)
	if err != nil {
		r.t.Fatal(err)
	}
	n := map[string]int{}
	for _, e := range all {
		code, _, _ := strings.Cut(e.Result, ":")
		n[e.Action+" "+code]++
	}
	return n
}

// TestOnce: what is done under an id is done once, whoever else uses it, also after a restart; and only within the hour's number.
func TestOnce(t *testing.T) {
	r := newRig(t)
	if a := r.ask("crm", "1", Lookup); a.Card == nil || a.Card.Last4 != "4242" {
		t.Errorf("it is told %s", a.JSON())
	}
	if a := r.ask("shop", "1", Lookup); a.Error.Code != UnknownToken {
		t.Errorf("another is told %s", a.JSON())
	}
	r.cards.held = vault.ErrOnHold
	r.refused("crm", "2", Delete, OnHold)
	r.cards.held = errors.New("the outbox refuses")
	r.refused("crm", "3", Delete, Unavailable)
	r.cards.held = nil
	r.refused("crm", "2", Delete, OnHold) // as it was
	r.refused("crm", "2", Lookup, IDReused)
	for range 2 {
		if a := r.ask("crm", "3", Delete); !a.Deleted { // it was not done, so it is now
			t.Errorf("answered %s", a.JSON())
		}
		again, err := New([]Client{r.all["crm"], r.all["shop"]}, r.deps)
		if err != nil {
			t.Fatal(err)
		}
		r.Clients = again
	}
	if r.cards.shred != 1 {
		t.Errorf("shredded %d times", r.cards.shred)
	}
	r.refused("shop", "3", Delete, UnknownToken) // its own id, and not its card
	r.refused("crm", "4", Lookup, UnknownToken)
	r.refused("crm", "4", Lookup, UnknownToken) // looked again, and counted so
	r.refused("crm", "4", Lookup, Quota)
	r.refused("crm", "6", Lookup, Quota)
	r.refused("shop", "6", Lookup, UnknownToken)
	if a := r.ask("crm", "3", Delete); !a.Deleted {
		t.Errorf("what was answered is not, once the hour is full: %s", a.JSON())
	}
	r.refused("nobody", "1", Lookup, NotAllowed)
	got := r.entries()
	for entry, want := range map[string]int{"client.answered ok": 2, "client.answered on_hold": 1, "client.answered unknown_token": 5, "client.refused id_reused": 1, "client.refused quota": 2,
		"client.refused not_allowed": 1} {
		if got[entry] != want {
			t.Errorf("%d entries of %s, want %d", got[entry], entry, want)
		}
	}
}

// BenchmarkServe looks a card up: a request noted, answered, in the audit log, and flushed.
func BenchmarkServe(b *testing.B) {
	r := newRig(b)
	one := r.all["crm"]
	one.PerHour = 1 << 30
	r.all["crm"] = one
	for i := 0; b.Loop(); i++ {
		if a := r.ask("crm", fmt.Sprint("look-", i), Lookup); a.Card == nil {
			b.Fatal(string(a.JSON()))
		}
	}
}

// TestForgotten: looks after an hour, acts after a month.
func TestForgotten(t *testing.T) {
	r := newRig(t)
	ask := func(id string, verb Verb, now time.Time) (a Answer) {
		err := r.db.Write(t.Context(), func(tx *store.Tx) (err error) {
			var over *Answer
			if over, err = r.take(tx, &asked{Request: Request{Verb: verb, Purpose: "support", Token: token}, who: r.all["shop"], id: id, now: now}); over != nil {
				a = *over
			}
			if away, is := errors.AsType[turnedAway](err); is {
				a.Error, err = away.answer, nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	now := time.Now()
	ask("look", Lookup, now)
	ask("act", Delete, now)
	if a := ask("act", Lookup, now.Add(29*24*time.Hour)); a.Error.Code != IDReused {
		t.Errorf("an act's id, a month less a day later: %s", a.JSON())
	}
	if a := ask("look", Delete, now.Add(2*time.Hour)); a.Error.Code != UnknownToken {
		t.Errorf("a look's id, two hours later: %s", a.JSON())
	}
	if a := ask("act", Lookup, now.Add(31*24*time.Hour)); a.Error.Code != UnknownToken {
		t.Errorf("an act's id, a month and a day later: %s", a.JSON())
	}
}

// TestDoor: a flood of those who are turned away is entered by its number.
func TestDoor(t *testing.T) {
	d, now := newDoor(), time.Now()
	entered := 0
	for range 1000 {
		if _, is := d.enter("crm", now); is {
			entered++
		}
	}
	if _, is := d.enter("shop", now); entered != entriesAtOnce || !is {
		t.Errorf("%d of 1000 are entered; another client's is: %t", entered, is)
	}
	if more, is := d.enter("crm", now.Add(entryEvery)); !is || more != 1000-entriesAtOnce {
		t.Errorf("a second later: %t, and %d more", is, more)
	}
	if _, is := d.enter("crm", now.Add(entryEvery)); is {
		t.Error("two in that second")
	}
}

func TestExpired(t *testing.T) {
	for at, want := range map[string]bool{"2031-11-30T23:59:59Z": false, "2031-12-01T11:59:59Z": false, "2031-12-01T12:00:00Z": true, "2040-01-01T00:00:00Z": true} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if expired(11, 2031, now) != want || expired(0, 0, now) {
			t.Errorf("at %s: %t", at, !want)
		}
	}
	if dec := time.Date(2032, 1, 1, 12, 0, 0, 0, time.UTC); !expired(12, 2031, dec) || expired(12, 2031, dec.Add(-time.Second)) {
		t.Error("a card that ends in December")
	}
}

func TestNewRefuses(t *testing.T) {
	r := newRig(t)
	good := r.all["crm"]
	for name, change := range map[string]func(*Client){"no name": func(c *Client) { c.Name = "" }, "no destination": func(c *Client) { c.Destination = "" }, "may nothing": func(c *Client) { c.May = nil },
		"for nothing": func(c *Client) { c.Purposes = nil }, "never": func(c *Client) { c.PerHour = 0 }} {
		one := good
		change(&one)
		if _, err := New([]Client{one}, r.deps); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

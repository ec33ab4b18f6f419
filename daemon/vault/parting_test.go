package vault

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// told are the events in the outbox that tell of a card's end: what each says by its type.
func told(t *testing.T, r *rig) map[string]parting {
	t.Helper()
	all := map[string]parting{}
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var body []byte
			if err := scan(&body); err != nil {
				return err
			}
			var e struct {
				Type string
				Data parting
			}
			if err := json.Unmarshal(body, &e); err != nil {
				return err
			}
			if e.Type != EventCaptured {
				all[e.Type] = e.Data
			}
			return nil
		}, "SELECT body FROM outbox")
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Upstream is told of a card that is gone by the token it knows, in the transaction in which it goes; but not of one that it had resolved itself.
func TestUpstreamIsToldOfACardsEnd(t *testing.T) {
	cfg := config()
	cfg.Destinations = []Destination{{Name: "webhook", Own: true, Number: true}}
	r, err := openRigAs(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	kept, flight, resolved := visa("kept"), visa("flight"), visa("resolved")
	flight.Kind, resolved.Kind = Flight, Flight
	token, inFlight := r.mustSeal(t, kept), r.mustSeal(t, flight)
	if err := r.vault.Resolve(t.Context(), "payment", r.mustSeal(t, resolved)); err != nil {
		t.Fatal(err)
	}
	if got := told(t, r); len(got) != 0 {
		t.Fatalf("told of %v, and nothing has ended unheard", got)
	}

	later := time.Now().Add(FlightTTL + time.Hour)
	r.fail = errors.New("the outbox refuses")
	if _, err := r.vault.Purge(t.Context(), later); !errors.Is(err, r.fail) {
		t.Fatalf("a purge of which nobody can be told: %v", err)
	}
	if e, err := r.vault.Find(t.Context(), inFlight); err != nil || !e.Shredded.IsZero() {
		t.Errorf("a card went, and nobody will be told: %v", err)
	}
	r.fail = nil
	if p, err := r.vault.Purge(t.Context(), later); err != nil || p.Unresolved != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	if err := r.vault.Shred(t.Context(), "anna", token); err != nil {
		t.Fatal(err)
	}
	got := told(t, r)
	for kind, want := range map[string]parting{
		EventUnresolved: {Capture: flight.ID, Kind: Flight, Why: Unresolved},
		EventShredded:   {Capture: kept.ID, Kind: Reusable, Why: Asked},
	} {
		said := got[kind]
		if !IsToken(said.Token) || said.Token == token || said.Token == inFlight || len(said.Number) != 16 {
			t.Errorf("%s doesn't name the card as the destination knows it", kind)
		}
		if said.Token, said.Number = "", ""; said != want {
			t.Errorf("%s says %+v, want %+v", kind, said, want)
		}
	}
	if e, err := r.vault.Find(t.Context(), token); err != nil || e.Why != Asked || e.Shredded.IsZero() || e.Last4 != "" {
		t.Errorf("what is known of a shredded card: %+v, %v", e, err)
	}
	if _, err := r.vault.Find(t.Context(), "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa"); !errors.Is(err, ErrUnknownToken) {
		t.Errorf("a card that never was: %v", err)
	}
}

func TestStock(t *testing.T) {
	r := newRig(t)
	if s, err := r.vault.Stock(t.Context()); err != nil || len(s.Kinds) != 0 || !s.Next.IsZero() {
		t.Errorf("an empty vault holds %+v, %v", s, err)
	}
	flight := visa("flight")
	flight.Kind = Flight
	soonest := r.mustSeal(t, flight)
	r.mustSeal(t, visa("a"))
	next := r.mustSeal(t, visa("b"))
	if err := r.vault.Hold(t.Context(), "anna", soonest, "a dispute"); err != nil {
		t.Fatal(err)
	}
	s, err := r.vault.Stock(t.Context())
	if err != nil || s.Kinds[Flight] != 1 || s.Kinds[Reusable] != 2 || s.Held != 1 || time.Until(s.Next) < FlightTTL {
		t.Errorf("it holds %+v, %v", s, err)
	}
	if e, err := r.vault.Find(t.Context(), next); err != nil || e.Kind != Reusable || e.Hold != nil || e.Last4 != "4242" {
		t.Errorf("one of them is %+v, %v", e, err)
	}
}

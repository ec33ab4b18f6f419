package vault

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flattone/flattone/daemon/secret"
)

func nothing(*secret.Card) error { return nil }

// of is a visa of a kind.
func of(kind Kind, id string) sample {
	s := visa(id)
	s.Kind = kind
	return s
}

// No card leaves but by a rule: for its caller, its purpose and its connector; and each refusal is in the log, with why.
func TestRules(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, visa("a"))
	for name, u := range map[string]Use{
		"another caller":    {Token: token, Caller: "upstream", Purpose: "charge", Connector: "simulator"},
		"another purpose":   {Token: token, Caller: "payment", Purpose: "refund", Connector: "simulator"},
		"another connector": {Token: token, Caller: "payment", Purpose: "charge", Connector: "elsewhere"},
		"nothing said":      {Token: token},
		"a number":          {Token: visa("a").pan, Caller: "upstream", Purpose: "charge", Connector: "simulator"},
	} {
		err := r.vault.Use(t.Context(), u, func(*secret.Card) error { t.Errorf("%s: a card came out", name); return nil })
		if !errors.Is(err, ErrNotAllowed) {
			t.Errorf("%s: %v", name, err)
		}
		last, err := r.audit.Recent(t.Context(), 1)
		if err != nil || last[0].Action != "card.used" || last[0].Result != ErrNotAllowed.Error() || last[0].Origin != u.Purpose+" by "+u.Connector || last[0].Object == visa("a").pan {
			t.Errorf("%s: the log doesn't tell, or tells too much (%v)", name, err)
		}
	}
}

func TestQuota(t *testing.T) {
	cfg := config()
	cfg.Rules[0].PerHour = 3
	r := newRigAs(t, cfg)
	token := r.mustSeal(t, visa("a"))
	for range 3 {
		if err := r.vault.Use(t.Context(), charge(token), nothing); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.vault.Use(t.Context(), charge(token), nothing); !errors.Is(err, ErrQuota) {
		t.Errorf("a fourth: %v", err)
	}
	r.edit(t, "UPDATE card_use SET used = used - 3600000000")
	if err := r.vault.Use(t.Context(), charge(token), nothing); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// A card for one use is used once, however many ask at the same time, and is gone before the one has it.
func TestOnce(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, of(Once, "a"))
	var used, refused atomic.Int32
	var asking sync.WaitGroup
	for range 8 {
		asking.Go(func() {
			switch err := r.vault.Use(t.Context(), charge(token), nothing); {
			case err == nil:
				used.Add(1)
			case errors.Is(err, ErrShredded), errors.Is(err, ErrUnknownToken):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if used.Load() != 1 || refused.Load() != 7 {
		t.Errorf("used %d times, refused %d times", used.Load(), refused.Load())
	}
	if again := r.mustSeal(t, of(Once, "a")); again != token {
		t.Error("resent after its use, the capture got another token")
	}
	if err := r.vault.Use(t.Context(), charge(token), nothing); !errors.Is(err, ErrShredded) {
		t.Errorf("used again: %v", err)
	}
}

// Of a card that isn't kept there is nothing to open; and none is kept for later where the root is on the disk, or the line desk-side.
func TestWhatIsKept(t *testing.T) {
	cfg := config()
	cfg.DeskSide = false
	r := newRigAs(t, cfg)
	token := r.mustSeal(t, of(OneWay, "a"))
	if err := r.vault.Use(t.Context(), charge(token), nothing); !errors.Is(err, ErrNotKept) {
		t.Errorf("one that isn't kept: %v", err)
	}
	r.mustSeal(t, of(Flight, "b"))
	desk := amex("c")
	for _, kind := range []Kind{Reusable, Once} {
		desk.Kind = kind
		if _, err := r.seal(desk); !errors.Is(err, ErrMayNotKeep) {
			t.Errorf("%s on a desk-side line: %v", kind, err)
		}
	}
	desk.Kind = Flight
	r.mustSeal(t, desk)
	if _, err := r.seal(of("forever", "d")); !errors.Is(err, ErrInvalid) {
		t.Errorf("a kind that there isn't: %v", err)
	}
}

package vault

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/store"
)

// A token of digits begins with 9, has the card's last four and at least its length, and never passes the card test.
func TestDigitTokensAreNoCards(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		last4 := rapid.StringMatching(`[0-9]{4}`).Draw(t, "last four")
		length := rapid.IntRange(12, 19).Draw(t, "length")
		n := digitToken(last4, length)
		if n[0] != '9' || !strings.HasSuffix(n, last4) || len(n) != max(16, length) || luhn(n) {
			t.Errorf("of %d digits, with first digit %c: passes the card test: %v", len(n), n[0], luhn(n))
		}
	})
}

// told is what each destination was told, by capture.
func (r *rig) told(t *testing.T) (all []announcement) {
	t.Helper()
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var body []byte
			if err := scan(&body); err != nil {
				return err
			}
			var event struct{ Data announcement }
			err := json.Unmarshal(body, &event)
			all = append(all, event.Data)
			return err
		}, "SELECT body FROM outbox ORDER BY seq")
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Two destinations that compare what they were told find nothing in common but what is released on purpose; each knows the same card again by its own fingerprint.
func TestDestinationsCantCompare(t *testing.T) {
	cfg := config()
	cfg.Destinations = []Destination{{Name: "shop", Own: true, Number: true, Fingerprint: true}, {Name: "bank", Own: true, Number: true, Fingerprint: true}, {Name: "plain"}}
	r := newRigAs(t, cfg)
	token := r.mustSeal(t, visa("a"))
	r.mustSeal(t, visa("same card"))
	other := visa("another business")
	other.Tenant = "other"
	r.mustSeal(t, other)
	told := r.told(t)
	if len(told) != 9 || told[2].Token != token || told[2].Fingerprint != "" || told[2].Number != "" {
		t.Fatalf("%d were told, the plain one of %+v", len(told), told[2])
	}
	seen := map[string]int{}
	for i, a := range told {
		for _, what := range []string{a.Token, a.Number, a.Fingerprint} {
			if what != "" {
				seen[what]++
			}
		}
		if i%3 != 2 && (!regexp.MustCompile(`^[a-z2-7]{26}$`).MatchString(a.Fingerprint) || !regexp.MustCompile(`^9\d{11}4242$`).MatchString(a.Number) || !IsToken(a.Token)) {
			t.Errorf("told %+v", a)
		}
	}
	if shop, bank := told[0].Fingerprint, told[1].Fingerprint; seen[shop] != 2 || seen[bank] != 2 || told[3].Fingerprint != shop || told[6].Fingerprint == shop {
		t.Error("the same card has another fingerprint, or another business's the same")
	}
	delete(seen, told[0].Fingerprint)
	delete(seen, told[1].Fingerprint)
	for what, n := range seen {
		if n != 1 {
			t.Errorf("%s was told %d times", what, n)
		}
	}
	var aliases int
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.One([]any{&aliases}, "SELECT COUNT(*) FROM alias WHERE token = $1", token)
	})
	if err != nil || aliases != 4 {
		t.Errorf("%d aliases lead back to the card, %v", aliases, err)
	}
}

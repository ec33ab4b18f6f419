package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

func TestSealAndUse(t *testing.T) {
	r := newRig(t)
	shape := regexp.MustCompile(`^tok_[a-z2-7]{26}$`)
	noExpiry := visa("no-expiry")
	noExpiry.expiry, noExpiry.ExpiryMonth, noExpiry.ExpiryYear = "", 0, 0
	long := visa("long")
	long.pan, long.Last4 = "6200000000000000003", "0003"
	tokens := map[string]bool{}
	for _, s := range []sample{visa("a"), amex("b"), noExpiry, long, visa("same-card-again")} {
		token := r.mustSeal(t, s)
		if !shape.MatchString(token) || tokens[token] {
			t.Errorf("capture %s: a token of the wrong shape, or twice the same", s.ID)
		}
		tokens[token] = true
		if err := r.reveals(t, token, s); err != nil {
			t.Errorf("capture %s: %v", s.ID, err)
		}
	}
	if got := r.rows(t); got != [3]int{5, 5, 11} {
		t.Errorf("rows of card, outbox, audit %v; want 5, 5, and 11 for the key, seals and uses", got)
	}
	if _, err := r.audit.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRecordsHaveOneLength(t *testing.T) {
	r := newRig(t)
	r.mustSeal(t, visa("a"))
	r.mustSeal(t, amex("b"))
	var lengths int
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.One([]any{&lengths}, "SELECT COUNT(DISTINCT length(sealed) * 1000 + length(box)) FROM card JOIN card_key ON card_key.token = card.token")
	})
	if err != nil || lengths != 1 {
		t.Errorf("%d lengths of records, want 1: a length tells the card's (%v)", lengths, err)
	}
}

func TestResending(t *testing.T) {
	r := newRig(t)
	token, before := r.mustSeal(t, visa("a")), r.rows(t)
	if again := r.mustSeal(t, visa("a")); again != token {
		t.Error("the same capture got a second token")
	}
	if after := r.rows(t); after != before {
		t.Errorf("resending wrote: rows %v became %v", before, after)
	}
	if _, err := r.seal(amex("a")); !errors.Is(err, ErrReused) {
		t.Errorf("another card under the same capture: %v, want ErrReused", err)
	}
	if after := r.rows(t); after != before {
		t.Errorf("a reused capture wrote: rows %v became %v", before, after)
	}
}

func TestResendingAtOnce(t *testing.T) {
	r := newRig(t)
	tokens := make([]string, 32)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() {
			var err error
			if tokens[i], err = r.seal(visa(fmt.Sprint("capture-", i%4))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range tokens {
		if tokens[i] == "" || tokens[i] != tokens[i%4] {
			t.Errorf("send %d of its capture got a token of its own", i)
		}
	}
	if got := r.rows(t); got != [3]int{4, 4, 5} {
		t.Errorf("rows of card, outbox, audit %v, want 4 each, and the key's", got)
	}
}

func TestAllOrNothing(t *testing.T) {
	r := newRig(t)
	r.fail = errors.New("the outbox refuses")
	if _, err := r.seal(visa("a")); !errors.Is(err, r.fail) {
		t.Errorf("got %v, want the outbox's error", err)
	}
	if got := r.rows(t); got != [3]int{0, 0, 1} {
		t.Errorf("rows of card, outbox, audit %v, want none but the key's", got)
	}
	r.fail = nil
	r.mustSeal(t, visa("a"))
}

func TestUnfitCaptures(t *testing.T) {
	r := newRig(t)
	change := func(do func(*sample)) sample { s := visa("a"); do(&s); return s }
	tests := map[string]sample{
		"no id":               change(func(s *sample) { s.ID = "" }),
		"odd id":              change(func(s *sample) { s.ID = "a b" }),
		"long id":             change(func(s *sample) { s.ID += "a" }),
		"a number for an id":  change(func(s *sample) { s.ID = s.pan }),
		"a capital in an id":  change(func(s *sample) { s.ID = strings.ToUpper(s.ID) }),
		"a card as line":      change(func(s *sample) { s.Line = s.pan }),
		"a card as brand":     change(func(s *sample) { s.Brand = s.pan }),
		"a card as profile":   change(func(s *sample) { s.Profile = "x" + s.pan }),
		"no place":            change(func(s *sample) { s.Place = "" }),
		"no PAN":              change(func(s *sample) { s.pan = "" }),
		"short PAN":           change(func(s *sample) { s.pan = "42424242424" }),
		"other last four":     change(func(s *sample) { s.Last4 = "4243" }),
		"more than last four": change(func(s *sample) { s.Last4 = "24242" }),
		"other month":         change(func(s *sample) { s.ExpiryMonth = 10 }),
		"other year":          change(func(s *sample) { s.ExpiryYear = 2032 }),
		"month 13":            change(func(s *sample) { s.expiry, s.ExpiryMonth = "1331", 13 }),
		"expiry not keyed":    change(func(s *sample) { s.expiry = "" }),
		"expiry not said":     change(func(s *sample) { s.ExpiryMonth, s.ExpiryYear = 0, 0 }),
		"odd expiry":          change(func(s *sample) { s.expiry = "113" }),
	}
	number := regexp.MustCompile(`\d{4}`)
	for name, s := range tests {
		_, err := r.seal(s)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
		if err != nil && number.MatchString(err.Error()) {
			t.Errorf("%s: the error has digits in it", name)
		}
	}
	if got := r.rows(t); got != [3]int{0, 0, 1} {
		t.Errorf("rows of card, outbox, audit %v, want none but the key's", got)
	}
}

func TestList(t *testing.T) {
	r := newRig(t)
	r.mustSeal(t, visa("a"))
	token := r.mustSeal(t, amex("b"))
	all, err := r.vault.List(t.Context(), 10)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d entries, want 2 (%v)", len(all), err)
	}
	newest, err := r.vault.List(t.Context(), 1)
	if err != nil || len(newest) != 1 || newest[0] != all[0] {
		t.Fatalf("the newest entry isn't the first of all (%v)", err)
	}
	want := Entry{Token: token, Brand: "amex", Last4: "0005", ExpiryMonth: 4, ExpiryYear: 2030, Kind: Reusable, Line: "desk-2", Capture: captureID("b"),
		Created: newest[0].Created, Expires: newest[0].Created.Add(r.cfg.Retention)}
	if newest[0] != want || want.Created.IsZero() {
		t.Error("the entry isn't what may be seen of the card")
	}
}

func TestWhatUpstreamIsTold(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, visa("capture-7"))
	var body []byte
	var key string
	err := r.db.Read(t.Context(), func(tx *store.Tx) error {
		return tx.One([]any{&body, &key}, "SELECT body, stream FROM outbox")
	})
	if err != nil || key != captureID("capture-7") {
		t.Fatalf("key %q, want the capture (%v)", key, err)
	}
	var got struct {
		Type string
		Data map[string]any
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"capture": captureID("capture-7"), "token": token, "brand": "visa", "last4": "4242", "exp_month": 11.0,
		"exp_year": 2031.0, "kind": "vault", "line": "desk-1", "place": "trunk-side"}
	if got.Type != "card.captured" || fmt.Sprint(got.Data) != fmt.Sprint(want) {
		t.Errorf("told %s with other fields than agreed", got.Type)
	}
}

func TestUseOfAnUnknownToken(t *testing.T) {
	r := newRig(t)
	err := r.vault.Use(t.Context(), charge("tok_aaaaaaaaaaaaaaaaaaaaaaaaaa"), func(*secret.Card) error { t.Error("used"); return nil })
	if !errors.Is(err, ErrUnknownToken) {
		t.Errorf("got %v, want ErrUnknownToken", err)
	}
}

func TestUseWipesAndIsLogged(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, visa("a"))
	var kept *secret.Card
	failed := errors.New("the use failed")
	err := r.vault.Use(t.Context(), charge(token), func(c *secret.Card) error { kept = c; return failed })
	if !errors.Is(err, failed) {
		t.Errorf("got %v, want the use's error", err)
	}
	if kept.PAN.Len() != 0 {
		t.Error("a card that was kept is still readable")
	}
	last, err := r.audit.Recent(t.Context(), 1)
	if err != nil || last[0].Action != "card.used" || last[0].Object != token {
		t.Errorf("the use isn't the log's newest entry (%v)", err)
	}
}

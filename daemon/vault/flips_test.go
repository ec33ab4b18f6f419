package vault

import (
	"context"
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

var everyByte = flag.Bool("every-byte", false, "TestFlippedBytes flips each byte of long values too, and not one in eleven")

// unbound are the columns, and whole tables, that no seal and no hash vouches for, because they change, or because nothing hangs on them: each with what a
// changed one does. Whatever this program does to them is in the audit log; so what somebody else did is what isn't there, once the log has been
// compared with a checkpoint that left the box. None of them yields a wrong card.
var unbound = map[string]string{
	"kek.version":         "of a destroyed one, for others are referred to: key.destroyed and the certificate name it",
	"kek.created":         "begins a cryptoperiod: a rotation comes sooner or later, and key.created or key.rotated says when it was due",
	"kek.sealed":          "how many cards a version has sealed: a rotation comes sooner or later, and the log has an entry for each",
	"kek.retired":         "nothing new is sealed under a retired version; key.rotated says when it was",
	"kek.destroyed":       "its boxes are gone all the same; key.destroyed and the certificate say when",
	"root.created":        "the order in which roots are tried and listed; key.root_added says when it was",
	"hold":                "a hold ends or begins; card.held and card.released say who did it",
	"shred":               "by it a restored card is shredded again; card.shredded, card.resolved and card.used say the same",
	"alias":               "what a destination knows a token by: nothing is opened by it, and its event has told it",
	"consent":             "whether a card may be used without its holder: card.consented has them all",
	"card_use":            "counts against the quota of the hour; card.used has them all",
	"certificate.kind":    "the signed note says it",
	"certificate.created": "the order in which they are listed; the signed note says when it was",
	"outbox":              "what upstream is told, of tokens and no digit; card.sealed has token and capture",
	"payment_act":         "what is done with a payment: payment.act_wanted and payment.act_ended have it",
	"payment":             "what a card is charged, and how that stands; payment.wanted has the amount and the capture, payment.ended what became of it",
	"client_request":      "what clients asked and were answered: client.answered has each, and charges are the payments' own",
	"factor":              "steps and locks of second factors, whose secrets are in the safe; each code taken or refused is in the log",
	"key_backup":          "a list for certificates; key.backed_up says the same",
	"custodian_set":       "custody's, whose tests change it",
	"custodian":           "custody's, whose tests change it",
	"custodian_wrap":      "custody's, whose tests change it",
}

// sampled is a vault with some of everything in it.
type sampled struct {
	*rig
	cards map[string]sample // by token
	kept  []byte            // a checkpoint that left the box
}

func newSampled(t *testing.T) *sampled {
	t.Helper()
	cfg := config()
	cfg.Destinations = []Destination{{Name: "webhook", Own: true, Number: true, Fingerprint: true}}
	r, err := openRigAs(t.Context(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	s := &sampled{rig: r, cards: map[string]sample{}}
	gone := r.mustSeal(t, visa("gone"))
	for _, card := range []sample{visa("a"), amex("b"), visa("c")} {
		s.cards[r.mustSeal(t, card)] = card
	}
	for token, card := range s.cards {
		err = errors.Join(err, r.reveals(t, token, card), r.vault.Hold(t.Context(), "auditor", token, "a dispute"))
	}
	if _, rotateErr := r.vault.Rotate(t.Context(), "test", "test"); rotateErr != nil {
		t.Fatal(rotateErr)
	}
	if err := errors.Join(err, r.vault.Shred(t.Context(), "test", gone), r.vault.Rewrap(t.Context())); err != nil {
		t.Fatal(err)
	}
	if s.kept, _, err = r.audit.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// detects reports whether a change of a table is noticed, by who uses what is in it. A wrong card fails the test, whatever else is noticed.
func (s *sampled) detects(t *testing.T, table string) bool {
	t.Helper()
	v := s.vault
	switch table {
	case "audit_entry", "audit_head":
		_, err := s.audit.Verify(t.Context(), s.kept)
		return errors.Is(err, audit.ErrTampered)
	case "certificate":
		return s.certificateIsWrong(t)
	case "kek", "kek_box", "root", "safe": // read when the vault is opened
		root, err := openRoot(s.keyFile())
		if err != nil {
			t.Fatal(err)
		}
		deps, cfg := s.deps(), s.cfg
		deps.Root, cfg.Destinations = root, nil // for whom a key would be made in place of one that is gone
		if v, err = New(t.Context(), cfg, deps); err != nil {
			root.Close()
			return errors.Is(err, ErrAltered) || errors.Is(err, ErrWrongKey)
		}
		defer v.Close()
	}
	if table == "safe" && s.safeIsWrong(t, v) {
		return true
	}
	noticed := false
	for token, want := range s.cards {
		err := v.Use(t.Context(), charge(token), func(c *secret.Card) error {
			if string(c.PAN.Reveal()) != want.pan || string(c.Expiry.Reveal()) != want.expiry {
				t.Errorf("%s: another card came out", table)
			}
			return nil
		})
		noticed = noticed || err != nil
		if err != nil && !errors.Is(err, ErrAltered) && !errors.Is(err, ErrUnknownToken) && !errors.Is(err, ErrNotKept) {
			t.Errorf("%s: %v", table, err)
		}
	}
	return noticed
}

// certificateIsWrong checks what anybody can who has the log's public key, and reads each: a note says what it is of, and so is of one thing.
func (s *sampled) certificateIsWrong(t *testing.T) bool {
	t.Helper()
	verifier, err := note.NewVerifier(s.audit.Key())
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.vault.Certificates(t.Context())
	if err != nil || len(all) == 0 {
		t.Fatal(len(all), err)
	}
	said := map[string]bool{}
	for _, c := range all {
		if _, err := note.Open(c.Note, note.VerifierList(verifier)); err != nil || said[string(c.Note)] {
			return true
		}
		said[string(c.Note)] = true
	}
	return false
}

func (s *sampled) safeIsWrong(t *testing.T, v *Vault) bool {
	t.Helper()
	key, err := keys.NewKey(func(dst []byte) error {
		return s.db.Read(context.Background(), func(tx *store.Tx) error { return v.Recall(tx, fingerprints, "webhook", dst) })
	})
	if err == nil {
		key.Destroy()
	}
	return err != nil
}

// TestFlippedBytes flips a bit of every byte of every column of rows of every table, one at a time, and has each value be another row's. Each change is refused by
// the schema, or noticed by who uses the row, or the column is declared to be one that the audit log alone vouches for; and never does another card come out.
func TestFlippedBytes(t *testing.T) {
	s := newSampled(t)
	all := s.values(t)
	// The log first: what is noticed is logged.
	slices.SortStableFunc(all, func(a, b value) int { return strings.Compare(logFirst(a.table), logFirst(b.table)) })
	changes := 0
	for i, v := range all {
		missed := 0
		for _, bad := range v.changed(all[:i]) {
			changes++
			if err := s.db.Write(t.Context(), bad.set); err != nil {
				continue // the schema refuses it
			}
			if !s.detects(t, v.table) {
				missed++
			}
			if err := s.db.Write(t.Context(), v.set); err != nil {
				t.Fatal(err)
			}
		}
		if missed > 0 && !v.isUnbound() {
			t.Errorf("%s.%s: %d changes of a value were not noticed", v.table, v.column, missed)
		}
		if s.detects(t, v.table) {
			t.Fatalf("%s.%s: put back, and still wrong", v.table, v.column)
		}
	}
	if changes < 1000 {
		t.Errorf("only %d changes were tried", changes)
	}
}

func logFirst(table string) string {
	if strings.HasPrefix(table, "audit_") {
		return " " + table
	}
	return table
}

package vault

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// load has four lines seal cards, so many each, of which every fourth is used and every fourth shredded, while the key is rotated over and over. It says a line
// for each, once it is acknowledged.
func (r *rig) load(ctx context.Context, say io.Writer, prefix string, each int) {
	lines, ended := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		for lines.Err() == nil {
			_, err := r.vault.Rotate(ctx, "test", "load")
			if errors.Is(err, errMoved) { // another box was faster
				err = nil
			}
			if err = errors.Join(err, r.vault.Rewrap(ctx)); err != nil {
				fmt.Fprintln(say, "failed", err)
				return
			}
		}
	})
	var cards sync.WaitGroup
	for line := range 4 {
		cards.Go(func() {
			for n := range each {
				if err := r.live(ctx, say, fmt.Sprintf("%s-%d-%d", prefix, line, n)); err != nil {
					fmt.Fprintln(say, "failed", err)
					return
				}
			}
		})
	}
	cards.Wait()
	ended()
	wg.Wait()
}

// live is one card's life.
func (r *rig) live(ctx context.Context, say io.Writer, id string) error {
	token, err := r.seal(visa(id))
	if err != nil {
		return err
	}
	fmt.Fprintf(say, "sealed %s %s\n", id, token)
	switch {
	case isUsed(id):
		return r.vault.Use(ctx, charge(token), func(*secret.Card) error { return nil })
	case isShredded(id):
		if err := r.vault.Shred(ctx, "test", token); err != nil {
			return err
		}
		fmt.Fprintf(say, "shredded %s %s\n", id, token)
	}
	return nil
}

func isUsed(id string) bool     { return strings.HasSuffix(id, "1") || strings.HasSuffix(id, "5") }
func isShredded(id string) bool { return strings.HasSuffix(id, "3") || strings.HasSuffix(id, "7") }

// saying is what is said by many at once.
type saying struct {
	mu   sync.Mutex
	said strings.Builder
}

func (s *saying) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.Write(line)
}

// TestTwoBoxesUnderLoad has two boxes seal, use and shred cards in one vault, while each rotates its key and seals anew what lies under the old ones, as fast as it
// can. What either was told is so for both.
func TestTwoBoxesUnderLoad(t *testing.T) {
	one := newRig(t)
	two := one.beside(t)
	var said saying
	var boxes sync.WaitGroup
	boxes.Go(func() { one.load(t.Context(), &said, "one", 10) })
	boxes.Go(func() { two.load(t.Context(), &said, "two", 10) })
	boxes.Wait()
	all := acknowledged{}
	for line := range strings.Lines(said.said.String()) {
		all.keep(t, line)
	}
	for _, box := range []*rig{one, two} {
		if err := errors.Join(box.vault.Rewrap(t.Context()), box.holds(t.Context(), all)); err != nil {
			t.Error(err)
		}
	}
	if len(all) != 80 {
		t.Errorf("%d cards were acknowledged, of 80", len(all))
	}
}

// acknowledged is what the process under load said of each capture.
type acknowledged map[string]struct {
	token    string
	shredded bool
}

// keep takes a line.
func (a acknowledged) keep(t *testing.T, line string) {
	t.Helper()
	f := strings.Fields(line)
	if len(f) != 3 || f[0] != "sealed" && f[0] != "shredded" {
		t.Fatalf("the process under load said %q", line)
	}
	is := a[f[1]]
	is.token, is.shredded = f[2], is.shredded || f[0] == "shredded"
	a[f[1]] = is
}

// holds compares the vault with what was acknowledged. What wasn't is there whole or not at all.
func (r *rig) holds(ctx context.Context, said acknowledged) error {
	var wrong []error
	failed := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	cards, err := r.whole(ctx)
	if err != nil || cards < len(said) {
		failed("%d cards, %d acknowledged (%w)", cards, len(said), err)
	}
	for id, is := range said {
		s := visa(id)
		if again, err := r.seal(s); err != nil || again != is.token {
			failed("capture %s: resent, it got %s, and not the token that was acknowledged (%w)", id, again, err)
		}
		err := r.vault.Use(ctx, charge(is.token), func(c *secret.Card) error {
			if string(c.PAN.Reveal()) != s.pan || string(c.Expiry.Reveal()) != s.expiry || c.CVV.Len() != 0 {
				failed("capture %s: another card", id)
			}
			return nil
		})
		switch {
		case errors.Is(err, ErrShredded) && isShredded(id): // said or not
		case err != nil:
			failed("capture %s: %w", id, err)
		case is.shredded:
			failed("capture %s: it was shredded, and opens", id)
		}
	}
	if _, err := r.audit.Verify(ctx); err != nil {
		failed("%w", err)
	}
	return errors.Join(wrong...)
}

// whole counts the cards that there are or were. Each has one outbox row and one audit entry, and neither is without a card; each that there is has a key under a
// version that isn't destroyed, and of each that upstream should miss it is told once.
func (r *rig) whole(ctx context.Context) (cards int, err error) {
	parts := map[string][3]int{} // of each capture
	has := func(capture string, part int) {
		n := parts[capture]
		n[part]++
		parts[capture] = n
	}
	count := func(tx *store.Tx, part int, query string) error {
		return tx.Each(func(scan func(...any) error) error {
			var capture string
			err := scan(&capture)
			has(capture, part)
			return err
		}, query)
	}
	var keyless, boxless, untold int
	err = r.db.Read(ctx, func(tx *store.Tx) error {
		return errors.Join(
			count(tx, 0, "SELECT capture FROM card UNION ALL SELECT capture FROM shred"),
			count(tx, 1, "SELECT stream FROM outbox WHERE kind = 'card.captured'"),
			tx.Each(func(scan func(...any) error) error {
				var body []byte
				var e audit.Entry
				err := scan(&body)
				if err = errors.Join(err, json.Unmarshal(body, &e)); e.Action == "card.sealed" {
					has(strings.TrimPrefix(e.Origin, "capture "), 2)
				}
				return err
			}, "SELECT body FROM audit_entry"),
			tx.One([]any{&keyless}, `SELECT COUNT(*) FROM card LEFT JOIN card_key ON card_key.token = card.token LEFT JOIN kek ON kek.version = card_key.kek
				WHERE kek.version IS NULL OR kek.destroyed > 0`),
			tx.One([]any{&boxless}, "SELECT COUNT(*) FROM kek WHERE (destroyed = 0) <> EXISTS (SELECT 1 FROM kek_box WHERE kek_box.version = kek.version)"),
			tx.One([]any{&untold}, `SELECT COUNT(*) FROM shred WHERE (SELECT COUNT(*) FROM outbox WHERE stream = shred.capture AND kind <> 'card.captured')
				<> (CASE WHEN why IN ('used', 'resolved') THEN 0 ELSE 1 END)`))
	})
	for capture, n := range parts {
		if n != [3]int{1, 1, 1} {
			err = errors.Join(err, fmt.Errorf("capture %s: %d cards, outbox rows, audit entries", capture, n))
		}
	}
	if keyless > 0 || boxless > 0 || untold > 0 {
		err = errors.Join(err, fmt.Errorf("%d cards without a key, %d versions half destroyed, %d ends of cards not told once", keyless, boxless, untold))
	}
	return len(parts), err
}

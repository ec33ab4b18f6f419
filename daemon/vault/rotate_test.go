package vault

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// boxes counts what is left of a version.
func (r *rig) boxes(t *testing.T, version int64) (n int) {
	t.Helper()
	err := r.db.Read(context.Background(), func(tx *store.Tx) error {
		return tx.One([]any{&n}, "SELECT COUNT(*) FROM kek_box WHERE version = $1", version)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// While cards come in, the key is rotated three times. All cards stay, all lie under the newest version, the others are destroyed and certified, and a restart
// finds the same.
func TestRotationUnderLoad(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{}
	var mu sync.Mutex
	var sealing sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 4 {
		sealing.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprint(worker, "-", n)
				token, err := r.seal(visa(id))
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				tokens[token] = id
				mu.Unlock()
			}
		})
	}
	for range 3 {
		if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
			t.Fatal(err)
		}
		if err := r.vault.Rewrap(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	sealing.Wait()
	check := func(when string) {
		p, err := r.vault.Progress(t.Context())
		if err != nil || p.Version != 4 || p.Remaining != 0 || p.Records != int64(len(tokens)) {
			t.Errorf("%s: %+v for %d cards, %v", when, p, len(tokens), err)
		}
		for token, id := range tokens {
			if err := r.reveals(t, token, visa(id)); err != nil {
				t.Fatalf("%s: %s: %v", when, token, err)
			}
		}
		for version := range int64(3) {
			if n := r.boxes(t, version+1); n != 0 {
				t.Errorf("%s: key %d is still in %d boxes", when, version+1, n)
			}
		}
	}
	check("rotated")
	certificates, err := r.vault.Certificates(t.Context())
	if err != nil || len(certificates) != 3 || !strings.Contains(string(certificates[0].Note), "Key-encryption key: version") {
		t.Errorf("%d certificates, %v", len(certificates), err)
	}
	r.close()
	if r, err = openRig(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	check("reopened")
	if _, err := r.audit.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A rewrap that ends in the middle is gone on with, and no version is destroyed under which something lies.
func TestRewrapGoesOn(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, visa("a"))
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.destroy(t.Context(), 1); err != nil || r.boxes(t, 1) != 1 {
		t.Errorf("key 1 is destroyed under a card, %v", err)
	}
	if err := r.reveals(t, token, visa("a")); err != nil {
		t.Errorf("between two versions: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.vault.Rewrap(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if err := r.vault.Rewrap(t.Context()); err != nil || r.boxes(t, 1) != 0 {
		t.Errorf("gone on: %v", err)
	}
	if err := r.reveals(t, token, visa("a")); err != nil {
		t.Error(err)
	}
}

// A record key that was tampered with stops a rotation, which destroys nothing.
func TestRewrapOfAnAlteredKey(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, visa("a"))
	r.edit(t, "UPDATE card_key SET box = (SELECT box FROM kek_box)")
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.Rewrap(t.Context()); !errors.Is(err, ErrAltered) || !strings.Contains(err.Error(), token) || r.boxes(t, 1) != 1 {
		t.Errorf("got %v", err)
	}
}

func newRoot(t *testing.T, kind keys.Kind) keys.Root {
	t.Helper()
	key, err := keys.Random()
	if err != nil {
		t.Fatal(err)
	}
	root := keys.Held(kind, key)
	t.Cleanup(func() { root.Close() })
	return root
}

// A second root, such as custodians are, opens all there was and is, though it was away when the key was rotated. One that is dropped opens nothing any more.
func TestASecondRoot(t *testing.T) {
	r := newRig(t)
	token := r.mustSeal(t, visa("a"))
	custodians := newRoot(t, keys.Custodians)
	id, err := r.vault.AddRoot(t.Context(), "anna", custodians)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	later := r.mustSeal(t, visa("b"))
	opened, err := New(t.Context(), config(), Deps{Store: r.db, Audit: r.audit, Outbox: r.deps().Outbox})
	if err != nil || !opened.Locked() {
		t.Fatalf("without a root it isn't locked: %v", err)
	}
	if _, err := opened.Seal(t.Context(), visa("c").Capture, mustCard(t, visa("c"))); !errors.Is(err, ErrLocked) {
		t.Errorf("locked, it seals: %v", err)
	}
	if err := opened.Unlock(t.Context(), custodians); err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	other := &rig{vault: opened}
	for token, id := range map[string]string{token: "a", later: "b"} {
		if err := other.reveals(t, token, visa(id)); err != nil {
			t.Error(err)
		}
	}
	roots, err := r.vault.Roots(t.Context())
	if err != nil || len(roots) != 2 || roots[1].ID != id || roots[1].Kind != keys.Custodians || roots[1].Opened || !roots[0].Opened {
		t.Errorf("roots %+v, %v", roots, err)
	}
	if err := r.vault.DropRoot(t.Context(), "anna", roots[0].ID); !errors.Is(err, ErrOwnRoot) {
		t.Errorf("its own root is dropped: %v", err)
	}
	if err := errors.Join(r.vault.DropRoot(t.Context(), "anna", id), r.vault.Rewrap(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.DropRoot(t.Context(), "anna", id); !errors.Is(err, ErrUnknownRoot) {
		t.Errorf("dropped twice: %v", err)
	}
	if _, err := New(t.Context(), config(), Deps{Store: r.db, Root: custodians, Audit: r.audit, Outbox: r.deps().Outbox}); !errors.Is(err, ErrWrongKey) {
		t.Errorf("dropped, it opens: %v", err)
	}
}

func mustCard(t *testing.T, s sample) *secret.Card {
	t.Helper()
	card, err := s.card()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	return card
}

// Another vault on the same store, as two boxes have it on PostgreSQL, goes by what one rotated: it seals under the new version and opens what lies there.
func TestTwoVaultsOnOneStore(t *testing.T) {
	r := newRig(t)
	root, err := openRoot(r.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(t.Context(), config(), Deps{Store: r.db, Root: root, Audit: r.audit, Outbox: r.deps().Outbox})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	other := &rig{vault: second}
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	token := r.mustSeal(t, visa("a"))
	if err := r.vault.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := other.reveals(t, token, visa("a")); err != nil {
		t.Error(err)
	}
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	late, err := other.seal(visa("b")) // under a version that is retired by now, until it is told
	if err != nil {
		t.Fatal(err)
	}
	if err := r.reveals(t, late, visa("b")); err != nil {
		t.Error(err)
	}
}

// Whoever can write to the store can't have the next version sealed for a root of his.
func TestASmuggledRoot(t *testing.T) {
	r := newRig(t)
	h, err := newHolder(newRoot(t, keys.TPM))
	if err != nil {
		t.Fatal(err)
	}
	r.edit(t, "INSERT INTO root (id, kind, public, seed, created) VALUES ($1, $2, $3, $4, 1)", h.id, string(h.kind), h.public, h.seed)
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); !errors.Is(err, ErrAltered) {
		t.Errorf("a root that is in no version's trust: %v", err)
	}
	r.edit(t, "INSERT INTO kek_box (version, root, box, vouched) SELECT version, $1, box, vouched FROM kek_box", h.id)
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); !errors.Is(err, ErrAltered) || r.boxes(t, 2) != 0 {
		t.Errorf("with another's word for it: %v", err)
	}
}

// What is in the safe outlives a rotation, and is its owner's.
func TestTheSafe(t *testing.T) {
	r := newRig(t)
	write := func(do func(tx *store.Tx) error) error { return r.db.Write(t.Context(), do) }
	keep := func(owner, what string) (kept bool) {
		if err := write(func(tx *store.Tx) (err error) { kept, err = r.vault.Keep(tx, "test", owner, []byte(what)); return err }); err != nil {
			t.Fatal(err)
		}
		return kept
	}
	recall := func(owner string) (string, error) {
		dst := make([]byte, 4)
		err := write(func(tx *store.Tx) error { return r.vault.Recall(tx, "test", owner, dst) })
		return string(dst), err
	}
	if !keep("a", "aaaa") || keep("a", "bbbb") || !keep("b", "bbbb") {
		t.Error("something is kept twice, or not at all")
	}
	if _, err := r.vault.Rotate(t.Context(), "anna", "asked"); err != nil {
		t.Fatal(err)
	}
	if err := r.vault.Rewrap(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := recall("a"); got != "aaaa" || err != nil {
		t.Errorf("recalled %q, %v", got, err)
	}
	r.edit(t, "UPDATE safe SET box = (SELECT o.box FROM safe o WHERE o.owner = 'a') WHERE owner = 'b'")
	if _, err := recall("b"); !errors.Is(err, ErrAltered) {
		t.Errorf("another's: %v", err)
	}
	if err := write(func(tx *store.Tx) error { return r.vault.Drop(tx, "test", "a") }); err != nil {
		t.Fatal(err)
	}
	if _, err := recall("a"); !errors.Is(err, ErrNothingKept) {
		t.Errorf("dropped: %v", err)
	}
}

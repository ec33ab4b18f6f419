package vault

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/private"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/upstream"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(loadUntilKilled); dir != "" {
		loadForever(dir)
	}
	if dir := os.Getenv(loadInRounds); dir != "" {
		if err := loadRounds(dir); err != nil {
			fmt.Println("failed", err)
		}
		os.Exit(0)
	}
	rand.Read(make([]byte, 1)) // Go's FIPS module takes its first from the jitter of a clock, and in a bubble of synctest that stands still
	goleak.VerifyTestMain(m)
}

// rig is a vault on all that it stands on, in a folder.
type rig struct {
	dir    string
	cfg    Config
	db     *store.DB
	root   keys.Root
	audit  *audit.Log
	outbox *upstream.Outbox
	vault  *Vault
	fail   error // what the outbox answers, if set
}

func (r *rig) state() string   { return filepath.Join(r.dir, "state") }
func (r *rig) keyFile() string { return filepath.Join(r.dir, "key") }

// newKeyFile makes a key file as flattone key new does.
func newKeyFile(path string) error {
	key, err := keys.Random() // a test searches the heap for keys
	if err != nil {
		return err
	}
	defer key.Destroy()
	return key.Use(func(plain []byte) error { return private.Create(path, plain) })
}

// openRoot is the key file taken for something that isn't on the disk.
func openRoot(path string) (keys.Root, error) {
	key, err := keys.NewKey(func(dst []byte) error {
		f, err := private.VaultKey.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.ReadFull(f, dst)
		return err
	})
	if err != nil {
		return nil, err
	}
	return keys.Held(keys.TPM, key), nil
}

// charge is a use that the rig's vault allows.
func charge(token string) Use {
	return Use{Token: token, Caller: "payment", Purpose: "charge", Connector: "simulator"}
}

// config is the rig's.
func config() Config {
	return Config{Retention: 395 * 24 * time.Hour, OnceTTL: 24 * time.Hour, DeskSide: true, Destinations: []Destination{{Name: "webhook"}},
		Rules: []Rule{{Caller: "payment", Purpose: "charge", Connector: "simulator", PerHour: 1 << 30}}}
}

func openRig(ctx context.Context, dir string) (r *rig, err error) {
	return openRigAs(ctx, dir, config())
}

func openRigAs(ctx context.Context, dir string, cfg Config) (r *rig, err error) {
	r = &rig{dir: dir, cfg: cfg}
	if _, err := os.Stat(r.keyFile()); err != nil {
		if err := newKeyFile(r.keyFile()); err != nil {
			return r, err
		}
	}
	where, err := storetest.At(r.state())
	if err != nil {
		return r, err
	}
	if r.db, err = store.Open(ctx, store.Config{Dir: r.state(), Postgres: store.Postgres{Where: where, Box: "test"}}); err != nil {
		return r, err
	}
	return r, r.build(ctx, "test")
}

// build makes what stands on the store, or closes all of it.
func (r *rig) build(ctx context.Context, box string) (err error) {
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.audit, err = audit.New(ctx, audit.Config{Box: box, Shared: true, KeyFile: filepath.Join(r.dir, "audit.key")}, audit.Deps{Store: r.db}); err != nil {
		return err
	}
	r.outbox, err = upstream.New(upstream.Config{Box: box, Destinations: nobodies(r.cfg)},
		upstream.Deps{Store: r.db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	if r.root, err = openRoot(r.keyFile()); err != nil {
		return err
	}
	r.vault, err = New(ctx, r.cfg, r.deps())
	return err
}

// beside is another box that shares what is kept: another vault on the same file, or one with a connection of its own to the same database. It has a log of its own.
func (r *rig) beside(t testing.TB) *rig {
	t.Helper()
	b := &rig{dir: t.TempDir(), cfg: r.cfg, db: r.db}
	key, err := os.ReadFile(r.keyFile())
	if err == nil {
		err = os.WriteFile(b.keyFile(), key, 0o600)
	}
	where, whereErr := storetest.At(r.state())
	if err = errors.Join(err, whereErr); err == nil && where != "" {
		b.db, err = store.Open(t.Context(), store.Config{Dir: b.state(), Postgres: store.Postgres{Where: where, Box: "beside"}})
	}
	if err == nil {
		err = b.build(t.Context(), "beside")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

func (r *rig) deps() Deps {
	return Deps{Store: r.db, Root: r.root, Audit: r.audit, Outbox: OutboxFunc(func(tx *store.Tx, e Event) error {
		if r.fail != nil {
			return r.fail
		}
		return r.outbox.Enqueue(tx, upstream.Event{ID: e.ID, To: e.To, Type: e.Type, Key: e.Key, Time: e.Time, Data: e.Data})
	})}
}

func (r *rig) close() {
	if r.db != nil {
		r.db.Close()
	}
	if r.root != nil {
		r.root.Close()
	}
	if r.vault != nil {
		r.vault.Close()
	}
}

func newRig(t testing.TB) *rig { return newRigAs(t, config()) }

func newRigAs(t testing.TB, cfg Config) *rig {
	t.Helper()
	r, err := openRigAs(context.Background(), t.TempDir(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// rows counts what a seal writes.
func (r *rig) rows(t testing.TB) (counts [3]int) {
	t.Helper()
	err := r.db.Read(context.Background(), func(tx *store.Tx) error {
		for i, table := range []string{"card", "outbox", "audit_entry"} {
			if err := tx.One([]any{&counts[i]}, "SELECT COUNT(*) FROM "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

func (r *rig) edit(t testing.TB, query string, args ...any) {
	t.Helper()
	err := r.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// reveals reports whether a token gives back the card it was sealed with.
func (r *rig) reveals(t testing.TB, token string, want sample) error {
	t.Helper()
	return r.vault.Use(context.Background(), charge(token), func(c *secret.Card) error {
		if !bytes.Equal(c.PAN.Reveal(), []byte(want.pan)) || !bytes.Equal(c.Expiry.Reveal(), []byte(want.expiry)) || c.CVV.Len() != 0 {
			t.Error("card differs")
		}
		return nil
	})
}

// sample is a public test card with what is said of it.
type sample struct {
	pan, expiry, cvv string
	Capture
}

// captureID is an id of the right form for each name.
func captureID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return "cap_" + strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

func visa(id string) sample {
	return sample{pan: "4242424242424242", expiry: "1131", cvv: "928374650192", Capture: Capture{ID: captureID(id), Line: "desk-1",
		Place: "trunk-side", Profile: "full", Tenant: "main", Kind: Reusable, Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}}
}

func amex(id string) sample {
	return sample{pan: "378282246310005", expiry: "042030", cvv: "1234", Capture: Capture{ID: captureID(id), Line: "desk-2",
		Place: "desk-side", Profile: "full", Tenant: "main", Kind: Reusable, Brand: "amex", Last4: "0005", ExpiryMonth: 4, ExpiryYear: 2030}}
}

// card builds the card in locked memory, digit by digit.
func (s sample) card() (*secret.Card, error) {
	card, err := secret.NewCard()
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		to     *secret.Text
		digits string
	}{{card.PAN, s.pan}, {card.Expiry, s.expiry}, {card.CVV.Text, s.cvv}} {
		for i := range len(f.digits) {
			if err := f.to.Append(f.digits[i]); err != nil {
				card.Destroy()
				return nil, fmt.Errorf("build a card: %w", err)
			}
		}
	}
	return card, nil
}

func (r *rig) seal(s sample) (string, error) {
	card, err := s.card()
	if err != nil {
		return "", err
	}
	defer card.Destroy()
	return r.vault.Seal(context.Background(), s.Capture, card)
}

func (r *rig) mustSeal(t testing.TB, s sample) string {
	t.Helper()
	token, err := r.seal(s)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// nobody is told anything.
type nobody struct{}

func (nobody) Send(context.Context, upstream.Envelope) upstream.Result { return upstream.Result{} }
func (nobody) Close() error                                            { return nil }

func nobodies(cfg Config) (all []upstream.Destination) {
	for _, d := range cfg.Destinations {
		all = append(all, upstream.Destination{Name: d.Name, Sender: nobody{}})
	}
	return all
}

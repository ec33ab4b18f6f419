package backup

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// box is a vault on all that it stands on, with a root of its own.
type box struct {
	dir    string
	db     *store.DB
	log    *audit.Log
	outbox *upstream.Outbox
	vault  *vault.Vault
	maker  *Maker
}

func (b *box) state() string    { return filepath.Join(b.dir, "state") }
func (b *box) auditKey() string { return filepath.Join(b.dir, "audit.key") }

func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newRoot is one that isn't on the disk.
func newRoot(t *testing.T) keys.Root {
	t.Helper()
	key, err := keys.Random()
	if err != nil {
		t.Fatal(err)
	}
	return keys.Held(keys.TPM, key)
}

// openBox opens a box in a folder by a root, which is its own from then on.
func openBox(t *testing.T, dir string, root keys.Root) *box {
	t.Helper()
	b := &box{dir: dir}
	var err error
	b.db = openStore(t, b.state())
	if b.log, err = audit.New(t.Context(), audit.Config{Box: "test", KeyFile: b.auditKey()}, audit.Deps{Store: b.db}); err != nil {
		t.Fatal(err)
	}
	b.outbox, err = upstream.New(upstream.Config{Box: "test", Destinations: []upstream.Destination{{Name: "webhook", Sender: nobody{}}}},
		upstream.Deps{Store: b.db, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	b.vault, err = vault.New(t.Context(), vault.Config{Retention: 1000 * time.Hour, OnceTTL: time.Hour, Destinations: []vault.Destination{{Name: "webhook", Own: true, Fingerprint: true}},
		Rules: []vault.Rule{{Caller: "payment", Purpose: "charge", Connector: "simulator", PerHour: 1 << 30}}},
		vault.Deps{Store: b.db, Root: root, Audit: b.log, Outbox: vault.OutboxFunc(func(tx *store.Tx, e vault.Event) error {
			return b.outbox.Enqueue(tx, upstream.Event{ID: e.ID, To: e.To, Type: e.Type, Key: e.Key, Time: e.Time, Data: e.Data})
		})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.vault.Close() })
	b.maker = New(Config{Box: "test", AuditKey: b.auditKey()}, Deps{Store: b.db, Vault: b.vault, Audit: b.log})
	return b
}

func openStore(t *testing.T, dir string) *store.DB {
	t.Helper()
	where, err := storetest.At(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Dir: dir, Postgres: store.Postgres{Where: where, Box: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// newBox has a store that is new, too.
func newBox(t *testing.T) *box {
	t.Helper()
	return openBox(t, folder(t), newRoot(t))
}

const (
	thePAN = "4242424242424242"
	theCVV = "928374650192" // longer than any, so that it can be searched for
)

func (b *box) seal(ctx context.Context) (token string, err error) {
	card, err := secret.NewCard()
	if err != nil {
		return "", err
	}
	defer card.Destroy()
	for _, f := range []struct {
		to     *secret.Text
		digits string
	}{{card.PAN, thePAN}, {card.Expiry, "1131"}, {card.CVV.Text, theCVV}} {
		for i := range len(f.digits) {
			if err := f.to.Append(f.digits[i]); err != nil {
				return "", err
			}
		}
	}
	return b.vault.Seal(ctx, vault.Capture{ID: vault.NewCaptureID(time.Now()), Line: "trunk-1",
		Place: "trunk-side", Profile: "full", Tenant: "main", Kind: vault.Reusable, Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}, card)
}

func (b *box) mustSeal(t *testing.T) string {
	t.Helper()
	token, err := b.seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// opens reports whether a token gives its card back.
func (b *box) opens(t *testing.T, token string) error {
	t.Helper()
	return b.vault.Use(t.Context(), vault.Use{Token: token, Caller: "payment", Purpose: "charge", Connector: "simulator"}, func(c *secret.Card) error {
		if !bytes.Equal(c.PAN.Reveal(), []byte(thePAN)) {
			t.Error("another card")
		}
		return nil
	})
}

// safe is the vault as custody knows it.
type safe struct{ *vault.Vault }

func (s safe) Unlock(context.Context, keys.Root) (string, error) { panic("it is open") }

// enrol has three people be custodians, of whom two are needed. It answers with their shares.
func (b *box) enrol(t *testing.T) (shares [][]byte) {
	t.Helper()
	c := custody.New(custody.Deps{Store: b.db, Audit: b.log, Safe: safe{b.vault}, Clock: func() lockout.Moment { return lockout.Moment{Wall: time.Now(), Up: time.Hour} }})
	t.Cleanup(c.Close)
	people := []string{"ann", "bob", "cyd"}
	if err := c.Enrol(t.Context(), "ann", custody.Plan{Need: 2, People: people}); err != nil {
		t.Fatal(err)
	}
	for _, person := range people {
		page, err := locked.Bytes(custody.PaperSize)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { locked.Free(page) })
		if err := c.Take(t.Context(), person, person, page[:custody.PaperSize]); err != nil {
			t.Fatal(err)
		}
		shares = append(shares, page[:custody.PaperSize])
	}
	for i, person := range people {
		if _, err := c.Confirm(t.Context(), person, person, shares[i]); err != nil {
			t.Fatal(err)
		}
	}
	return shares
}

// files are what leaves a box.
type files struct{ data, keys, purged []byte }

func (b *box) files(t *testing.T) (f files) {
	t.Helper()
	for _, make := range []struct {
		by   func(context.Context, string, *bytes.Buffer) error
		file *[]byte
	}{
		{func(ctx context.Context, by string, to *bytes.Buffer) error { return b.maker.Data(ctx, by, to) }, &f.data},
		{func(ctx context.Context, by string, to *bytes.Buffer) error { return b.maker.Keys(ctx, by, to) }, &f.keys},
		{func(ctx context.Context, by string, to *bytes.Buffer) error { return b.maker.PurgeLog(ctx, by, to) }, &f.purged},
	} {
		var to bytes.Buffer
		if err := make.by(t.Context(), "ann", &to); err != nil {
			t.Fatal(err)
		}
		*make.file = to.Bytes()
	}
	return f
}

// open opens a backup of keys by shares.
func open(t *testing.T, file []byte, shares [][]byte) (*Keys, keys.Root, vault.Versions) {
	t.Helper()
	k, err := ReadKeys(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	g, err := custody.Gather(k.Custodians())
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, share := range shares {
		if _, _, err := g.Give(share); err != nil {
			t.Fatal(err)
		}
	}
	root, err := g.Root()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	versions, err := k.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(versions.Close)
	return k, root, versions
}

// restore restores files into a folder of their own, as far as the rows go.
func restore(t *testing.T, f files, shares [][]byte) (dir string, root keys.Root, done Restored, err error) {
	t.Helper()
	dir = folder(t)
	root, done, err = restoreInto(t, dir, f, shares)
	return dir, root, done, err
}

func restoreInto(t *testing.T, dir string, f files, shares [][]byte) (root keys.Root, done Restored, err error) {
	t.Helper()
	k, root, versions := open(t, f.keys, shares)
	db := openStore(t, filepath.Join(dir, "state"))
	defer db.Close()
	from := Source{Data: bytes.NewReader(f.data), Keys: k, Versions: versions}
	if f.purged != nil {
		from.Purged = bytes.NewReader(f.purged)
	}
	done, err = Restore(t.Context(), db, filepath.Join(dir, "audit.key"), from)
	return root, done, err
}

// without are tokens but some.
func without(tokens []string, gone ...string) []string {
	return slices.DeleteFunc(slices.Clone(tokens), func(t string) bool { return slices.Contains(gone, t) })
}

// nobody is told anything.
type nobody struct{}

func (nobody) Send(context.Context, upstream.Envelope) upstream.Result { return upstream.Result{} }
func (nobody) Close() error                                            { return nil }

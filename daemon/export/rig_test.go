package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"
	"go.uber.org/goleak"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/export/recipient"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// box is a vault with its custodians, and what exports from it to two recipients: newpsp, and later.
type box struct {
	dir      string
	db       *store.DB
	log      *audit.Log
	vault    *vault.Vault
	custody  *custody.Custody
	exporter *Exporter
	identity map[string]age.Identity
	shares   map[string][]byte
}

func (b *box) folder() string { return filepath.Join(b.dir, "state", "exports") }

// safe is the vault as custody knows it.
type safe struct{ *vault.Vault }

func (s safe) Unlock(context.Context, keys.Root) (string, error) { panic("it is open") }

func newBox(t testing.TB) *box {
	t.Helper()
	b := &box{dir: t.TempDir(), shares: map[string][]byte{}}
	if err := os.Chmod(b.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	where, err := storetest.At(filepath.Join(b.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	if b.db, err = store.Open(t.Context(), store.Config{Dir: filepath.Join(b.dir, "state"), Postgres: store.Postgres{Where: where, Box: "test"}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.db.Close() })
	if b.log, err = audit.New(t.Context(), audit.Config{Box: "test", KeyFile: filepath.Join(b.dir, "audit.key")}, audit.Deps{Store: b.db}); err != nil {
		t.Fatal(err)
	}
	key, err := keys.Random()
	if err != nil {
		t.Fatal(err)
	}
	b.vault, err = vault.New(t.Context(), vault.Config{Retention: 1000 * time.Hour, OnceTTL: time.Hour, Destinations: []vault.Destination{{Name: "webhook", Own: true, Number: true}}},
		vault.Deps{Store: b.db, Root: keys.Held(keys.TPM, key), Audit: b.log, Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.vault.Close() })
	b.custody = custody.New(custody.Deps{Store: b.db, Audit: b.log, Safe: safe{b.vault}, Clock: func() lockout.Moment { return lockout.Moment{Wall: time.Now(), Up: time.Hour} }})
	t.Cleanup(b.custody.Close)
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	b.identity = map[string]age.Identity{"newpsp": classic, "later": hybrid}
	to := map[string]recipient.Recipient{}
	for name, text := range map[string]string{"newpsp": classic.Recipient().String(), "later": hybrid.Recipient().String()} {
		if to[name], err = recipient.Parse(text); err != nil {
			t.Fatal(err)
		}
	}
	b.exporter = New(Config{Folder: b.folder(), Recipients: to}, Deps{Store: b.db, Audit: b.log, Vault: b.vault, Custody: b.custody, Log: slog.New(slog.DiscardHandler)})
	return b
}

// runs has the exporter run until stop, or the test's end.
func (b *box) runs(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		defer close(done)
		done <- b.exporter.Run(ctx)
	}()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}

const thePAN = "4242424242424242"

// aCard is a visa of the tenant main, to be kept.
func aCard() vault.Capture {
	return vault.Capture{ID: vault.NewCaptureID(time.Now()), Line: "trunk-1",
		Place: "trunk-side", Profile: "full", Tenant: "main", Kind: vault.Reusable, Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}
}

func (b *box) seal(t testing.TB, c vault.Capture) (token string) {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	defer card.Destroy()
	for _, f := range []struct {
		to     *secret.Text
		digits string
	}{{card.PAN, thePAN}, {card.Expiry, "1131"}, {card.CVV.Text, "928374650192"}} {
		for i := range len(f.digits) {
			if err := f.to.Append(f.digits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if token, err = b.vault.Seal(t.Context(), c, card); err != nil {
		t.Fatal(err)
	}
	return token
}

// enrol has three people be custodians, of whom two are needed.
func (b *box) enrol(t *testing.T) {
	t.Helper()
	people := []string{"ann", "bob", "cyd"}
	if err := b.custody.Enrol(t.Context(), "ann", custody.Plan{Need: 2, People: people}); err != nil {
		t.Fatal(err)
	}
	for _, person := range people {
		page, err := locked.Bytes(custody.PaperSize)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { locked.Free(page) })
		if err := b.custody.Take(t.Context(), person, person, page[:custody.PaperSize]); err != nil {
			t.Fatal(err)
		}
		b.shares[person] = page[:custody.PaperSize]
	}
	for _, person := range people {
		if _, err := b.custody.Confirm(t.Context(), person, person, b.shares[person]); err != nil {
			t.Fatal(err)
		}
	}
}

// agree has people give their shares to a ceremony.
func (b *box) agree(t *testing.T, ceremony string, people ...string) error {
	t.Helper()
	for i, person := range people {
		missing, err := b.custody.Give(t.Context(), person, person, ceremony, b.shares[person])
		if err != nil {
			return err
		}
		if want := 1 - i; missing != want {
			t.Errorf("%d are missing, want %d", missing, want)
		}
	}
	return nil
}

// export has two custodians agree, and waits for the end.
func (b *box) export(t *testing.T, to, tenant string) Export {
	t.Helper()
	ceremony, err := b.exporter.Ask(t.Context(), "ann", to, tenant)
	if err == nil {
		err = b.agree(t, ceremony, "ann", "bob")
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.ended(t)
}

// ended waits for the end of the newest export.
func (b *box) ended(t *testing.T) Export {
	t.Helper()
	for t.Context().Err() == nil {
		if all := b.exporter.List(); len(all) > 0 && !all[0].Ended.IsZero() {
			return all[0]
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("it never ended")
	return Export{}
}

// record is a line of a file, as its recipient reads it.
type record struct {
	PAN string `json:"pan"`
	line
}

// opened is a file's lines, by token.
func (b *box) opened(t *testing.T, path string, as age.Identity) map[string]record {
	t.Helper()
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear, err := age.Decrypt(bytes.NewReader(sealed), as)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]record{}
	d := json.NewDecoder(clear)
	d.DisallowUnknownFields()
	for {
		var r record
		err := d.Decode(&r)
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := got[r.Token]; twice {
			t.Errorf("%s is there twice", r.Token)
		}
		got[r.Token] = r
	}
}

// files are the names in the folder.
func (b *box) files(t *testing.T) (names []string) {
	t.Helper()
	list, err := os.ReadDir(b.folder())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// entries are the audit log's newest, oldest first.
func (b *box) entries(t *testing.T) (all []audit.Entry) {
	t.Helper()
	all, err := b.log.Recent(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
		all[i], all[j] = all[j], all[i]
	}
	return all
}

package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/backup"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/private"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
)

// openSafe is an open vault as custody knows it.
type openSafe struct{ *vault.Vault }

func (openSafe) Unlock(context.Context, keys.Root) (string, error) { panic("it is open") }

// backedUp is a box's backups, and two of its three shares.
func backedUp(t *testing.T, dir string) (b Backups, shares []byte) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(t.Context(), store.Config{Dir: filepath.Join(dir, "old")})
	must(err)
	defer db.Close()
	key := filepath.Join(dir, "old-audit.key")
	log, err := audit.New(t.Context(), audit.Config{Box: "old", KeyFile: key}, audit.Deps{Store: db})
	must(err)
	root, err := keys.Random()
	must(err)
	v, err := vault.New(t.Context(), vault.Config{}, vault.Deps{Store: db, Root: keys.Held(keys.TPM, root), Audit: log, Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	must(err)
	defer v.Close()
	c := custody.New(custody.Deps{Store: db, Audit: log, Safe: openSafe{v}, Clock: func() lockout.Moment { return lockout.Moment{Wall: time.Now()} }})
	defer c.Close()
	people := []string{"ann", "bob", "cyd"}
	must(c.Enrol(t.Context(), "ann", custody.Plan{Need: 2, People: people}))
	var all [][]byte
	for _, person := range people {
		page, err := locked.Bytes(custody.PaperSize)
		must(err)
		defer locked.Free(page)
		must(c.Take(t.Context(), person, person, page[:custody.PaperSize]))
		all = append(all, page[:custody.PaperSize])
	}
	for i, person := range people {
		_, err := c.Confirm(t.Context(), person, person, all[i])
		must(err)
	}
	m := backup.New(backup.Config{Box: "old", AuditKey: key}, backup.Deps{Store: db, Vault: v, Audit: log})
	file := func(name string, write func(context.Context, string, io.Writer) error) string {
		var to bytes.Buffer
		must(write(t.Context(), "ann", &to))
		path := filepath.Join(dir, name)
		must(os.WriteFile(path, to.Bytes(), 0o600))
		return path
	}
	return Backups{Data: file("data", m.Data), Keys: file("keys", m.Keys), Purged: file("purged", m.PurgeLog)},
		bytes.Join([][]byte{all[2], all[2], []byte("no share\n"), all[0], nil}, []byte("\n\n"))
}

// A box that never ran is made from backups by two of three custodians, who may slip; its own root opens it from then on, and the log says who gave their shares.
func TestRestore(t *testing.T) {
	t.Run("into a file", func(t *testing.T) { restored(t, &config.Config{}) })
	t.Run("into PostgreSQL", func(t *testing.T) {
		cfg := &config.Config{}
		cfg.Store.Postgres, cfg.Store.Box = storetest.Postgres(t), "new"
		restored(t, cfg)
	})
}

func restored(t *testing.T, cfg *config.Config) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	from, shares := backedUp(t, dir)
	cfg.StateDir = filepath.Join(dir, "new")
	cfg.Vault.KeyFile = filepath.Join(dir, "key")
	if err := private.Create(cfg.Vault.KeyFile, bytes.Repeat([]byte{9}, keys.Size)); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	say := func(text string) { said.WriteString(text) }
	if err := Restore(t.Context(), cfg, from, bytes.NewReader(shares[:20]), say); !errors.Is(err, custody.ErrNoShares) {
		t.Errorf("without shares: %v", err)
	}
	if err := Restore(t.Context(), cfg, from, bytes.NewReader(shares), say); err != nil {
		t.Fatalf("%v, and it said\n%s", err, said.String())
	}
	for _, want := range []string{"shares of 2 of ann, bob, cyd", "That is cyd's.", "has agreed already", "can't be read as a share", "That is ann's.", "Start flattoned now"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("it doesn't say %q, but\n%s", want, said.String())
		}
	}
	if err := Restore(t.Context(), cfg, from, bytes.NewReader(shares), say); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("once more: %v", err)
	}
	db, err := openStore(t.Context(), cfg, "new")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	log, err := audit.New(t.Context(), audit.Config{Box: "new", KeyFile: auditKey(cfg)}, audit.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	if last, err := log.Recent(t.Context(), 1); err != nil || last[0].Action != "backup.restored" || last[0].Origin != "shares of cyd, ann" {
		t.Errorf("the log ends with %+v, %v", last, err)
	}
	if _, err := log.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	root, err := openRoot(cfg.Vault)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.New(t.Context(), vault.Config{}, vault.Deps{Store: db, Root: root, Audit: log, Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

// A box whose custodians are its only root is restored as one: they unlock it once flattoned runs.
func TestRestoreForCustodiansAlone(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	from, shares := backedUp(t, dir)
	cfg := &config.Config{StateDir: filepath.Join(dir, "new")}
	cfg.Vault.Custodians = true
	if err := Restore(t.Context(), cfg, from, bytes.NewReader(shares), func(string) {}); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.Config{Dir: cfg.StateDir})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	log, err := audit.New(t.Context(), audit.Config{Box: "new", KeyFile: auditKey(cfg)}, audit.Deps{Store: db})
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.New(t.Context(), vault.Config{}, vault.Deps{Store: db, Audit: log, Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	c := custody.New(custody.Deps{Store: db, Audit: log, Safe: vaultSafe{v, func() {}}, Clock: lockout.Now})
	id, err := c.Unlock(t.Context(), "cyd")
	if err != nil {
		t.Fatal(err)
	}
	papers := bytes.Split(shares, []byte("\n\n"))
	for person, at := range map[string]int{"cyd": 0, "ann": 3} {
		if _, err := c.Give(t.Context(), person, person, id, papers[at]); err != nil {
			t.Fatal(person, err)
		}
	}
	roots, err := v.Roots(t.Context())
	if err != nil || v.Locked() || len(roots) != 1 || roots[0].Kind != keys.Custodians {
		t.Errorf("locked %v, roots %+v, %v", v.Locked(), roots, err)
	}
}

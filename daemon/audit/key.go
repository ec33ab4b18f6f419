package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/flattone/flattone/daemon/private"
	"github.com/flattone/flattone/daemon/store"
)

// originPrefix begins the name of every log; the box's name follows.
const originPrefix = "flattone-audit/"

// The signing key guards no card, and the note package takes it as a string: it lies on the ordinary heap,
// unlike every other key of the product.

// openKey reads the signing key, or makes it if the box has no log yet.
func (l *Log) openKey(ctx context.Context, cfg Config) error {
	known, err := private.AuditKey.Read(cfg.KeyFile)
	keys := string(known)
	if errors.Is(err, fs.ErrNotExist) {
		if err := l.hasNone(ctx, cfg); err != nil {
			return err
		}
		keys, err = makeKey(cfg)
	}
	if err != nil {
		return fmt.Errorf("audit: signing key: %w", err)
	}
	secret, public, _ := strings.Cut(strings.TrimSuffix(keys, "\n"), "\n")
	if l.signer, err = note.NewSigner(secret); err != nil {
		return fmt.Errorf("audit: signing key %s is malformed: restore it from the backup of the state folder", cfg.KeyFile)
	}
	l.key, err = note.NewVerifier(public)
	box, named := strings.CutPrefix(l.signer.Name(), originPrefix)
	if err != nil || !named || l.key.KeyHash() != l.signer.KeyHash() || l.key.Name() != l.signer.Name() {
		return fmt.Errorf("audit: signing key %s: its two halves don't belong together: restore it from the backup of the state folder", cfg.KeyFile)
	}
	l.public, l.box = public, box
	return nil
}

// hasNone refuses a box that has a log: its key was lost. Where boxes share the store it can't tell that from another box of the same name that has none yet.
func (l *Log) hasNone(ctx context.Context, cfg Config) error {
	var before string
	err := l.store.Read(ctx, func(tx *store.Tx) (err error) { before, err = l.before(tx, cfg); return err })
	switch {
	case err != nil:
		return fmt.Errorf("audit: read the log: %w", err)
	case before == "":
		return nil
	}
	remedy := "restore it from the backup of the state folder; if it is lost for good, flattoned --new-audit-log begins another log"
	if cfg.Shared {
		remedy += "; or, if another box of that name shares the database, rename this one"
	}
	return fmt.Errorf("audit: there is %s, but its signing key %s is gone: %s", before, cfg.KeyFile, remedy)
}

// Begin makes the key of a new log in the place of one whose key is lost for good. It has the box's name, or that and a number if the old one has it.
func Begin(ctx context.Context, cfg Config, deps Deps) (*Log, error) {
	if _, err := os.Lstat(cfg.KeyFile); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(fmt.Errorf("audit: begin a log: its signing key %s is there", cfg.KeyFile), err)
	}
	named := cfg
	for n := 2; ; n++ {
		var taken int
		if err := deps.Store.One(ctx, []any{&taken}, "SELECT COUNT(*) FROM audit_head WHERE box = $1", named.Box); err != nil {
			return nil, fmt.Errorf("audit: begin a log: %w", err)
		}
		if taken == 0 {
			break
		}
		named.Box = fmt.Sprint(cfg.Box, "-", n)
	}
	if _, err := makeKey(named); err != nil {
		return nil, fmt.Errorf("audit: begin a log: %w", err)
	}
	return New(ctx, cfg, deps)
}

// makeKey writes a new key pair: whole or not at all.
func makeKey(cfg Config) (string, error) {
	secret, public, err := note.GenerateKey(rand.Reader, originPrefix+cfg.Box)
	if err != nil {
		return "", err
	}
	if _, err := note.NewSigner(secret); err != nil { // a name with a space or a plus in it
		return "", fmt.Errorf("the machine's name %q can't name a log: give it another (hostnamectl hostname)", cfg.Box)
	}
	keys := secret + "\n" + public + "\n"
	return keys, private.Create(cfg.KeyFile, []byte(keys))
}

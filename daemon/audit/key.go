package audit

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/daemon/store"
)

// The signing key guards no card, and the note package takes it as a string: it lies on the ordinary heap,
// unlike every other key of the product.

// openKey reads the signing key, or makes it if it may.
func openKey(path string, mayMake bool) (note.Signer, note.Verifier, error) {
	keys, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !mayMake {
			return nil, nil, fmt.Errorf("audit: the log has entries, but its signing key %s is gone: restore it from the backup of the state folder", path)
		}
		keys, err = makeKey(path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("audit: signing key %s: %w", path, err)
	}
	secret, public, _ := strings.Cut(strings.TrimSuffix(keys, "\n"), "\n")
	signer, err := note.NewSigner(secret)
	if err != nil {
		return nil, nil, fmt.Errorf("audit: signing key %s is malformed: restore it from the backup of the state folder", path)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil || verifier.KeyHash() != signer.KeyHash() || verifier.Name() != origin {
		return nil, nil, fmt.Errorf("audit: signing key %s: its two halves don't belong together: restore it from the backup of the state folder", path)
	}
	return signer, verifier, nil
}

func readKey(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("mode %v lets others read it: chmod 600 it, and distrust the checkpoints since", info.Mode())
	}
	b, err := io.ReadAll(io.LimitReader(f, 1024))
	return string(b), err
}

// makeKey writes a new key pair: whole or not at all.
func makeKey(path string) (string, error) {
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", err
	}
	keys := secret + "\n" + public + "\n"
	f, err := os.CreateTemp(filepath.Dir(path), ".audit-key-*") // 0600
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.WriteString(keys); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return "", err
	}
	return keys, store.SyncFolder(filepath.Dir(path))
}

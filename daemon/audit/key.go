package audit

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/flattone/flattone/daemon/private"
)

// The signing key guards no card, and the note package takes it as a string: it lies on the ordinary heap,
// unlike every other key of the product.

// openKey reads the signing key, or makes it if it may.
func openKey(path string, mayMake bool) (note.Signer, note.Verifier, error) {
	known, err := private.AuditKey.Read(path)
	keys := string(known)
	if errors.Is(err, fs.ErrNotExist) {
		if !mayMake {
			return nil, nil, fmt.Errorf("audit: the log has entries, but its signing key %s is gone: restore it from the backup of the state folder", path)
		}
		keys, err = makeKey(path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("audit: signing key: %w", err)
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

// makeKey writes a new key pair: whole or not at all.
func makeKey(path string) (string, error) {
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		return "", err
	}
	keys := secret + "\n" + public + "\n"
	return keys, private.Create(path, []byte(keys))
}

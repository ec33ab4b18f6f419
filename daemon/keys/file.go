package keys

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/flattone/flattone/daemon/private"
)

// OpenFile is the root in a [private.VaultKey].
func OpenFile(path string) (Root, error) {
	return openRoot(File, private.VaultKey, "key file", path)
}

// OpenCredential is the root that systemd hands over under a name (systemd.exec(5), CREDENTIALS_DIRECTORY).
func OpenCredential(name string) (Root, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return nil, fmt.Errorf("keys: systemd hands over no credential, and %q is to be the key: run flattoned as flattoned.service, or name a key_file in the config", name)
	}
	return openRoot(sealing(dir, name), private.VaultCredential, "credential", filepath.Join(dir, name))
}

func openRoot(kind Kind, sort private.Kind, what, path string) (Root, error) {
	f, err := sort.Open(path)
	if err != nil {
		return nil, fmt.Errorf("keys: %s: %w", what, err)
	}
	defer f.Close()
	key, err := NewKey(func(dst []byte) error {
		_, err := io.ReadFull(f, dst)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keys: read %s %s: %w", what, path, err)
	}
	return Held(kind, key), nil
}

package vault

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/flattone/flattone/daemon/private"
)

// OpenKeyFile reads the key-encryption key from a [private.VaultKey]. Destroy the key at the end.
func OpenKeyFile(path string) (*KEK, error) {
	return openKey(private.VaultKey, "key file", path)
}

// OpenCredential reads the key that systemd hands over under a name (systemd.exec(5), CREDENTIALS_DIRECTORY).
func OpenCredential(name string) (*KEK, error) {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return nil, fmt.Errorf("vault: systemd hands over no credential, and %q is to be the key: run flattoned as flattoned.service, or name a key_file in the config", name)
	}
	return openKey(private.VaultCredential, "credential", filepath.Join(dir, name))
}

func openKey(kind private.Kind, what, path string) (*KEK, error) {
	f, err := kind.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vault: %s: %w", what, err)
	}
	defer f.Close()
	kek, err := newKEK(func(dst []byte) error {
		_, err := io.ReadFull(f, dst)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vault: read %s %s: %w", what, path, err)
	}
	return kek, nil
}

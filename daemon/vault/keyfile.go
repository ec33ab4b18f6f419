package vault

import (
	"fmt"
	"io"

	"github.com/flattone/flattone/daemon/private"
)

// OpenKeyFile reads the key-encryption key from a [private.VaultKey]. Destroy the key at the end.
func OpenKeyFile(path string) (*KEK, error) {
	f, err := private.VaultKey.Open(path)
	if err != nil {
		return nil, fmt.Errorf("vault: key file: %w", err)
	}
	defer f.Close()
	kek, err := newKEK(func(dst []byte) error {
		_, err := io.ReadFull(f, dst)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("vault: read key file %s: %w", path, err)
	}
	return kek, nil
}

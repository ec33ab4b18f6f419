//go:build !pkcs11

package hsm

import "github.com/flattone/flattone/daemon/keys"

// Open is [ErrNotBuilt].
func Open(Config) (keys.Root, error) { return nil, ErrNotBuilt }

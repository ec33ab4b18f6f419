//go:build !pkcs11

package hsm

import (
	"errors"
	"testing"
)

// A flattoned without HSMs says so, and goes on without a root in no case.
func TestAbsent(t *testing.T) {
	if root, err := Open(Config{Module: "/usr/lib/softhsm/libsofthsm2.so"}); root != nil || !errors.Is(err, ErrNotBuilt) {
		t.Errorf("it says %v", err)
	}
}

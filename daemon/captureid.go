package daemon

import (
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/daemon/wire"
)

const captureIDPrefix = "cap_"

// newCaptureID is 128 random bits: what makes a hand-over that is sent twice one card.
func newCaptureID() string {
	var b [16]byte
	rand.Read(b[:])
	return captureIDPrefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:]))
}

// newRehearsalID is a capture's id that the vault takes for none.
func newRehearsalID() string {
	return wire.RehearsalPrefix + strings.TrimPrefix(newCaptureID(), captureIDPrefix)
}

// isRehearsal reports whether an id is a rehearsal's, and such that it may be told.
func isRehearsal(id string) bool {
	return wire.IsRehearsal(id) && vault.IsCaptureID(captureIDPrefix+strings.TrimPrefix(id, wire.RehearsalPrefix))
}

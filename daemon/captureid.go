package daemon

import (
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/daemon/wire"
)

const captureIDPrefix = "cap_"

func newCaptureID() string { return vault.NewCaptureID(time.Now()) }

// newRehearsalID is a capture's id that the vault takes for none.
func newRehearsalID() string {
	return wire.RehearsalPrefix + strings.TrimPrefix(newCaptureID(), captureIDPrefix)
}

// isRehearsal reports whether an id is a rehearsal's, and such that it may be told.
func isRehearsal(id string) bool {
	return wire.IsRehearsal(id) && vault.IsCaptureID(captureIDPrefix+strings.TrimPrefix(id, wire.RehearsalPrefix))
}

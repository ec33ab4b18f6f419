package vault

import (
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Figures are what this vault has done since it was opened.
type Figures struct {
	Shredded  map[Why]int64 // cards, by every reason there is
	Rewrapped int64         // record keys that were sealed anew
	Purged    time.Time     // when it last made sure that no card is over its time; zero: not yet
}

// Figures asks nobody, and takes no time.
func (v *Vault) Figures() Figures {
	f := Figures{Shredded: map[Why]int64{}}
	for i, why := range whys {
		f.Shredded[why] = v.shreds[i].Load()
	}
	if at := v.purgedAt.Load(); at > 0 {
		f.Purged = time.UnixMicro(at).UTC()
	}
	v.left.mu.Lock()
	defer v.left.mu.Unlock()
	f.Rewrapped = v.left.done
	return f
}

// countShred counts a shredded card once it is.
func (v *Vault) countShred(tx *store.Tx, why Why) {
	tx.OnCommit(func() { v.shreds[slices.Index(whys[:], why)].Add(1) })
}

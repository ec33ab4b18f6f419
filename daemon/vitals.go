package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/store"
)

// vitalsEvery is how often it is looked at what nobody tells of.
const vitalsEvery = 5 * time.Second

// behindAfter is how long an event may wait to be delivered before that is a fault.
const behindAfter = 10 * time.Minute

// keyGrace is how long the vault's key may be in use after its time: twice as long as it takes until flattoned rotates it by itself.
const keyGrace = 2 * time.Hour

// leastRoom on the disk is that of some ten thousand cards.
const leastRoom = 100 << 20

// watchVitals looks after the store, the vault's key and the way upstream until ctx ends.
func (d *Daemon) watchVitals(ctx context.Context) error {
	tick := time.NewTicker(vitalsEvery)
	defer tick.Stop()
	for {
		d.storeVitals()
		d.clockVitals()
		d.waitVitals(ctx, time.Now())
		d.keyVitals(ctx, time.Now())
		d.paymentVitals(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// storeVitals looks whether the store can be written, and for how long there is room.
func (d *Daemon) storeVitals() {
	room, unroomy := d.store.Room()
	err := d.store.Trouble()
	if err == nil && errors.Is(unroomy, store.ErrReadOnly) {
		err = unroomy // nobody has tried to write since
	}
	for code, is := range map[health.Code]bool{
		health.StoreAway:    errors.Is(err, store.ErrAway),
		health.StoreDamaged: errors.Is(err, store.ErrCorrupt),
		health.StoreFailed:  err != nil && !errors.Is(err, store.ErrAway) && !errors.Is(err, store.ErrCorrupt),
	} {
		if is {
			d.health.Set(code, "", err.Error())
		} else {
			d.health.Clear(code, "")
		}
	}
	switch {
	case unroomy != nil: // told above, or the folder is gone, and then a write says so
	case room < leastRoom:
		d.health.Set(health.DiskLow, "", fmt.Sprintf("%d MiB are free", room>>20))
	default:
		d.health.Clear(health.DiskLow, "")
	}
}

// clockVitals looks whether the vault goes by the machine's clock.
func (d *Daemon) clockVitals() {
	if doubt := d.vault.ClockDoubt(); doubt != "" {
		d.health.Set(health.ClockJumped, "", doubt)
	} else {
		d.health.Clear(health.ClockJumped, "")
	}
}

// keyVitals looks whether the vault's key is another by now, once its time is over.
func (d *Daemon) keyVitals(ctx context.Context, now time.Time) {
	why, err := d.vault.Overdue(ctx, now)
	switch {
	case err != nil: // the store's trouble, which is told as such
	case why == "":
		d.keyOver = time.Time{}
		d.health.Clear(health.KeyOld, "")
	case d.keyOver.IsZero():
		d.keyOver = now
	case now.Sub(d.keyOver) > keyGrace:
		if d.vault.Locked() {
			why += ", and the vault is locked"
		}
		d.health.Set(health.KeyOld, "", why)
	}
}

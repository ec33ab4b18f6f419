package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Run does the vault's housework until ctx ends: what lies under retired keys is sealed anew as soon as there are any, cards are shredded within a minute of
// their time's end, the quarter is certified, and the key is rotated when its time is over. done is told what each purge did, each failure, after which it goes on,
// and that it has gone well again.
func (v *Vault) Run(ctx context.Context, done func(Purged, error)) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	var hourly time.Time
	failed := false
	for {
		now, may := v.calendar.shreds()
		var p Purged
		var err error
		if may {
			p, err = v.purgeDue(ctx, now)
		}
		if err == nil && !v.Locked() {
			if err = v.Rewrap(ctx); err == nil && now.Sub(hourly) >= time.Hour {
				hourly = now
				err = v.hourly(ctx, now)
			}
		}
		if err == nil {
			err = v.recount(ctx, now)
		}
		if ctx.Err() == nil && (err != nil || p.Cards > 0 || failed) {
			done(p, err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-v.wake:
		}
	}
}

// purgeDue purges if there is something to purge.
func (v *Vault) purgeDue(ctx context.Context, now time.Time) (p Purged, err error) {
	var due int
	err = v.store.One(ctx, []any{&due}, `SELECT COUNT(*) FROM (SELECT 1 FROM card WHERE expires <= $1
		AND NOT EXISTS (SELECT 1 FROM hold WHERE hold.token = card.token) LIMIT 1) AS overdue`, now.UnixMicro())
	if err == nil && due > 0 {
		p, err = v.Purge(ctx, now)
	}
	if err == nil {
		v.purgedAt.Store(now.UnixMicro())
	}
	return p, err
}

// hourly rotates when the key has been used long enough (PCI DSS 3.7.4) or often enough, and certifies the last quarter.
func (v *Vault) hourly(ctx context.Context, now time.Time) error {
	n := v.sealed.Swap(0)
	err := v.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("UPDATE kek SET sealed = sealed + $1 WHERE retired = 0", n)
		return err
	})
	if err != nil {
		v.sealed.Add(n)
		return err
	}
	newest, err := v.Newest(ctx)
	if err != nil {
		return err
	}
	if why := v.cfg.over(newest, now); why != "" {
		if _, err = v.Rotate(ctx, "flattoned", why); err != nil && !errors.Is(err, errMoved) { // another box on the same store was faster
			return err
		}
	}
	return v.store.Write(ctx, func(tx *store.Tx) error { return v.certifyQuarter(tx, now) })
}

// over says why the use of a version is over; "" if it isn't.
func (cfg Config) over(n Newest, now time.Time) string {
	switch {
	case n.Version == 0:
		return ""
	case cfg.RotateAfter > 0 && now.Sub(n.Since) >= cfg.RotateAfter:
		return fmt.Sprintf("its cryptoperiod of %d days is over", int(cfg.RotateAfter.Hours()/24))
	case cfg.RotateRecords > 0 && n.Sealed >= cfg.RotateRecords:
		return fmt.Sprintf("%d cards were sealed under it", n.Sealed)
	}
	return ""
}

// Overdue says why the newest version's use is over at now; "" if it isn't. [Vault.Run] rotates within the hour, unless the vault is locked or that fails.
func (v *Vault) Overdue(ctx context.Context, now time.Time) (why string, err error) {
	n, err := v.Newest(ctx)
	return v.cfg.over(n, now), err
}

package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
)

// rewrapBatch is how many record keys are sealed anew in one transaction: a card that is being captured waits for one at most.
const rewrapBatch = 512

// Rotate makes a new version of the key-encryption key, under which everything is sealed from now on. What lies under older versions is sealed anew by
// [Vault.Run], while the box goes on taking cards; a version under which nothing lies any more is destroyed.
//
//	in use ──Rotate──▶ retired ──all rewrapped──▶ destroyed, with a certificate
func (v *Vault) Rotate(ctx context.Context, by, why string) (version int64, err error) {
	version, err = v.rotate(ctx, by, why, func(*store.Tx) error { return nil })
	if err != nil {
		return 0, fmt.Errorf("vault: rotate: %w", err)
	}
	return version, nil
}

// rotate makes the version in the transaction of what it is made for.
func (v *Vault) rotate(ctx context.Context, by, why string, reason func(*store.Tx) error) (version int64, err error) {
	if err := v.refresh(ctx); err != nil {
		return 0, err
	}
	old, kek, err := v.ring.newest()
	if err != nil {
		return 0, err
	}
	next, err := keys.Random()
	if err != nil {
		return 0, err
	}
	now := v.calendar.now()
	version = old + 1
	v.ring.changing.Lock()
	defer v.ring.changing.Unlock()
	err = v.store.Write(ctx, func(tx *store.Tx) error {
		if err := reason(tx); err != nil {
			return err
		}
		n, err := tx.Exec("UPDATE kek SET retired = $1 WHERE version = $2 AND retired = 0", now.UnixMicro(), old)
		if err == nil && n == 0 {
			err = errMoved
		}
		if err != nil {
			return err
		}
		holders, err := trusted(tx, old, kek)
		if err != nil {
			return err
		}
		if err := v.addVersion(tx, version, next, holders, now); err != nil {
			return err
		}
		return v.audit.Append(tx, audit.Event{Actor: by, Action: "key.rotated", Object: fmt.Sprint("key ", version), Result: "ok", Origin: why, Time: now})
	})
	if err != nil {
		next.Destroy()
		return 0, err
	}
	v.ring.add(version, next)
	select {
	case v.wake <- struct{}{}:
	default:
	}
	return version, nil
}

// Rewrap seals everything that lies under retired versions under the newest, and destroys those. It may end at any time, and be begun again.
func (v *Vault) Rewrap(ctx context.Context) error {
	err := v.rewrap(ctx)
	// Another box that rotates or rewraps in the middle of it looks like that, and then it's no longer so.
	for again := 0; again < 2 && (errors.Is(err, errMoved) || errors.Is(err, ErrAltered) || errors.Is(err, keys.ErrDestroyed)); again++ {
		err = v.rewrap(ctx)
	}
	if err != nil {
		return fmt.Errorf("vault: rewrap: %w", err)
	}
	return nil
}

func (v *Vault) rewrap(ctx context.Context) error {
	retired, err := v.retired(ctx)
	if err != nil || len(retired) == 0 {
		return err
	}
	if err := v.refresh(ctx); err != nil {
		return err
	}
	if err := v.rewrapSafe(ctx); err != nil {
		return err
	}
	newest, _, err := v.ring.newest()
	if err != nil {
		return err
	}
	if _, err := v.left.behind(ctx, v, newest); err != nil {
		return err
	}
	for _, version := range retired {
		for after, more := "", true; more; {
			if after, more, err = v.rewrapSome(ctx, version, after); err != nil {
				return err
			}
		}
		if err := v.destroy(ctx, version); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) retired(ctx context.Context) (all []int64, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var version int64
			err := scan(&version)
			all = append(all, version)
			return err
		}, "SELECT version FROM kek WHERE retired > 0 AND destroyed = 0 ORDER BY version")
	})
	return all, err
}

// wrapped is a record's key as it is stored.
type wrapped struct {
	token string
	box   []byte
}

// rewrapSome seals a batch of the record keys under a version anew, of tokens after one. It answers with the last of them.
func (v *Vault) rewrapSome(ctx context.Context, old int64, after string) (last string, more bool, err error) {
	version, kek, err := v.ring.newest()
	if err != nil {
		return "", false, err
	}
	from, err := v.kekOf(ctx, old)
	if err != nil {
		return "", false, err
	}
	var batch []wrapped
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var w wrapped
			err := scan(&w.token, &w.box)
			batch = append(batch, w)
			return err
		}, "SELECT token, box FROM card_key WHERE token > $1 AND kek = $2 ORDER BY token LIMIT $3", after, old, rewrapBatch)
	})
	if err != nil || len(batch) == 0 {
		return "", false, err
	}
	last = batch[len(batch)-1].token
	if err := sealAnew(batch, old, from, version, kek); err != nil {
		return "", false, err
	}
	err = v.store.Write(ctx, func(tx *store.Tx) error {
		if err := inUse(tx, version); err != nil {
			return err
		}
		for _, w := range batch {
			// Gone meanwhile: shredded.
			if _, err := tx.Exec("UPDATE card_key SET kek = $1, box = $2 WHERE token = $3 AND kek = $4", version, w.box, w.token, old); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", false, err
	}
	v.left.moved(version, int64(len(batch)))
	return last, true, nil
}

// inUse makes sure that a version isn't retired. Nothing comes under one that is, by whichever box: it may have been looked through already, and is about to be destroyed.
func inUse(tx *store.Tx, version int64) error {
	var n int64
	err := tx.One([]any{&n}, "SELECT COUNT(*) FROM kek WHERE version = $1 AND retired = 0", version)
	if err == nil && n == 0 {
		err = errMoved
	}
	return err
}

// sealAnew opens record keys under one version and seals them under another, through one page of locked memory.
func sealAnew(batch []wrapped, old int64, from *keys.Key, version int64, to *keys.Key) error {
	p, err := newPage()
	if err != nil {
		return err
	}
	defer p.wipe()
	return from.Expanded(func(from keys.Cipher) error {
		return to.Expanded(func(to keys.Cipher) error {
			for i, w := range batch {
				if err := from.Open(p.dek(), w.box, dekAAD(old, w.token)); err != nil {
					return fmt.Errorf("%w: the key of %s: %w", ErrAltered, w.token, err)
				}
				batch[i].box = to.Seal(p.dek(), dekAAD(version, w.token))
			}
			return nil
		})
	})
}

// destroy ends a version for good, once nothing lies under it.
func (v *Vault) destroy(ctx context.Context, version int64) error {
	var left int64
	// By itself: it reads all keys, and nothing new can come under a retired version.
	err := v.store.One(ctx, []any{&left}, "SELECT (SELECT COUNT(*) FROM card_key WHERE kek = $1) + (SELECT COUNT(*) FROM safe WHERE kek = $1)", version)
	if err != nil || left > 0 {
		return err
	}
	now := v.calendar.now()
	v.ring.changing.Lock()
	defer v.ring.changing.Unlock()
	err = v.store.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec("UPDATE kek SET destroyed = $1 WHERE version = $2 AND retired > 0 AND destroyed = 0", now.UnixMicro(), version)
		if err != nil || n == 0 { // another box was faster
			return err
		}
		if _, err := tx.Exec("DELETE FROM kek_box WHERE version = $1", version); err != nil {
			return err
		}
		if err := v.audit.Append(tx, audit.Event{Actor: "flattoned", Action: "key.destroyed", Object: fmt.Sprint("key ", version), Result: "ok", Origin: "vault", Time: now}); err != nil {
			return err
		}
		text, err := keyDestroyed(tx, version, now)
		if err != nil {
			return err
		}
		return v.certify(tx, fmt.Sprint("key-", version), text, now)
	})
	if err == nil {
		v.ring.drop(version)
	}
	return err
}

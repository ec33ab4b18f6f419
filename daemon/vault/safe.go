package vault

import (
	"context"
	"errors"
	"fmt"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
)

// maxSafe bounds what the safe keeps of one owner, in bytes.
const maxSafe = 64

// Keep seals what is no card and belongs to owner, for a purpose, in tx. Where there is something already it is false, and nothing is changed.
func (v *Vault) Keep(tx *store.Tx, purpose, owner string, plain []byte) (kept bool, err error) {
	version, kek, err := v.ring.newest()
	if err != nil {
		return false, fmt.Errorf("vault: keep: %w", err)
	}
	box, err := kek.Seal(plain, safeAAD(version, purpose, owner))
	if err != nil {
		return false, fmt.Errorf("vault: keep: %w", err)
	}
	n, err := tx.Exec(`INSERT INTO safe (purpose, owner, kek, box) SELECT $1, $2, version, $3 FROM kek WHERE version = $4 AND retired = 0
		ON CONFLICT (purpose, owner) DO NOTHING`, purpose, owner, box, version)
	if err != nil {
		return false, fmt.Errorf("vault: keep: %w", err)
	}
	if n == 1 {
		return true, nil
	}
	var there int64
	if err := tx.One([]any{&there}, "SELECT COUNT(*) FROM safe WHERE purpose = $1 AND owner = $2", purpose, owner); err != nil {
		return false, fmt.Errorf("vault: keep: %w", err)
	}
	if there == 0 {
		return false, fmt.Errorf("vault: keep: %w", errMoved)
	}
	return false, nil
}

// Recall opens into dst what owner had kept, which must be of that length. dst must be in locked memory.
func (v *Vault) Recall(tx *store.Tx, purpose, owner string, dst []byte) error {
	var version int64
	var box []byte
	err := tx.One([]any{&version, &box}, "SELECT kek, box FROM safe WHERE purpose = $1 AND owner = $2", purpose, owner)
	if errors.Is(err, store.ErrNoRow) {
		return ErrNothingKept
	}
	if err != nil {
		return fmt.Errorf("vault: recall: %w", err)
	}
	kek, err := v.ring.kek(version)
	switch {
	case err != nil:
		return fmt.Errorf("vault: recall: %w", err)
	case kek == nil:
		return fmt.Errorf("vault: recall: %w", errMoved)
	}
	if err := kek.Open(dst, box, safeAAD(version, purpose, owner)); err != nil {
		return fmt.Errorf("vault: recall: %w: %w", ErrAltered, err)
	}
	return nil
}

// Drop forgets what owner had kept.
func (v *Vault) Drop(tx *store.Tx, purpose, owner string) error {
	if _, err := tx.Exec("DELETE FROM safe WHERE purpose = $1 AND owner = $2", purpose, owner); err != nil {
		return fmt.Errorf("vault: drop: %w", err)
	}
	return nil
}

func safeAAD(version int64, purpose, owner string) keys.Binding {
	return keys.Bind("flattone safe").Number(version).Text(purpose).Text(owner)
}

// rewrapSafe seals what is in the safe under the newest version.
func (v *Vault) rewrapSafe(ctx context.Context) error {
	version, kek, err := v.ring.newest()
	if err != nil {
		return err
	}
	scratch, err := locked.Bytes(maxSafe)
	if err != nil {
		return err
	}
	defer locked.Free(scratch)
	type entry struct {
		purpose, owner string
		kek            int64
		box            []byte
	}
	return v.store.Write(ctx, func(tx *store.Tx) error {
		if err := inUse(tx, version); err != nil {
			return err
		}
		var all []entry
		err := tx.Each(func(scan func(...any) error) error {
			var e entry
			err := scan(&e.purpose, &e.owner, &e.kek, &e.box)
			all = append(all, e)
			return err
		}, "SELECT purpose, owner, kek, box FROM safe WHERE kek < $1", version)
		if err != nil {
			return err
		}
		for _, e := range all {
			old, err := v.ring.kek(e.kek)
			if err == nil && old == nil {
				err = errMoved
			}
			if err != nil {
				return err
			}
			plain := scratch[:max(0, min(maxSafe, len(e.box)-keys.Overhead))]
			if err := old.Open(plain, e.box, safeAAD(e.kek, e.purpose, e.owner)); err != nil {
				return fmt.Errorf("%w: what %s keeps as %s: %w", ErrAltered, e.owner, e.purpose, err)
			}
			box, err := kek.Seal(plain, safeAAD(version, e.purpose, e.owner))
			if err != nil {
				return err
			}
			if _, err := tx.Exec("UPDATE safe SET kek = $1, box = $2 WHERE purpose = $3 AND owner = $4", version, box, e.purpose, e.owner); err != nil {
				return err
			}
		}
		return nil
	})
}

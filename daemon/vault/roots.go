package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
)

// RootEntry is what may be known of a root.
type RootEntry struct {
	ID      string
	Kind    keys.Kind
	Opened  bool // it is the one that opened this vault
	Created time.Time
}

// Roots are those that open the vault, each by itself.
func (v *Vault) Roots(ctx context.Context) (all []RootEntry, err error) {
	v.ring.mu.RLock()
	mine := v.ring.rootID
	v.ring.mu.RUnlock()
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var e RootEntry
			var created int64
			err := scan(&e.ID, &e.Kind, &created)
			e.Opened, e.Created = e.ID == mine, time.UnixMicro(created).UTC()
			all = append(all, e)
			return err
		}, "SELECT id, kind, created FROM root ORDER BY created, id")
	})
	if err != nil {
		return nil, fmt.Errorf("vault: list roots: %w", err)
	}
	return all, nil
}

// MayAdd is what stands against [Vault.AddRoot].
func (v *Vault) MayAdd(ctx context.Context, root keys.Root) error {
	return v.store.Read(ctx, func(tx *store.Tx) error { return mayAdd(tx, root) })
}

func mayAdd(tx *store.Tx, root keys.Root) error {
	holders, err := holdersIn(tx)
	if err != nil {
		return err
	}
	if h, _, err := pick(holders, root); err == nil {
		return fmt.Errorf("%w, as %s", ErrKnownRoot, h.id)
	}
	if root.Kind().OffDisk() {
		return nil
	}
	var kept bool
	err = tx.One([]any{&kept}, "SELECT EXISTS (SELECT 1 FROM card WHERE kind IN ($1, $2))", string(Reusable), string(Once))
	if err == nil && kept {
		err = ErrRootOnDisk
	}
	return err
}

// AddRoot has a further root open the vault: all versions are sealed for it too. The root stays the caller's.
func (v *Vault) AddRoot(ctx context.Context, by string, root keys.Root) (id string, err error) {
	h, err := newHolder(root)
	if err != nil {
		return "", fmt.Errorf("vault: add a root: %w", err)
	}
	if err := v.refresh(ctx); err != nil {
		return "", fmt.Errorf("vault: add a root: %w", err)
	}
	now := v.calendar.now()
	err = v.store.Write(ctx, func(tx *store.Tx) error {
		if err := mayAdd(tx, root); err != nil {
			return err
		}
		if err := insertHolder(tx, h, now); err != nil {
			return err
		}
		versions, err := liveVersions(tx)
		if err != nil {
			return err
		}
		for _, version := range versions {
			kek, err := v.ring.kek(version)
			if err == nil && kek == nil {
				err = errMoved
			}
			if err != nil {
				return err
			}
			if err := h.give(tx, version, kek); err != nil {
				return err
			}
		}
		return v.audit.Append(tx, audit.Event{Actor: by, Action: "key.root_added", Object: h.id, Result: "ok", Origin: "root " + string(h.kind), Time: now})
	})
	if err == nil {
		err = v.refresh(ctx) // it may lie on the disk
	}
	if err != nil {
		return "", fmt.Errorf("vault: add a root: %w", err)
	}
	return h.id, nil
}

// errMoved: another box has made a version in the meantime. Asking again cures it.
var errMoved = errors.New("the keys have changed meanwhile: try once more")

// DropRoot has a root no longer open the vault. What it opened until then it could have kept, so a new version of the key is made with it, and everything is
// sealed anew under that. The root that opened this vault stays, and so there is always one that does.
func (v *Vault) DropRoot(ctx context.Context, by, id string) error {
	v.ring.mu.RLock()
	mine := v.ring.rootID
	v.ring.mu.RUnlock()
	_, err := v.rotate(ctx, by, "a root was dropped", func(tx *store.Tx) error {
		if id == mine {
			return ErrOwnRoot
		}
		if _, err := tx.Exec("DELETE FROM kek_box WHERE root = $1", id); err != nil {
			return err
		}
		n, err := tx.Exec("DELETE FROM root WHERE id = $1", id)
		if err == nil && n == 0 {
			err = ErrUnknownRoot
		}
		if err != nil {
			return err
		}
		return v.audit.Append(tx, audit.Event{Actor: by, Action: "key.root_dropped", Object: id, Result: "ok", Origin: "vault", Time: v.calendar.now()})
	})
	if err == nil {
		err = v.refresh(ctx) // it may have been the one on the disk
	}
	if err != nil {
		return fmt.Errorf("vault: drop a root: %w", err)
	}
	return nil
}

func liveVersions(tx *store.Tx) (all []int64, err error) {
	err = tx.Each(func(scan func(...any) error) error {
		var version int64
		err := scan(&version)
		all = append(all, version)
		return err
	}, "SELECT version FROM kek WHERE destroyed = 0 ORDER BY version")
	return all, err
}

package vault

import (
	"context"
	"crypto/hpke"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
)

// keyring is the key-encryption keys that are in use, in locked memory. The newest seals; all open. Safe for concurrent use.
//
//	locked ──Unlock──▶ open ──Close──▶ locked
//	                    │ ▲
//	                    └─┘ a version is added (here, or by another box on the same store), or destroyed
//
// What is read from the store and put on the ring, and what changes both, goes one after the other: an old view would take a new version off, or put one back that
// was destroyed.
type keyring struct {
	changing sync.Mutex // held before mu, across what is asked of the store

	mu     sync.RWMutex
	root   keys.Root // nil while it is locked
	rootID string
	onDisk string // a root of the vault's that lies on the disk with the cards; none: ""
	keks   map[int64]*keys.Key
}

// newest is the version that seals.
func (r *keyring) newest() (int64, *keys.Key, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.root == nil {
		return 0, nil, ErrLocked
	}
	version := slices.Max(slices.Collect(maps.Keys(r.keks)))
	return version, r.keks[version], nil
}

// kek is a version's key; nil if it isn't on the ring.
func (r *keyring) kek(version int64) (*keys.Key, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.root == nil {
		return nil, ErrLocked
	}
	return r.keks[version], nil
}

// opened is what a root has opened.
type opened struct {
	rootID string
	onDisk string
	keks   map[int64]*keys.Key
}

// take has the ring hold these versions and no others. Of one that it holds already the second copy is destroyed: a key has one place.
func (r *keyring) take(root keys.Root, o opened) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.root != nil && r.root != root {
		r.root.Close() // of what was unlocked before, by another root
	}
	r.root, r.rootID, r.onDisk = root, o.rootID, o.onDisk
	if r.keks == nil {
		r.keks = map[int64]*keys.Key{}
	}
	for version, kek := range o.keks {
		if r.keks[version] != nil {
			kek.Destroy()
			continue
		}
		r.keks[version] = kek
	}
	for version, kek := range r.keks {
		if o.keks[version] == nil { // another box has destroyed it
			kek.Destroy()
			delete(r.keks, version)
		}
	}
}

// add puts a version on the ring.
func (r *keyring) add(version int64, kek *keys.Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.root == nil || r.keks[version] != nil { // locked meanwhile, or refreshed
		kek.Destroy()
		return
	}
	r.keks[version] = kek
}

// drop destroys a version's key in memory.
func (r *keyring) drop(version int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kek := r.keks[version]; kek != nil {
		kek.Destroy()
		delete(r.keks, version)
	}
}

// lock destroys all keys in memory, and closes the root.
func (r *keyring) lock() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, kek := range r.keks {
		kek.Destroy()
	}
	r.keks, r.onDisk = nil, ""
	root := r.root
	if r.root = nil; root == nil {
		return nil
	}
	return root.Close()
}

// Unlock opens the vault by a root, which is the vault's from then on if it fits. A store without any key takes it as its first; one that has keys of other
// roots refuses it with [ErrWrongKey], before anything is written.
func (v *Vault) Unlock(ctx context.Context, root keys.Root) error {
	if err := v.unlock(ctx, root); err != nil {
		return fmt.Errorf("vault: unlock: %w", err)
	}
	return nil
}

func (v *Vault) unlock(ctx context.Context, root keys.Root) error {
	known, err := v.known(ctx)
	if err != nil {
		return err
	}
	if known == 0 {
		if err := v.begin(ctx, root); err != nil {
			return err
		}
	}
	if err := v.judgeFingerprintKeys(ctx); err != nil {
		return err
	}
	if err := v.fill(ctx, root); err != nil {
		return err
	}
	return v.makeFingerprintKeys(ctx)
}

// known is how many versions there are or were.
func (v *Vault) known(ctx context.Context) (n int64, err error) {
	err = v.store.One(ctx, []any{&n}, "SELECT COUNT(*) FROM kek")
	return n, err
}

// begin makes the first version, for a store without cards.
func (v *Vault) begin(ctx context.Context, root keys.Root) error {
	kek, err := keys.Random()
	if err != nil {
		return err
	}
	defer kek.Destroy()
	first, err := newHolder(root)
	if err != nil {
		return err
	}
	now := v.calendar.now()
	return v.store.Write(ctx, func(tx *store.Tx) error {
		var versions, cards int64
		if err := tx.One([]any{&versions, &cards}, "SELECT (SELECT COUNT(*) FROM kek), (SELECT COUNT(*) FROM card)"); err != nil {
			return err
		}
		switch {
		case versions > 0: // another box on the same store was faster
			return nil
		case cards > 0:
			return fmt.Errorf("%w: it holds cards, but all their keys are gone", ErrAltered)
		}
		if err := insertHolder(tx, first, now); err != nil {
			return err
		}
		if err := v.addVersion(tx, 1, kek, []holder{first}, now); err != nil {
			return err
		}
		return v.audit.Append(tx, audit.Event{Actor: "flattoned", Action: "key.created", Object: "key 1", Result: "ok", Origin: "root " + string(root.Kind()), Time: now})
	})
}

// addVersion stores a version as each holder has it. The caller has made sure of them.
func (v *Vault) addVersion(tx *store.Tx, version int64, kek *keys.Key, holders []holder, now time.Time) error {
	if _, err := tx.Exec("INSERT INTO kek (version, created, sealed, retired, destroyed) VALUES ($1, $2, 0, 0, 0)", version, now.UnixMicro()); err != nil {
		return err
	}
	for _, h := range holders {
		if err := h.give(tx, version, kek); err != nil {
			return err
		}
	}
	return nil
}

// openRing opens all versions that a root has. It finds out which of the holders the root is.
func (v *Vault) openRing(ctx context.Context, root keys.Root) (o opened, err error) {
	holders, err := v.holders(ctx)
	if err != nil {
		return o, err
	}
	mine, private, err := pick(holders, root)
	if err != nil {
		return o, err
	}
	for _, h := range holders {
		if h.id == mine.id {
			h.kind = root.Kind() // a credential may have been sealed in another way since
		}
		if !h.kind.OffDisk() {
			o.onDisk = fmt.Sprintf("%s, kind %s", h.id, h.kind)
		}
	}
	o.rootID = mine.id
	o.keks, err = v.openBoxes(ctx, mine, private)
	return o, err
}

// pick finds the holder that a root is.
func pick(holders []holder, root keys.Root) (holder, hpke.PrivateKey, error) {
	for _, h := range holders {
		if private, err := h.open(root); err == nil {
			return h, private, nil
		}
	}
	return holder{}, nil, ErrWrongKey
}

// refresh puts versions on the ring that another box has made since.
func (v *Vault) refresh(ctx context.Context) error {
	v.ring.mu.RLock()
	root := v.ring.root
	v.ring.mu.RUnlock()
	if root == nil {
		return ErrLocked
	}
	return v.fill(ctx, root)
}

// fill puts on the ring what a root opens.
func (v *Vault) fill(ctx context.Context, root keys.Root) error {
	v.ring.changing.Lock()
	defer v.ring.changing.Unlock()
	o, err := v.openRing(ctx, root)
	if err == nil {
		v.ring.take(root, o)
	}
	return err
}

// kekOf is a version's key. One that is on no ring may have been made by another box since.
func (v *Vault) kekOf(ctx context.Context, version int64) (*keys.Key, error) {
	kek, err := v.ring.kek(version)
	if err != nil || kek != nil {
		return kek, err
	}
	if err := v.refresh(ctx); err != nil {
		return nil, err
	}
	if kek, err = v.ring.kek(version); err == nil && kek == nil {
		err = fmt.Errorf("%w: there is no key %d", ErrAltered, version)
	}
	return kek, err
}

// Close destroys the keys in memory.
func (v *Vault) Close() error { return v.ring.lock() }

// Locked reports that nobody has opened the vault.
func (v *Vault) Locked() bool {
	_, _, err := v.ring.newest()
	return errors.Is(err, ErrLocked)
}

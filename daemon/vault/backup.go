package vault

import (
	"fmt"

	"github.com/flattone/flattone/daemon/keys"
)

// Wrap seals the key of a backup under the newest version, bound to the backup's name. Whoever can open the vault can open the backup: [Versions.Unwrap].
func (v *Vault) Wrap(backup string, key []byte) (version int64, box []byte, err error) {
	version, kek, err := v.ring.newest()
	if err == nil {
		box, err = kek.Seal(key, backupAAD(backup, version))
	}
	if err != nil {
		return 0, nil, fmt.Errorf("vault: seal a backup's key: %w", err)
	}
	return version, box, nil
}

func backupAAD(backup string, version int64) keys.Binding {
	return keys.Bind("flattone backup").Text(backup).Number(version)
}

// KeyBackup is the versions of the key as one root has them: what a backup of keys consists of. All of it is sealed, or public.
type KeyBackup struct {
	Root         string
	Kind         keys.Kind
	Public, Seed []byte
	Boxes        []KeyBox
}

// KeyBox is a version.
type KeyBox struct {
	Version      int64
	Box, Vouched []byte
}

// Versions are those of a backup of keys, in locked memory. Close them at the end.
type Versions map[int64]*keys.Key

// Open opens a backup of keys by its root, which stays the caller's; another one is [ErrWrongKey].
func (b KeyBackup) Open(root keys.Root) (all Versions, err error) {
	h := holder{b.Root, b.Kind, b.Public, b.Seed}
	private, err := h.open(root)
	if err != nil {
		return nil, fmt.Errorf("vault: open a backup of keys: %w: %w", ErrWrongKey, err)
	}
	all = Versions{}
	for _, x := range b.Boxes {
		if all[x.Version], err = h.openBox(private, x.Version, x.Box, x.Vouched); err != nil {
			delete(all, x.Version)
			all.Close()
			return nil, fmt.Errorf("vault: open a backup of keys: %w", err)
		}
	}
	return all, nil
}

// Unwrap opens what [Vault.Wrap] has sealed into dst, which is as long.
func (all Versions) Unwrap(backup string, version int64, dst, box []byte) error {
	kek := all[version]
	if kek == nil {
		return fmt.Errorf("vault: %w: it is sealed under version %d of the key, which the backup of keys doesn't hold", ErrWrongKey, version)
	}
	if err := kek.Open(dst, box, backupAAD(backup, version)); err != nil {
		return fmt.Errorf("vault: %w: open a backup's key: %w", ErrWrongKey, err)
	}
	return nil
}

// Close destroys them.
func (all Versions) Close() {
	for _, kek := range all {
		kek.Destroy()
	}
}

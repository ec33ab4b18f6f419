package vault

import (
	"bytes"
	"context"
	"crypto/hpke"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
)

// holder is a root as the store knows it: a key pair whose seed only the root opens. So a new version can be sealed for a root that isn't there: another box's,
// or the custodians'.
type holder struct {
	id     string
	kind   keys.Kind
	public []byte
	seed   []byte // sealed by the root
}

// kem is the key encapsulation of holders: ML-KEM-1024 and P-384 together, because what is sealed for custodians may lie in a cupboard for ten years.
func kem() hpke.KEM { return hpke.MLKEM1024P384() }

func newHolder(root keys.Root) (h holder, err error) {
	h.id, h.kind = id.Random("root_"), root.Kind()
	seed, err := keys.Random()
	if err != nil {
		return h, err
	}
	defer seed.Destroy()
	err = seed.Use(func(plain []byte) error {
		private, err := kem().DeriveKeyPair(plain)
		if err != nil {
			return err
		}
		h.public = private.PublicKey().Bytes()
		h.seed, err = root.Seal(plain, h.aad())
		return err
	})
	if err != nil {
		return h, fmt.Errorf("seal a root's seed: %w", err)
	}
	return h, nil
}

func (h holder) aad() keys.Binding {
	return keys.Bind("flattone root").Text(h.id).Text(string(h.kind)).Bytes(h.public)
}

// open has a root open its seed; the error says that it is another's. The private key is on the ordinary heap, where nothing can wipe it: a root is asked at the start,
// and when another box has made a version.
func (h holder) open(root keys.Root) (hpke.PrivateKey, error) {
	seed, err := keys.NewKey(func(dst []byte) error { return root.Open(dst, h.seed, h.aad()) })
	if err != nil {
		return nil, err
	}
	defer seed.Destroy()
	var private hpke.PrivateKey
	err = seed.Use(func(plain []byte) error {
		private, err = kem().DeriveKeyPair(plain)
		return err
	})
	if err == nil && !bytes.Equal(private.PublicKey().Bytes(), h.public) {
		err = ErrAltered
	}
	return private, err
}

func boxInfo(version int64, id string) keys.Binding {
	return keys.Bind("flattone kek").Number(version).Text(id)
}

// vouch is sealed under a version, of nothing but the holder it stands for.
func (h holder) vouch(version int64) keys.Binding {
	return keys.Bind("flattone holder").Number(version).Bytes(h.aad())
}

// give stores a version for a holder.
func (h holder) give(tx *store.Tx, version int64, kek *keys.Key) error {
	public, err := kem().NewPublicKey(h.public)
	if err != nil {
		return fmt.Errorf("%w: root %s: %w", ErrAltered, h.id, err)
	}
	var box []byte
	err = kek.Use(func(plain []byte) error {
		box, err = hpke.Seal(public, hpke.HKDFSHA384(), hpke.AES256GCM(), boxInfo(version, h.id), plain)
		return err
	})
	if err != nil {
		return fmt.Errorf("seal key %d for root %s: %w", version, h.id, err)
	}
	vouched, err := kek.Seal(nil, h.vouch(version))
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT INTO kek_box (version, root, box, vouched) VALUES ($1, $2, $3, $4)", version, h.id, box, vouched)
	return err
}

// openBox opens a version that was given to h.
func (h holder) openBox(private hpke.PrivateKey, version int64, box, vouched []byte) (*keys.Key, error) {
	kek, err := keys.NewKey(func(dst []byte) error {
		plain, err := hpke.Open(private, hpke.HKDFSHA384(), hpke.AES256GCM(), boxInfo(version, h.id), box)
		defer clear(plain)
		if err == nil && len(plain) != keys.Size {
			err = errors.New("a key of another length")
		}
		locked.Copy(dst, plain)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: key %d: %w", ErrAltered, version, err)
	}
	if kek.Open(nil, vouched, h.vouch(version)) != nil {
		kek.Destroy()
		return nil, fmt.Errorf("%w: key %d doesn't vouch for root %s", ErrAltered, version, h.id)
	}
	return kek, nil
}

// openBoxes opens all versions that were given to h.
func (v *Vault) openBoxes(ctx context.Context, h holder, private hpke.PrivateKey) (keks map[int64]*keys.Key, err error) {
	keks = map[int64]*keys.Key{}
	defer func() {
		if err != nil {
			for _, kek := range keks {
				kek.Destroy()
			}
		}
	}()
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var version int64
			var box, vouched []byte
			if err := scan(&version, &box, &vouched); err != nil {
				return err
			}
			kek, err := h.openBox(private, version, box, vouched)
			if err == nil {
				keks[version] = kek
			}
			return err
		}, "SELECT version, box, vouched FROM kek_box WHERE root = $1 ORDER BY version", h.id)
	})
	if err == nil && len(keks) == 0 {
		err = ErrWrongKey
	}
	return keks, err
}

func (v *Vault) holders(ctx context.Context) (all []holder, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		all, err = holdersIn(tx)
		return err
	})
	return all, err
}

func holdersIn(tx *store.Tx) (all []holder, err error) {
	err = tx.Each(func(scan func(...any) error) error {
		var h holder
		err := scan(&h.id, &h.kind, &h.public, &h.seed)
		all = append(all, h)
		return err
	}, "SELECT id, kind, public, seed FROM root ORDER BY created, id")
	return all, err
}

// trusted are the holders that a version vouches for; one it doesn't is an error, for somebody has added it behind the vault's back.
func trusted(tx *store.Tx, version int64, kek *keys.Key) (all []holder, err error) {
	known, err := holdersIn(tx)
	if err != nil {
		return nil, err
	}
	for _, h := range known {
		var vouched []byte
		err := tx.One([]any{&vouched}, "SELECT vouched FROM kek_box WHERE version = $1 AND root = $2", version, h.id)
		if err == nil {
			err = kek.Open(nil, vouched, h.vouch(version))
		}
		if err != nil {
			return nil, fmt.Errorf("%w: key %d doesn't vouch for root %s: %w", ErrAltered, version, h.id, err)
		}
		all = append(all, h)
	}
	return all, nil
}

func insertHolder(tx *store.Tx, h holder, now time.Time) error {
	_, err := tx.Exec("INSERT INTO root (id, kind, public, seed, created) VALUES ($1, $2, $3, $4, $5)", h.id, string(h.kind), h.public, h.seed, now.UnixMicro())
	return err
}

package vault

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/store"
)

// fingerprints is the purpose of their keys in the safe.
const fingerprints = "fingerprint"

// fingerprint is a keyed hash of tenant and PAN under the destination's key, 26 characters of it.
func (v *Vault) fingerprint(destination, tenant string, pan *secret.Text) (string, error) {
	page, err := locked.Bytes(keys.Size)
	if err != nil {
		return "", err
	}
	defer locked.Free(page)
	key := page[:keys.Size]
	err = v.store.Read(context.Background(), func(tx *store.Tx) error { return v.Recall(tx, fingerprints, destination, key) })
	if err != nil {
		return "", fmt.Errorf("the fingerprint key of %s: %w", destination, err)
	}
	sum := keys.MAC(key, keys.Bind("flattone fingerprint").Text(tenant), pan.Reveal())
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum)[:26]), nil
}

// A destination's fingerprint key is made once, when the vault is first opened with it, and a certificate says so. One that is gone isn't made anew in silence: all
// cards would have other fingerprints from then on, and nobody upstream would know why.
//
//	none ──made, certified──▶ kept ──it vanishes──▶ lost: the vault isn't opened
//	  ▲                                              │
//	  └────────── opened once without fingerprints ──┘
type fingerprintKey struct {
	Destination
	kept, certified bool
}

func (d Destination) certificate() string { return "fingerprint-" + d.Name }

// fingerprintKeys are those of all destinations.
func (v *Vault) fingerprintKeys(ctx context.Context) (all []fingerprintKey, err error) {
	err = v.store.Read(ctx, func(tx *store.Tx) error {
		for _, d := range v.cfg.Destinations {
			k := fingerprintKey{Destination: d}
			err := tx.One([]any{&k.kept, &k.certified}, `SELECT EXISTS (SELECT 1 FROM safe WHERE purpose = $1 AND owner = $2),
				EXISTS (SELECT 1 FROM certificate WHERE kind = $3)`, fingerprints, d.Name, d.certificate())
			if err != nil {
				return err
			}
			all = append(all, k)
		}
		return nil
	})
	return all, err
}

// judgeFingerprintKeys refuses to go on with one that is lost, and forgets that of a destination that is told none any more. It needs no key.
func (v *Vault) judgeFingerprintKeys(ctx context.Context) error {
	all, err := v.fingerprintKeys(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	for _, k := range all {
		if k.kept || !k.certified {
			continue
		}
		e := audit.Event{Actor: "flattoned", Action: "key.fingerprint_given_up", Object: k.Name, Result: "ok", Origin: "configuration", Time: now}
		if k.Fingerprint {
			err = fmt.Errorf("%w: that of %s; restore the backup of the vault, or give it up: start flattoned once with fingerprint = false", ErrFingerprintLost, k.Name)
			e.Action, e.Result, e.Origin = "key.fingerprint_lost", ErrFingerprintLost.Error(), "vault"
		}
		noting := v.store.Write(ctx, func(tx *store.Tx) error {
			if !k.Fingerprint {
				if _, err := tx.Exec("DELETE FROM certificate WHERE kind = $1", k.certificate()); err != nil {
					return err
				}
			}
			return v.audit.Append(tx, e)
		})
		if err != nil || noting != nil {
			return errors.Join(err, noting)
		}
	}
	return nil
}

// makeFingerprintKeys makes those that never were.
func (v *Vault) makeFingerprintKeys(ctx context.Context) error {
	all, err := v.fingerprintKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range all {
		if !k.Fingerprint || k.kept || k.certified {
			continue
		}
		if err := v.makeFingerprintKey(ctx, k.Destination, time.Now()); err != nil {
			return err
		}
	}
	return nil
}

func (v *Vault) makeFingerprintKey(ctx context.Context, d Destination, now time.Time) error {
	key, err := keys.Random()
	if err != nil {
		return err
	}
	defer key.Destroy()
	return key.Use(func(plain []byte) error {
		return v.store.Write(ctx, func(tx *store.Tx) error {
			kept, err := v.Keep(tx, fingerprints, d.Name, plain)
			if err != nil || !kept { // another box on the same store was faster
				return err
			}
			text := fmt.Sprintf("flattone: a fingerprint key was made\n\nDestination: %s\nMade: %s\n\nNo card has the same fingerprint by it as by a key from before.\n",
				d.Name, now.UTC().Format(time.RFC3339))
			if err := v.certify(tx, d.certificate(), text, now); err != nil {
				return err
			}
			return v.audit.Append(tx, audit.Event{Actor: "flattoned", Action: "key.fingerprint_made", Object: d.Name, Result: "ok", Origin: "vault", Time: now})
		})
	})
}

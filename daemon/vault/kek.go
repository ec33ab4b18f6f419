package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/store"
)

// keySize is the length of every key here: AES-256.
const keySize = 32

// KEK is the key-encryption key, in locked memory. Safe for concurrent use.
type KEK struct {
	mu  sync.RWMutex
	key []byte // one locked page; nil once destroyed
}

// newKEK takes a key by letting fill write it into locked memory.
func newKEK(fill func(dst []byte) error) (*KEK, error) {
	page, err := locked.Bytes(keySize)
	if err != nil {
		return nil, err
	}
	if err := fill(page[:keySize]); err != nil {
		locked.Free(page)
		return nil, err
	}
	return &KEK{key: page}, nil
}

// Destroy wipes the key. Whoever uses it after that gets an error.
func (k *KEK) Destroy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	locked.Free(k.key)
	k.key = nil
}

// Format prints no key, whatever the verb.
func (k *KEK) Format(f fmt.State, _ rune) { f.Write([]byte("[key]")) }

func (k *KEK) seal(plaintext, aad []byte) ([]byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.key == nil {
		return nil, errors.New("the vault key was destroyed")
	}
	return seal(k.key[:keySize], plaintext, aad)
}

func (k *KEK) open(dst, box, aad []byte) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.key == nil {
		return errors.New("the vault key was destroyed")
	}
	return open(dst, k.key[:keySize], box, aad)
}

// enrol finds the version under which the store knows the key. A store without any key and without cards
// takes it as its first.
func enrol(ctx context.Context, db *store.DB, kek *KEK) (int64, error) {
	version, known, err := findKEK(ctx, db, kek)
	if err != nil || version > 0 {
		return version, err
	}
	if known > 0 {
		return 0, ErrWrongKey
	}
	check, err := kek.seal(make([]byte, keySize), checkAAD(1))
	if err != nil {
		return 0, fmt.Errorf("make the key's check value: %w", err)
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		var cards int64
		if err := tx.One([]any{&cards}, "SELECT COUNT(*) FROM card"); err != nil {
			return err
		}
		if cards > 0 {
			return fmt.Errorf("%w: it holds cards, but the check value of their key is gone", ErrAltered)
		}
		_, err := tx.Exec("INSERT INTO kek (version, key_check, created) VALUES (1, $1, $2)", check, time.Now().UnixMicro())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store the key's check value: %w", err)
	}
	return 1, nil
}

func checkAAD(version int64) []byte { return bind("flattone key check").number(version) }

// findKEK tries the key on every check value in the store.
func findKEK(ctx context.Context, db *store.DB, kek *KEK) (version, known int64, err error) {
	scratch, err := locked.Bytes(keySize)
	if err != nil {
		return 0, 0, err
	}
	defer locked.Free(scratch)
	err = db.Read(ctx, func(tx *store.Tx) error {
		return tx.Each(func(scan func(...any) error) error {
			var v int64
			var check []byte
			if err := scan(&v, &check); err != nil {
				return err
			}
			known++
			if kek.open(scratch[:keySize], check, checkAAD(v)) == nil {
				version = v
			}
			return nil
		}, "SELECT version, key_check FROM kek ORDER BY version")
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the key's check value: %w", err)
	}
	return version, known, nil
}

// random fills b with random bytes; it can't fail (crypto/rand ends the process rather).
func random(b []byte) error {
	_, err := rand.Read(b)
	return err
}

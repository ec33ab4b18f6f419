// Package keys is how keys are kept and used: AES-256 keys in locked memory ([Key]), what is sealed under them, and the root ([Root]) that every other key
// of the vault hangs on.
//
//	root          a machine's TPM, an HSM, custodians; or a file, on trial
//	 └─ KEK       key-encryption keys, versions of which the newest is used
//	     └─ DEK   a key for each record
//	         └─ card
//
// It exists so that there is one way to seal: AES-256-GCM with a random nonce (NIST SP 800-38D, 8.2.2), bound by additional data to where it belongs and what
// it is for ([Bind]). It promises that a key lies in a locked page alone: what Go's cipher makes of one on the heap is wiped after each use. It must never
// print a key, write one to a file, or open anything whose additional data differs.
package keys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"github.com/flattone/flattone/audio/locked"
)

// Size is the length of every key, in bytes: AES-256.
const Size = 32

// ErrDestroyed: the key was wiped.
var ErrDestroyed = errors.New("the key was destroyed")

// Key is a key in locked memory. Safe for concurrent use.
type Key struct {
	mu  sync.RWMutex
	key []byte // one locked page; nil once destroyed
}

// NewKey takes a key by letting fill write it into locked memory, [Size] bytes.
func NewKey(fill func(dst []byte) error) (*Key, error) {
	page, err := locked.Bytes(Size)
	if err != nil {
		return nil, err
	}
	if err := fill(page[:Size]); err != nil {
		locked.Free(page)
		return nil, err
	}
	return &Key{key: page}, nil
}

// Random makes a new key.
func Random() (*Key, error) {
	return NewKey(func(dst []byte) error {
		_, err := rand.Read(dst)
		return err
	})
}

// Destroy wipes the key. Whoever uses it after that gets [ErrDestroyed].
func (k *Key) Destroy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	locked.Free(k.key)
	k.key = nil
}

// Format prints no key, whatever the verb.
func (k *Key) Format(f fmt.State, _ rune) { f.Write([]byte("[key]")) }

// Use lends the key itself: a view of its locked page, which must neither be kept nor copied to memory that isn't locked.
func (k *Key) Use(use func(key []byte) error) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.key == nil {
		return ErrDestroyed
	}
	return use(k.key[:Size:Size])
}

// Seal seals plaintext, bound to aad. The result is [Overhead] bytes longer, and may lie anywhere.
func (k *Key) Seal(plaintext, aad []byte) (box []byte, err error) {
	err = k.Use(func(key []byte) error {
		box, err = Seal(key, plaintext, aad)
		return err
	})
	return box, err
}

// Open opens box into dst, which must be exactly as long as the plaintext, and in locked memory where it is secret.
func (k *Key) Open(dst, box, aad []byte) error {
	return k.Use(func(key []byte) error { return Open(dst, key, box, aad) })
}

// Expanded lends the key as it is expanded for use, which costs more than a box does. It is wiped when use returns, and must not be kept.
func (k *Key) Expanded(use func(Cipher) error) error {
	return k.Use(func(key []byte) error { return expanded(key, use) })
}

// OpenKey opens a box that holds a key.
func (k *Key) OpenKey(box, aad []byte) (*Key, error) {
	return NewKey(func(dst []byte) error { return k.Open(dst, box, aad) })
}

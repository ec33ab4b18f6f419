package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"reflect"
)

// Overhead is what AES-GCM adds to what is sealed, in bytes: a random nonce of 12 in front, a tag of 16 behind.
const Overhead = 28

// Seal returns plaintext sealed under a key of [Size] bytes in locked memory, bound to aad. The result may lie anywhere.
func Seal(key, plaintext, aad []byte) (box []byte, err error) {
	err = expanded(key, func(c Cipher) error {
		box = c.Seal(plaintext, aad)
		return nil
	})
	return box, err
}

// Open opens box into dst, which must be exactly as long as the plaintext and in locked memory.
func Open(dst, key, box, aad []byte) error {
	return expanded(key, func(c Cipher) error { return c.Open(dst, box, aad) })
}

// Cipher is a key that is expanded, for many boxes in a row.
type Cipher struct{ gcm cipher.AEAD }

// Seal is as the function of this name.
func (c Cipher) Seal(plaintext, aad []byte) []byte { return c.gcm.Seal(nil, nil, plaintext, aad) }

// Open is as the function of this name.
func (c Cipher) Open(dst, box, aad []byte) error {
	if len(box) != len(dst)+Overhead {
		return fmt.Errorf("a box of %d bytes, want %d", len(box), len(dst)+Overhead)
	}
	_, err := c.gcm.Open(dst[:0], nil, box, aad)
	return err
}

func expanded(key []byte, use func(Cipher) error) error {
	gcm, forget, err := newGCM(key)
	if err != nil {
		return err
	}
	defer forget()
	return use(Cipher{gcm})
}

// newGCM returns a cipher and the function that wipes it. Go expands the key on the ordinary heap, twice
// (block and GCM), and the expansion of an AES-256 key begins with the key itself; so both are wiped after
// every use, which costs less than keeping them would risk.
func newGCM(key []byte) (gcm cipher.AEAD, forget func(), err error) {
	gcm, wipeBoth, err := expand(key)
	if err != nil {
		return nil, nil, err
	}
	return gcm, func() {
		wipeBoth()
		overwriteRegisters()
	}, nil
}

func expand(key []byte) (gcm cipher.AEAD, wipeBoth func(), err error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, nil, err
	}
	gcm, err = cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		wipe(reflect.ValueOf(block))
		return nil, nil, err
	}
	return gcm, func() {
		wipe(reflect.ValueOf(gcm))
		wipe(reflect.ValueOf(block))
	}, nil
}

// overwriteRegisters goes the same way with a key of zeros. The cipher leaves half of its key in a vector
// register, and the kernel writes those to the signal stack whenever Go preempts the thread.
func overwriteRegisters() {
	if gcm, _, err := expand(make([]byte, Size)); err == nil {
		gcm.Seal(nil, nil, make([]byte, Size), nil)
	}
}

// wipe zeroes what v points to, through one struct that only holds the pointer.
func wipe(v reflect.Value) {
	if v.Kind() == reflect.Struct && v.NumField() == 1 {
		v = v.Field(0)
	}
	v.Elem().SetZero()
}

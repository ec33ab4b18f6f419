//go:build pkcs11

package hsm

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"unsafe"

	"github.com/ThalesGroup/crypto11"
	"github.com/miekg/pkcs11"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/private"
)

// nonceSize is AES-GCM's, in bytes: a box is nonce, ciphertext and tag, as [keys.Key.Seal] makes them.
const nonceSize = 12

// root is a key in a token, in a session that is logged in.
type root struct {
	mu    sync.RWMutex
	token *crypto11.Context // nil once closed
	key   *crypto11.SecretKey
	gcm   cipher.AEAD
	label string
	pin   []byte // a locked page, which the token's configuration points to
}

// Open logs in to a token and finds the key.
func Open(cfg Config) (_ keys.Root, err error) {
	pin, text, err := readPIN(cfg.PINFile)
	if err != nil {
		return nil, fmt.Errorf("keys: HSM: PIN: %w", err)
	}
	r := &root{label: cfg.Key, pin: pin}
	defer func() {
		if err != nil {
			err = fmt.Errorf("keys: HSM: token %q, key %q: %w", cfg.Token, cfg.Key, errors.Join(err, r.Close()))
		}
	}()
	if r.token, err = crypto11.Configure(&crypto11.Config{Path: cfg.Module, TokenLabel: cfg.Token, Pin: text}); err != nil {
		return nil, refused(err)
	}
	if r.key, err = find(r.token, cfg.Key); err != nil {
		return nil, err
	}
	r.gcm, err = r.key.NewGCM()
	return r, err
}

// readPIN reads a PIN into locked memory, where the text lies as well.
func readPIN(path string) (page []byte, text string, err error) {
	f, err := private.PIN.Open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if page, err = locked.Bytes(int(private.PIN.Longest)); err != nil {
		return nil, "", err
	}
	n, err := io.ReadFull(f, page)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		locked.Free(page)
		return nil, "", err
	}
	pin := bytes.TrimRight(page[:n], "\r\n")
	return page, unsafe.String(unsafe.SliceData(pin), len(pin)), nil
}

// refused puts what a module said in words that lead somewhere.
func refused(err error) error {
	code, answered := errors.AsType[pkcs11.Error](err)
	switch {
	case answered && (code == pkcs11.CKR_PIN_INCORRECT || code == pkcs11.CKR_PIN_INVALID || code == pkcs11.CKR_PIN_LEN_RANGE):
		return fmt.Errorf("%w (%v)", ErrPIN, err)
	case answered && code == pkcs11.CKR_PIN_LOCKED:
		return fmt.Errorf("%w (%v)", ErrLocked, err)
	// crypto11 has no names for these.
	case err.Error() == "could not find PKCS#11 token":
		return ErrNoToken
	case strings.Contains(err.Error(), "module"):
		return fmt.Errorf("%w (%v)", ErrModule, err)
	}
	return err
}

// find finds the one key of a label, and looks whether it is the token's alone.
func find(token *crypto11.Context, label string) (*crypto11.SecretKey, error) {
	found, err := token.FindKeys(nil, []byte(label))
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrGone, err)
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%w (there are %d)", ErrNoKey, len(found))
	}
	about, err := token.GetAttributes(found[0], []crypto11.AttributeType{crypto11.CkaKeyType, crypto11.CkaValueLen, crypto11.CkaSensitive, crypto11.CkaExtractable})
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrNoKey, err)
	}
	is := func(attribute crypto11.AttributeType, value any) bool {
		want, err := crypto11.NewAttribute(attribute, value)
		return err == nil && about[attribute] != nil && bytes.Equal(about[attribute].Value, want.Value)
	}
	switch {
	case !is(crypto11.CkaKeyType, pkcs11.CKK_AES) || !is(crypto11.CkaValueLen, keys.Size):
		return nil, fmt.Errorf("%w (there is one that isn't)", ErrNoKey)
	case !is(crypto11.CkaSensitive, true) || !is(crypto11.CkaExtractable, false):
		return nil, ErrLoose
	}
	return found[0], nil
}

func (r *root) Kind() keys.Kind { return keys.HSM }

// Format prints what it is.
func (r *root) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[root of kind %s]", string(keys.HSM)) }

func (r *root) Seal(plaintext, aad []byte) (box []byte, err error) {
	err = r.use(func() (err error) {
		defer func() {
			if said, failed := recover().(error); failed { // it is a cipher to crypto11, and no cipher fails
				err = said
			}
		}()
		nonce := make([]byte, nonceSize, len(plaintext)+keys.Overhead)
		rand.Read(nonce)
		box = r.gcm.Seal(nonce, nonce, plaintext, aad)
		return nil
	})
	return box, err
}

func (r *root) Open(dst, box, aad []byte) error {
	if len(box) != len(dst)+keys.Overhead {
		return fmt.Errorf("keys: HSM: a box of %d bytes, want %d", len(box), len(dst)+keys.Overhead)
	}
	return r.use(func() error {
		plaintext, err := r.gcm.Open(nil, box[:nonceSize], box[nonceSize:], aad)
		if err == nil && len(plaintext) != len(dst) {
			err = fmt.Errorf("%d bytes come out, want %d", len(plaintext), len(dst))
		}
		if err == nil {
			locked.Copy(dst, plaintext)
		}
		clear(plaintext)
		return err
	})
}

// use does something with the key. If it fails, it is because of what was given, unless the key isn't found any more.
func (r *root) use(do func() error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.token == nil {
		return keys.ErrDestroyed
	}
	err := do()
	if err == nil {
		return nil
	}
	if _, gone := find(r.token, r.label); gone != nil {
		err = fmt.Errorf("%w (%v)", ErrGone, err)
	}
	return fmt.Errorf("keys: HSM: %w", err)
}

// Close logs out.
func (r *root) Close() (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.token != nil {
		err = r.token.Close()
	}
	err = errors.Join(err, locked.Free(r.pin))
	r.token, r.pin = nil, nil
	return err
}

package export

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
	"reflect"

	"filippo.io/age"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/flattone/flattone/audio/locked"
)

// chunkSize is how much of a file is sealed at a time, as age has it (age-encryption.org/v1, Payload).
const chunkSize = 64 << 10

// nonceSize is age's, too.
const nonceSize = 16

// sealer writes an age file. Its header is age's own work. Its payload isn't: age gathers what it seals on the ordinary heap, and leaves copies of it there as that buffer grows; here
// it is gathered in locked memory and sealed in place. For one goroutine.
type sealer struct {
	to    io.Writer
	aead  cipher.AEAD
	page  []byte // a chunk in the clear, with room for its tag
	n     int
	nonce [chacha20poly1305.NonceSize]byte // a counter of 11 bytes, and whether it is the last chunk
}

// hearing is a recipient who lets the file's key be heard that age makes up.
type hearing struct {
	age.Recipient
	key []byte
}

// Wrap implements [age.Recipient].
func (h *hearing) Wrap(key []byte) ([]*age.Stanza, error) {
	h.key = key
	return h.Recipient.Wrap(key)
}

// newSealer begins a file. End it by close, and wipe it in any case.
func newSealer(to io.Writer, whom age.Recipient) (*sealer, error) {
	var head bytes.Buffer
	h := &hearing{Recipient: whom}
	if _, err := age.Encrypt(&head, h); err != nil {
		return nil, fmt.Errorf("seal the file's key: %w", err)
	}
	defer clear(h.key)
	nonce := head.Bytes()[head.Len()-nonceSize:] // the header ends with the payload's
	key, err := hkdf.Key(sha256.New, h.key, nonce, "payload", chacha20poly1305.KeySize)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		return nil, err
	}
	page, err := locked.Bytes(chunkSize + aead.Overhead())
	if err != nil {
		return nil, err
	}
	s := &sealer{to: to, aead: aead, page: page}
	if _, err := to.Write(head.Bytes()); err != nil {
		s.wipe()
		return nil, err
	}
	return s, nil
}

// Write implements [io.Writer]. p may be in locked memory, and stays the caller's.
func (s *sealer) Write(p []byte) (n int, err error) {
	for n < len(p) {
		if s.n == chunkSize { // it isn't the last one
			if err := s.flush(); err != nil {
				return n, err
			}
		}
		took := locked.Copy(s.page[s.n:chunkSize], p[n:])
		s.n, n = s.n+took, n+took
	}
	return n, nil
}

func (s *sealer) flush() error {
	box := s.aead.Seal(s.page[:0], s.nonce[:], s.page[:s.n], nil)
	s.n = 0
	for i := len(s.nonce) - 2; i >= 0; i-- {
		if s.nonce[i]++; s.nonce[i] != 0 {
			break
		}
	}
	_, err := s.to.Write(box)
	return err
}

// close ends the file. One without that doesn't open to its end.
func (s *sealer) close() error {
	s.nonce[len(s.nonce)-1] = 1
	return s.flush()
}

// wipe gives the memory back, and forgets the key.
func (s *sealer) wipe() {
	locked.Free(s.page)
	s.page = nil
	reflect.ValueOf(s.aead).Elem().SetZero()
}

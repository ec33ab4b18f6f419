package vault

import (
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/secret"
)

// recordVersion is the layout of plaintext and additional data below; kindVault a token that can be used
// again.
const (
	recordVersion = 1
	kindVault     = "vault"
)

// plainSize is the plaintext of every record, whatever the card: two runs, each a byte of length and its
// whole room, then zeros.
const plainSize = 32

// record is a row of table card.
type record struct {
	token   string
	version int64
	kind    string
	Capture
	created int64 // microseconds since 1970, UTC
	kek     int64
	dek     []byte // the record's key, sealed under the KEK
	sealed  []byte
}

// cardAAD binds the sealed card to everything in its row that never changes; the DEK's own seal binds the
// rest.
func (r *record) cardAAD() []byte {
	return bind("flattone card").number(r.version).text(r.token).text(r.kind).
		text(r.ID).text(r.Line).text(r.Place).text(r.Profile).text(r.Brand).text(r.Last4).
		number(int64(r.ExpiryMonth)).number(int64(r.ExpiryYear)).number(r.created)
}

func (r *record) dekAAD() []byte {
	return bind("flattone dek").number(r.version).number(r.kek).text(r.token)
}

// page is the locked memory of one sealing or revealing: the plaintext and the record's key.
type page struct{ mem []byte }

func newPage() (page, error) {
	mem, err := locked.Bytes(plainSize + keySize)
	return page{mem}, err
}

func (p page) plain() []byte { return p.mem[:plainSize] }
func (p page) dek() []byte   { return p.mem[plainSize : plainSize+keySize] }
func (p page) wipe()         { locked.Free(p.mem) }

// newRecord seals what may be kept of a card. It takes the two fields and not the card, so that a CVV
// can't be passed.
func newRecord(c Capture, pan, expiry *secret.Text, kek *KEK, kekRef int64, now time.Time) (*record, error) {
	p, err := newPage()
	if err != nil {
		return nil, err
	}
	defer p.wipe()
	if err := random(p.dek()); err != nil {
		return nil, err
	}
	token, err := randomID("tok_")
	if err != nil {
		return nil, err
	}
	encode(p.plain(), pan, expiry)
	r := &record{token: token, version: recordVersion, kind: kindVault, Capture: c, created: now.UnixMicro(), kek: kekRef}
	if r.sealed, err = seal(p.dek(), p.plain(), r.cardAAD()); err != nil {
		return nil, fmt.Errorf("seal the card: %w", err)
	}
	if r.dek, err = kek.seal(p.dek(), r.dekAAD()); err != nil {
		return nil, fmt.Errorf("seal the card's key: %w", err)
	}
	return r, nil
}

// reveal opens the record into a new card, which the caller destroys. What was altered is [ErrAltered].
func (r *record) reveal(kek *KEK) (*secret.Card, error) {
	p, err := newPage()
	if err != nil {
		return nil, err
	}
	defer p.wipe()
	if r.version != recordVersion || r.kind != kindVault {
		return nil, fmt.Errorf("%w: unknown version or kind", ErrAltered)
	}
	if err := kek.open(p.dek(), r.dek, r.dekAAD()); err != nil {
		return nil, fmt.Errorf("%w: its key: %w", ErrAltered, err)
	}
	if err := open(p.plain(), p.dek(), r.sealed, r.cardAAD()); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAltered, err)
	}
	card, err := secret.NewCard()
	if err != nil {
		return nil, err
	}
	if err := decode(p.plain(), card); err != nil {
		card.Destroy()
		return nil, fmt.Errorf("%w: %w", ErrAltered, err)
	}
	return card, nil
}

// encode lays the two fields out in dst, plainSize bytes of locked memory, all zero.
func encode(dst []byte, pan, expiry *secret.Text) {
	dst[0] = byte(locked.Copy(dst[1:1+secret.PANDigits], pan.Reveal()))
	rest := dst[1+secret.PANDigits:]
	rest[0] = byte(locked.Copy(rest[1:1+secret.ExpiryDigits], expiry.Reveal()))
}

func decode(src []byte, card *secret.Card) error {
	if err := fill(card.PAN, src[:1+secret.PANDigits]); err != nil {
		return err
	}
	return fill(card.Expiry, src[1+secret.PANDigits:][:1+secret.ExpiryDigits])
}

func fill(t *secret.Text, run []byte) error {
	if int(run[0]) > len(run)-1 {
		return errors.New("a field is longer than its room")
	}
	for _, d := range run[1 : 1+int(run[0])] {
		if err := t.Append(d); err != nil {
			return err
		}
	}
	return nil
}

// randomID is prefix and 26 lower-case base32 characters: 128 random bits.
func randomID(prefix string) (string, error) {
	var b [16]byte
	if err := random(b[:]); err != nil {
		return "", err
	}
	return prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])), nil
}

package vault

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/secret"
)

// recordVersion is the layout of plaintext and additional data below.
const recordVersion = 1

// plainSize is the plaintext of every record, whatever the card: two runs, each a byte of length and its
// whole room, then zeros.
const plainSize = 32

// record is a row of table card, and its key.
type record struct {
	token   string
	version int64
	Capture
	created int64 // microseconds since 1970, UTC
	expires int64 // the same: when it is shredded
	sealed  []byte
	kek     int64
	dek     []byte // the record's key, sealed under the KEK; nil once the card is shredded, and of one that never was kept
}

// cardAAD binds the sealed card to everything in its row: nothing of it ever changes. The DEK's own seal binds the rest.
func (r *record) cardAAD() keys.Binding {
	return keys.Bind("flattone card").Number(r.version).Text(r.Tenant).Text(r.token).Text(string(r.Kind)).
		Text(r.ID).Text(r.Line).Text(r.Place).Text(r.Profile).Text(r.Brand).Text(r.Last4).
		Number(int64(r.ExpiryMonth)).Number(int64(r.ExpiryYear)).Number(r.created).Number(r.expires)
}

func dekAAD(kek int64, token string) keys.Binding {
	return keys.Bind("flattone dek").Number(recordVersion).Number(kek).Text(token)
}

// page is the locked memory of one sealing or revealing: the plaintext and the record's key.
type page struct{ mem []byte }

func newPage() (page, error) {
	mem, err := locked.Bytes(plainSize + keys.Size)
	return page{mem}, err
}

func (p page) plain() []byte { return p.mem[:plainSize] }
func (p page) dek() []byte   { return p.mem[plainSize : plainSize+keys.Size] }
func (p page) wipe()         { locked.Free(p.mem) }

// newRecord seals what may be kept of a card. It takes the two fields and not the card, so that a CVV can't be passed.
func newRecord(c Capture, pan, expiry *secret.Text, version int64, kek *keys.Key, created, expires time.Time) (*record, error) {
	r := &record{token: id.New(tokens, created), version: recordVersion, Capture: c, created: created.UnixMicro(), expires: expires.UnixMicro(), sealed: []byte{}}
	if c.Kind == OneWay {
		return r, nil
	}
	p, err := newPage()
	if err != nil {
		return nil, err
	}
	defer p.wipe()
	rand.Read(p.dek())
	encode(p.plain(), pan, expiry)
	if r.sealed, err = keys.Seal(p.dek(), p.plain(), r.cardAAD()); err != nil {
		return nil, fmt.Errorf("seal the card: %w", err)
	}
	return r, r.wrap(p.dek(), version, kek)
}

// wrap seals the record's key under a version.
func (r *record) wrap(dek []byte, version int64, kek *keys.Key) (err error) {
	if r.dek, err = kek.Seal(dek, dekAAD(version, r.token)); err != nil {
		return fmt.Errorf("seal the card's key: %w", err)
	}
	r.kek = version
	return nil
}

// open opens the record into a new card, which the caller destroys. What was altered is [ErrAltered].
func (r *record) open(kek *keys.Key) (*secret.Card, error) {
	p, err := newPage()
	if err != nil {
		return nil, err
	}
	defer p.wipe()
	if r.version != recordVersion {
		return nil, fmt.Errorf("%w: unknown version", ErrAltered)
	}
	if err := kek.Open(p.dek(), r.dek, dekAAD(r.kek, r.token)); err != nil {
		return nil, fmt.Errorf("%w: its key: %w", ErrAltered, err)
	}
	if err := keys.Open(p.plain(), p.dek(), r.sealed, r.cardAAD()); err != nil {
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

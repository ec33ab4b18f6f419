package secret

import (
	"fmt"

	"github.com/flattone/flattone/audio/locked"
)

// Room for the fields of a card, in digits.
const (
	// PANDigits is the longest card number of ISO/IEC 7812-1.
	PANDigits = 19
	// ExpiryDigits is MMYYYY, the longest way to key it.
	ExpiryDigits = 6
	// CVVDigits leaves room for test profiles, whose long code can be told from chance in a memory search;
	// real ones have 3 or 4.
	CVVDigits = 12
)

// CardSize is the length in bytes of an encoded card: three runs, each a byte of length and then its whole
// room, unused room zero. It is the same for every card, so that a frame's length tells nothing.
const CardSize = 1 + PANDigits + 1 + ExpiryDigits + 1 + CVVDigits

// Card is what a caller keyed, in one locked page. Fields that weren't asked for are empty.
//
// In memory a card is exactly its encoding. Destroy it on every way out; there is no finalizer to rely on.
type Card struct {
	PAN    *Text
	Expiry *Text // MMYY once it was judged
	CVV    CVV
	whole  *Text // the three as one: the encoding, and the page
}

// CVV is a card's security code. It never leaves memory and never touches a disk, so it is no Text: what keeps and seals
// Texts can't be given one by mistake.
type CVV struct{ *Text }

// CopyFrom has c hold what from holds, copied within locked memory. The error is [ErrFull] or [ErrDestroyed], and c is as it was then.
func (c CVV) CopyFrom(from CVV) error {
	to, have := c.memory(), from.memory()
	switch {
	case to == nil || have == nil:
		return ErrDestroyed
	case from.Len() > c.Cap():
		return ErrFull
	}
	c.Clear()
	locked.Copy(to[1:], have[1:1+from.Len()])
	to[0] = have[0]
	return nil
}

// NewCard makes an empty card. It fails only for want of lockable memory.
func NewCard() (*Card, error) {
	page, err := locked.Bytes(CardSize)
	if err != nil {
		return nil, fmt.Errorf("secret: new card: %w", err)
	}
	rest := page[:CardSize:CardSize]
	field := func(digits int) *Text {
		mem := rest[: 1+digits : 1+digits]
		rest = rest[1+digits:]
		return newText(&run{mem: mem})
	}
	return &Card{
		PAN:    field(PANDigits),
		Expiry: field(ExpiryDigits),
		CVV:    CVV{field(CVVDigits)},
		whole:  newText(&run{mem: page[:CardSize:CardSize], page: page}),
	}, nil
}

// Clone makes another card of the same content, in locked memory of its own.
func (c Card) Clone() (*Card, error) {
	mem := c.memory()
	if mem == nil {
		return nil, ErrDestroyed
	}
	twin, err := NewCard()
	if err != nil {
		return nil, err
	}
	locked.Copy(twin.memory(), mem)
	return twin, nil
}

// Clear wipes all fields. The card can be filled again.
func (c Card) Clear() {
	clear(c.memory())
}

// Destroy wipes the card and gives its memory back. Its fields are destroyed with it. Destroying it again
// does nothing.
func (c Card) Destroy() {
	if c.whole == nil {
		return
	}
	for _, t := range []*Text{c.PAN, c.Expiry, c.CVV.Text} {
		t.open().mem = nil
	}
	c.whole.Destroy()
}

func (c Card) memory() []byte {
	if c.whole == nil {
		return nil
	}
	return c.whole.memory()
}

// MarshalTo writes the card to dst, which must have room for [CardSize] bytes and must be locked memory. It
// is as radioactive as [Text.Reveal], and its callers are listed by the same test.
func (c Card) MarshalTo(dst []byte) error {
	mem := c.memory()
	if mem == nil {
		return ErrDestroyed
	}
	if len(dst) < CardSize {
		return fmt.Errorf("secret: encode a card: room for %d bytes, want %d", len(dst), CardSize)
	}
	locked.Copy(dst, mem)
	return nil
}

// UnmarshalFrom fills the card from [CardSize] bytes of [Card.MarshalTo], which the caller keeps and wipes.
// Anything else is [ErrLayout], and leaves the card as it was.
func (c Card) UnmarshalFrom(src []byte) error {
	mem := c.memory()
	if mem == nil {
		return ErrDestroyed
	}
	if len(src) != CardSize {
		return fmt.Errorf("%w: %d bytes, want %d", ErrLayout, len(src), CardSize)
	}
	rest := src
	for _, room := range []int{PANDigits, ExpiryDigits, CVVDigits} {
		if !validRun(rest[:1+room]) {
			return ErrLayout
		}
		rest = rest[1+room:]
	}
	locked.Copy(mem, src)
	return nil
}

// validRun reports whether b is a run as [run] lays it out.
func validRun(b []byte) bool {
	n := int(b[0])
	if n > len(b)-1 {
		return false
	}
	for i, d := range b[1:] {
		if digit := d >= '0' && d <= '9'; i < n && !digit || i >= n && d != 0 {
			return false
		}
	}
	return true
}

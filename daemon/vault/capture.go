package vault

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/secret"
)

// Kind is what may become of a card.
type Kind string

// The kinds of cards.
const (
	Reusable Kind = "vault"  // kept, and used as often as its rules allow, until its retention is over
	Once     Kind = "once"   // kept, and used once at most, soon
	OneWay   Kind = "oneway" // not kept: the token says that there was a card, and no more
	Flight   Kind = "flight" // not retained: kept until what it is for has come out, a day at most
)

// Kept reports that the card is stored to be used later. That takes a root which is not on the disk.
func (k Kind) Kept() bool { return k == Reusable || k == Once }

// Capture is everything about a captured card that may be seen.
type Capture struct {
	ID          string // made when the line is armed; unique in the store
	Line        string
	Place       string // trunk-side or desk-side
	Profile     string
	Tenant      string // whose card it is, where a box serves several businesses
	Kind        Kind
	Brand       string
	Last4       string
	ExpiryMonth int // 1 to 12; 0 if none was asked for
	ExpiryYear  int // four digits; 0 if none was asked for
}

// check refuses what can't be a card, so that no column that is kept in the clear can hold one. The errors
// name the field and not its content.
func (c Capture) check(pan, expiry *secret.Text) error {
	if !IsCaptureID(c.ID) {
		return fmt.Errorf("%w: id is not cap_ and 26 base32 characters", ErrInvalid)
	}
	for _, f := range []struct{ name, value string }{
		{"line", c.Line}, {"place", c.Place}, {"profile", c.Profile}, {"tenant", c.Tenant}, {"kind", string(c.Kind)}, {"brand", c.Brand},
	} {
		if !isName(f.value) {
			return fmt.Errorf("%w: %s is not 1 to 64 letters, digits, dots, hyphens and underscores", ErrInvalid, f.name)
		}
		if digitRun(f.value) >= 8 {
			return fmt.Errorf("%w: %s has a long number in it", ErrInvalid, f.name)
		}
	}
	digits := pan.Reveal()
	switch {
	case len(digits) < 12 || len(digits) > secret.PANDigits:
		return fmt.Errorf("%w: a PAN of %d digits, want 12 to %d", ErrInvalid, len(digits), secret.PANDigits)
	case !bytes.Equal(digits[len(digits)-4:], []byte(c.Last4)):
		return fmt.Errorf("%w: the last four are not the PAN's", ErrInvalid)
	case !c.expiryFits(expiry.Reveal()):
		return fmt.Errorf("%w: month and year are not the expiry's", ErrInvalid)
	}
	return nil
}

// NewCaptureID makes a capture's id, by which a hand-over that is sent twice is one card.
func NewCaptureID(now time.Time) string { return id.New(captures, now) }

// IsCaptureID reports whether s has the form of one.
func IsCaptureID(s string) bool { return id.Is(s, captures) }

// IsToken reports whether s has the form of a token.
func IsToken(s string) bool { return id.Is(s, tokens) }

// The prefixes of ids.
const (
	captures = "cap_"
	tokens   = "tok_"
)

// expiryFits compares month and year with what was keyed: MMYY, MMYYYY, or nothing.
func (c Capture) expiryFits(keyed []byte) bool {
	if len(keyed) == 0 {
		return c.ExpiryMonth == 0 && c.ExpiryYear == 0
	}
	if len(keyed) != 4 && len(keyed) != 6 || c.ExpiryMonth < 1 || c.ExpiryMonth > 12 || c.ExpiryYear < 2000 || c.ExpiryYear > 9999 {
		return false
	}
	month, year := number(keyed[:2]), number(keyed[2:])
	if len(keyed) == 4 {
		year += c.ExpiryYear / 100 * 100
	}
	return month == c.ExpiryMonth && year == c.ExpiryYear
}

func number(digits []byte) (n int) {
	for _, d := range digits {
		n = n*10 + int(d-'0')
	}
	return n
}

func isName(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && strings.IndexFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_.", r))
	}) < 0
}

// digitRun is the length of the longest run of digits.
func digitRun(s string) (longest int) {
	n := 0
	for _, r := range s {
		if n++; r < '0' || r > '9' {
			n = 0
		}
		longest = max(longest, n)
	}
	return longest
}

package audio

import (
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Digit is one of the sixteen DTMF signals (ITU-T Q.23), on its way from the detector to the capture.
// The zero Digit is none.
//
// A Digit prints, logs and encodes as a redaction, whatever the verb. Only [Digit.Reveal] names it, and a
// test lists who may call that. In memory it is kept under a pad drawn once per process, so that not even
// a struct dumped by reflection, which calls no methods on unexported fields, shows what was keyed.
type Digit struct{ padded byte }

const keys = "0123456789*#ABCD"

// Redacted is what a digit looks like to everyone but the capture.
const Redacted = "•"

var pad = func() byte {
	var b [1]byte
	for b[0] < 0x80 { // no key: a digit whose key equals the pad would be none
		rand.Read(b[:]) // never fails: see crypto/rand
	}
	return b[0]
}()

// NewDigit makes the Digit of key, one of 0-9 * # A-D. For any other key it answers none and false.
func NewDigit(key byte) (Digit, bool) {
	if strings.IndexByte(keys, key) < 0 {
		return Digit{}, false
	}
	return Digit{padded: key ^ pad}, true
}

// IsNone reports whether d is no digit at all.
func (d Digit) IsNone() bool { return d.padded == 0 }

// Reveal is the key as an ASCII byte, 0 for none. It is radioactive: what it returns may go into locked
// memory and nowhere else.
func (d Digit) Reveal() byte {
	if d.IsNone() {
		return 0
	}
	return d.padded ^ pad
}

// Format redacts under every verb and flag.
func (d Digit) Format(f fmt.State, _ rune) { io.WriteString(f, Redacted) }

// String redacts.
func (d Digit) String() string { return Redacted }

// LogValue redacts for log/slog.
func (d Digit) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText redacts for encoding/json, toml and their kind.
func (d Digit) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// Package capture puts keys together into a card: number, expiry and security code, each checked as soon as
// it is keyed, with all the ways in which people correct themselves.
//
// It is one pure state machine, [Machine], so that every rule of key entry can be tested as a table. Its time
// is the line's audio time, handed in with every call; it reads no clock, starts no goroutine and does no
// I/O. What comes out are [Event] values: stars, verdicts, warnings, an end.
//
// It promises: the same keys at the same times give the same events, however often [Machine.Tick] was called
// between; nothing of a refused or voided field stays in memory; no event carries more of a card than brand,
// last four, lengths and expiry. It must never hold a digit outside of [audio.Digit] and [secret.Card], and
// never put one into an event, an error or a panic.
package capture

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/secret"
)

// Field is one thing to key.
type Field uint8

// The fields of a card.
const (
	PAN    Field = iota + 1 // primary account number, ISO/IEC 7812-1: 12 to 19 digits
	Expiry                  // MMYY or MMYYYY
	CVV                     // card verification value: 3 digits, on American Express 4
)

var fieldNames = [...]string{PAN: "pan", Expiry: "expiry", CVV: "cvv"}

// Fields are all of them in their usual order.
func Fields() []Field { return []Field{PAN, Expiry, CVV} }

// ParseField reads a field's name: pan, expiry or cvv.
func ParseField(name string) (Field, error) {
	if i := slices.Index(fieldNames[:], name); i > 0 {
		return Field(i), nil
	}
	return 0, fmt.Errorf("capture: field %q is unknown: use pan, expiry or cvv", name)
}

func (f Field) String() string {
	if f >= PAN && f <= CVV {
		return fieldNames[f]
	}
	return "no field"
}

// Profile is what a caller is asked for, and how patiently. A zero limit takes its default.
type Profile struct {
	// Fields in the order in which they are keyed, each once; by default all.
	Fields []Field
	// Brands that are taken; by default all.
	Brands []Brand
	// Visa19 says that Visa numbers of 19 digits occur, so that 16 aren't taken for the whole number before
	// the caller ends the field.
	Visa19 bool
	// Tries is how often one field may be keyed; default 3.
	Tries int
	// KeyTimeout is the longest wait for the next key, once there was one; default 20 s. KeyWarning into
	// that wait the agent is warned; default 10 s. The caller's speech starts the wait again.
	KeyTimeout, KeyWarning time.Duration
	// OverallTimeout bounds the capture; default 5 minutes, or until a caller who speaks by then has been quiet
	// for QuietEnd.
	OverallTimeout time.Duration
	// QuietEnd without a key or speech ends a field that could be complete; default 3 s.
	QuietEnd time.Duration
	// RefusalQuiet must pass without a key after a refusal, or [Machine.Again], before keys count again; default 1.5 s.
	RefusalQuiet time.Duration
	// Restart is how closely two * follow each other to start the field again; default 700 ms.
	Restart time.Duration
	// SameKeyGuard is how soon after its end the same key is taken for a bounce of the first, 40 to 250 ms;
	// 0 learns from the caller's keys whether the phone doubles them.
	SameKeyGuard time.Duration
	// TestCards says that the capture is a rehearsal: no number is taken but the public ones of tests.
	TestCards bool
	// TestCVVLength, 1 to 12, stands in for the real lengths, so that a test can search memory for a code
	// too long to be there by chance. 0 outside of tests.
	TestCVVLength int
}

// withDefaults fills in what was left out.
func (p Profile) withDefaults() Profile {
	if len(p.Fields) == 0 {
		p.Fields = Fields()
	}
	if len(p.Brands) == 0 {
		p.Brands = Brands()
	}
	if p.Tries == 0 {
		p.Tries = 3
	}
	for _, d := range []struct {
		limit *time.Duration
		value time.Duration
	}{
		{&p.KeyTimeout, 20 * time.Second},
		{&p.KeyWarning, 10 * time.Second},
		{&p.OverallTimeout, 5 * time.Minute},
		{&p.QuietEnd, 3 * time.Second},
		{&p.RefusalQuiet, 1500 * time.Millisecond},
		{&p.Restart, 700 * time.Millisecond},
	} {
		if *d.limit == 0 {
			*d.limit = d.value
		}
	}
	return p
}

// Validate reports everything that is wrong with the profile, each with its remedy.
func (p Profile) Validate() error {
	p = p.withDefaults()
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf("capture: "+format, args...)) }
	seen := map[Field]bool{}
	for _, f := range p.Fields {
		if f < PAN || f > CVV {
			fault("field %d is unknown: use pan, expiry or cvv", f)
		}
		if seen[f] {
			fault("field %v is asked for twice: name it once", f)
		}
		seen[f] = true
	}
	for _, b := range p.Brands {
		if !slices.Contains(Brands(), b) {
			fault("brand %q is unknown: use some of %v", b, Brands())
		}
	}
	if p.Tries < 0 {
		fault("%d tries: use 1 or more", p.Tries)
	}
	if least := min(p.KeyTimeout, p.KeyWarning, p.OverallTimeout, p.QuietEnd, p.RefusalQuiet, p.Restart); least < 0 {
		fault("a time of %v: use times above zero", least)
	}
	if p.KeyWarning >= p.KeyTimeout {
		fault("the warning after %v comes no sooner than the time-out after %v: use a shorter one", p.KeyWarning, p.KeyTimeout)
	}
	if g := p.SameKeyGuard; g != 0 && (g < minGuard || g > maxGuard) {
		fault("a same key guard of %v: use %v to %v, or 0 to learn it", g, minGuard, maxGuard)
	}
	if p.TestCVVLength < 0 || p.TestCVVLength > secret.CVVDigits {
		fault("a test CVV of %d digits: use 1 to %d, or 0 for real ones", p.TestCVVLength, secret.CVVDigits)
	}
	return errors.Join(errs...)
}

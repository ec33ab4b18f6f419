package capture

import (
	"math/bits"
	"time"

	"github.com/flattone/flattone/daemon/secret"
)

// judgement is what would be said of a field if it ended now, and whether it may end by itself.
type judgement struct {
	code  Code
	brand Brand
	// certain: nothing could follow, so the field ends with this key.
	certain bool
	// ripe: it could be complete, so a few seconds of quiet end it. Anyone who pauses earlier is still
	// reading the card.
	ripe bool
	// full: one more digit is one too many.
	full bool
}

func (m *Machine) judge(f Field) judgement {
	switch t := m.text(f); f {
	case PAN:
		return judgePAN(t.Reveal(), &m.profile)
	case Expiry:
		return judgeExpiry(t.Reveal(), m.today)
	default:
		return judgeCVV(t.Len(), m.cvvLengths())
	}
}

// cardDigits is the length that nearly all cards have. From there on a number with a wrong check digit is
// taken for wrong rather than for unfinished.
const cardDigits = 16

func judgePAN(pan []byte, p *Profile) judgement {
	n := len(pan)
	if n < iinDigits {
		return judgement{code: TooShort}
	}
	r, accepted := lookUp(pan, p)
	longest := secret.PANDigits
	if r.brand != "" {
		longest = bits.Len32(r.lengths) - 1
	}
	j := judgement{brand: r.brand, full: n == longest}
	fits := r.lengths&(1<<n) != 0
	holds := luhn(pan)
	j.ripe = holds && fits || n >= min(longest, cardDigits)
	switch {
	case r.brand == "":
		j.code = UnknownBrand
	case !accepted:
		j.code = BrandNotAccepted
	case !fits && n < min(longest, cardDigits):
		j.code = TooShort
	case !fits:
		j.code = TooLong
	case !holds:
		j.code = Luhn
	case p.TestCards && !isTestCard(pan):
		j.code = NotTestCard
	default:
		j.code = OK
		j.certain = n == longest
	}
	return j
}

// mostYears is how far ahead a card can expire. Issuers go up to about ten.
const mostYears = 20

// judgeExpiry takes MMYY and MMYYYY. Four digits whose last two are 20 are the beginning of MM20YY: the year
// 2020 is past. Any other good MMYY is certain.
func judgeExpiry(t []byte, today time.Time) judgement {
	j := judgement{code: ExpiryInvalid, full: len(t) == secret.ExpiryDigits}
	month, year, ok := expiryOf(t)
	j.ripe = ok && !begins20YY(t)
	if !ok || month < 1 || month > 12 {
		return j
	}
	// A card is good through the last day of its month.
	switch ahead := (year-today.Year())*12 + month - int(today.Month()); {
	case ahead < 0:
		j.code = Expired
	case ahead > mostYears*12:
		j.code = ExpiryTooFar
	default:
		j.code = OK
		j.certain = !begins20YY(t)
	}
	return j
}

func begins20YY(t []byte) bool { return len(t) == 4 && t[2] == '2' && t[3] == '0' }

// expiryOf reads the month and year of a date of either form; ok says whether it has one of the two lengths.
func expiryOf(t []byte) (month, year int, ok bool) {
	number := func(t []byte) (n int) {
		for _, d := range t {
			n = 10*n + int(d-'0')
		}
		return n
	}
	switch len(t) {
	case 4:
		return number(t[:2]), 2000 + number(t[2:]), true
	case 6:
		return number(t[:2]), number(t[2:]), true
	}
	return 0, 0, false
}

// judgeCVV judges by length alone: there is nothing else to be known of a CVV.
func judgeCVV(n int, lengths uint32) judgement {
	longest := bits.Len32(lengths) - 1
	j := judgement{code: CVVLength, full: n == longest}
	if lengths&(1<<n) != 0 {
		j.code, j.ripe, j.certain = OK, true, n == longest
	}
	return j
}

// cvvLengths are the lengths a CVV may have: by brand once the number is known, else either.
func (m *Machine) cvvLengths() uint32 {
	switch {
	case m.profile.TestCVVLength != 0:
		return digits(m.profile.TestCVVLength)
	case m.brand == Amex:
		return digits(4)
	case m.brand != "":
		return digits(3)
	default:
		return digits(3, 4)
	}
}

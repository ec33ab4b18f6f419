package capture

import "slices"

// Brand is a card scheme.
type Brand string

// The brands.
const (
	Visa       Brand = "visa"
	Mastercard Brand = "mastercard"
	Amex       Brand = "amex"
	Discover   Brand = "discover"
	Diners     Brand = "diners"
	JCB        Brand = "jcb"
	UnionPay   Brand = "unionpay"
	Maestro    Brand = "maestro"
)

// Brands are all brands.
func Brands() []Brand {
	return []Brand{Visa, Mastercard, Amex, Discover, Diners, JCB, UnionPay, Maestro}
}

// row is a range of issuer identification numbers by their first six digits. ISO/IEC 7812-1:2017 made IINs
// eight digits long, but no scheme divides its ranges below six. The lengths are bits: 1<<16 is 16 digits.
type row struct {
	from, to uint32
	brand    Brand
	lengths  uint32
}

func digits(lengths ...int) (set uint32) {
	for _, n := range lengths {
		set |= 1 << n
	}
	return set
}

// iins are the ranges that the schemes have published (ISO/IEC 7812 registers them, and keeps the register
// to its members). The first row that matches and whose brand is accepted wins: rows that overlap stand in
// order of precedence.
//
// 19-digit Visa numbers are defined and all but unknown: see Profile.Visa19.
// 622126 to 622925 are UnionPay cards that Discover's network takes too: they carry UnionPay's mark, and
// count as Discover where only that is accepted.
// Diners' 54 and 55 (USA and Canada) have been Mastercards since 2004.
// What nobody above has of the 6s is taken for Maestro: its issuers' ranges are scattered over them. Domestic schemes
// in between (Hipercard, RuPay) are then called Maestro too; the acquirer decides, and refusing them here would
// only turn good cards away.
var iins = [...]row{
	{400000, 499999, Visa, digits(13, 16, 19)},
	{510000, 559999, Mastercard, digits(16)},
	{222100, 272099, Mastercard, digits(16)}, // the 2-series, since 2017
	{340000, 349999, Amex, digits(15)},
	{370000, 379999, Amex, digits(15)},
	{300000, 305999, Diners, digits(14, 16, 17, 18, 19)},
	{309500, 309599, Diners, digits(14, 16, 17, 18, 19)},
	{360000, 369999, Diners, digits(14, 15, 16, 17, 18, 19)},
	{380000, 399999, Diners, digits(14, 16, 17, 18, 19)},
	{352800, 358999, JCB, digits(16, 17, 18, 19)},
	{620000, 629999, UnionPay, digits(16, 17, 18, 19)},
	{810000, 817199, UnionPay, digits(16, 17, 18, 19)},
	{622126, 622925, Discover, digits(16, 17, 18, 19)},
	{601100, 601199, Discover, digits(16, 17, 18, 19)},
	{644000, 659999, Discover, digits(16, 17, 18, 19)},
	{500000, 509999, Maestro, digits(12, 13, 14, 15, 16, 17, 18, 19)},
	{560000, 589999, Maestro, digits(12, 13, 14, 15, 16, 17, 18, 19)},
	{600000, 601099, Maestro, digits(12, 13, 14, 15, 16, 17, 18, 19)},
	{601200, 619999, Maestro, digits(12, 13, 14, 15, 16, 17, 18, 19)},
	{630000, 643999, Maestro, digits(12, 13, 14, 15, 16, 17, 18, 19)},
	{660000, 699999, Maestro, digits(12, 13, 14, 15, 16, 17, 18, 19)},
}

// iinDigits is how many digits it takes to look a number up.
const iinDigits = 6

// lookUp finds the row of a card number of at least six digits. If no accepted brand has the number but
// another does, the row is that one and accepted is false; if none does, the row is zero.
func lookUp(pan []byte, p *Profile) (_ row, accepted bool) {
	var iin uint32
	for _, d := range pan[:iinDigits] {
		iin = 10*iin + uint32(d-'0')
	}
	var other row
	for _, r := range iins {
		if iin < r.from || iin > r.to {
			continue
		}
		if r.brand == Visa && !p.Visa19 {
			r.lengths &^= digits(19)
		}
		if slices.Contains(p.Brands, r.brand) {
			return r, true
		}
		if other.brand == "" {
			other = r
		}
	}
	return other, false
}

// luhn reports whether the check digit holds: ISO/IEC 7812-1, annex B.
func luhn(pan []byte) bool {
	sum := 0
	for i := range pan {
		d := int(pan[len(pan)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

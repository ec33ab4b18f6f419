package capture_test

import (
	"testing"

	"github.com/flattone/flattone/daemon/capture"
)

// withCheckDigit pads an IIN to a length and makes the Luhn sum come out.
func withCheckDigit(iin string, length int) string {
	pan := []byte(iin)
	for len(pan) < length {
		pan = append(pan, '0')
	}
	for d := byte('0'); d <= '9'; d++ {
		pan[length-1] = d
		sum := 0
		for i := range pan {
			n := int(pan[length-1-i] - '0')
			if i%2 == 1 {
				n = 2*n/10 + 2*n%10
			}
			sum += n
		}
		if sum%10 == 0 {
			break
		}
	}
	return string(pan)
}

func TestBrandsAtTheEdgesOfTheirRanges(t *testing.T) {
	for _, c := range []struct {
		iin    string
		length int
		want   string // verdict and brand
	}{
		{"399999", 14, "ok diners"}, {"400000", 16, "ok visa"}, {"499999", 16, "ok visa"}, {"400000", 13, "ok visa"},
		{"400000", 14, "too_short"}, {"400000", 15, "too_short"},
		{"222099", 16, "unknown_brand"}, {"222100", 16, "ok mastercard"}, {"272099", 16, "ok mastercard"}, {"272100", 16, "unknown_brand"},
		{"510000", 16, "ok mastercard"}, {"559999", 16, "ok mastercard"}, {"510000", 15, "too_short"},
		{"339999", 16, "unknown_brand"}, {"340000", 15, "ok amex"}, {"349999", 15, "ok amex"}, {"350000", 15, "unknown_brand"},
		{"370000", 15, "ok amex"}, {"379999", 15, "ok amex"}, {"370000", 14, "too_short"},
		{"300000", 14, "ok diners"}, {"305999", 19, "ok diners"}, {"306000", 14, "unknown_brand"},
		{"309500", 16, "ok diners"}, {"360000", 14, "ok diners"}, {"380000", 16, "ok diners"},
		{"352799", 16, "unknown_brand"}, {"352800", 16, "ok jcb"}, {"358999", 19, "ok jcb"}, {"359000", 16, "unknown_brand"},
		{"600000", 12, "ok maestro"}, {"601099", 16, "ok maestro"}, {"601100", 16, "ok discover"}, {"601199", 19, "ok discover"}, {"601200", 16, "ok maestro"}, {"619999", 19, "ok maestro"},
		{"630000", 12, "ok maestro"}, {"643999", 16, "ok maestro"}, {"644000", 16, "ok discover"}, {"659999", 16, "ok discover"}, {"660000", 16, "ok maestro"}, {"699999", 19, "ok maestro"}, {"700000", 16, "unknown_brand"},
		{"620000", 16, "ok unionpay"}, {"622126", 16, "ok unionpay"}, {"629999", 17, "ok unionpay"}, {"810000", 16, "ok unionpay"},
		{"817199", 16, "ok unionpay"}, {"817200", 16, "unknown_brand"},
		{"500000", 12, "ok maestro"}, {"509999", 19, "ok maestro"}, {"560000", 13, "ok maestro"}, {"589999", 16, "ok maestro"},
		{"590000", 16, "unknown_brand"}, {"630400", 16, "ok maestro"}, {"639000", 12, "ok maestro"}, {"670000", 18, "ok maestro"},
		{"679999", 12, "ok maestro"}, {"500000", 11, "too_short"}, {"100000", 16, "unknown_brand"}, {"999999", 16, "unknown_brand"},
	} {
		got := call(t, only(capture.PAN))
		got.play(withCheckDigit(c.iin, c.length) + "#")
		want := "pan " + c.want
		if c.want[:2] == "ok" {
			want += ", complete"
		}
		got.expect(want)
	}
}

func TestACardOfTwoBrandsCountsAsTheOneThatIsTaken(t *testing.T) {
	both := withCheckDigit("622126", 16)
	for _, c := range []struct {
		accepted []capture.Brand
		want     string
	}{
		{nil, "pan ok unionpay, complete"},
		{[]capture.Brand{capture.UnionPay}, "pan ok unionpay, complete"},
		{[]capture.Brand{capture.Visa, capture.Discover}, "pan ok discover, complete"},
		{[]capture.Brand{capture.Visa}, "pan brand_not_accepted unionpay"},
	} {
		p := only(capture.PAN)
		p.Brands = c.accepted
		call(t, p).play(both + "#").expect(c.want)
	}
}

package payment

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/currency"
)

// Minor is an amount as people write it, such as 12.34, in the currency's minor unit (ISO 4217: two digits for most, none for yen, three for dinars). More digits
// than the currency has are refused, and not rounded.
func Minor(amount, code string) (int64, error) {
	scale, err := digitsOf(code)
	if err != nil {
		return 0, err
	}
	whole, part, point := strings.Cut(amount, ".")
	n, err := strconv.ParseUint(whole+part+strings.Repeat("0", max(scale-len(part), 0)), 10, 63)
	if err != nil || whole == "" || point && part == "" || strings.HasPrefix(amount, "+") {
		return 0, fmt.Errorf("%w: an amount is digits and a point, such as 12.34", ErrBadOrder)
	}
	if len(part) > scale {
		return 0, fmt.Errorf("%w: %s has %d digits after the point", ErrBadOrder, code, scale)
	}
	if n == 0 || n > mostMinor {
		return 0, fmt.Errorf("%w: the amount is not above 0, or too much", ErrBadOrder)
	}
	return int64(n), nil
}

// Amount is the other way round.
func Amount(minor int64, code string) string {
	scale, err := digitsOf(code)
	if err != nil || scale == 0 {
		return strconv.FormatInt(minor, 10)
	}
	digits := fmt.Sprintf("%0*d", scale+1, minor)
	return digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
}

func digitsOf(code string) (int, error) {
	unit, err := currency.ParseISO(code)
	if err != nil || unit.String() != code {
		return 0, fmt.Errorf("%w: the currency is none of ISO 4217, such as EUR", ErrBadOrder)
	}
	scale, _ := currency.Standard.Rounding(unit)
	return scale, nil
}

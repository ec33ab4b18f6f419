package acquirer

import (
	"fmt"
	"slices"
)

// cards are the public test numbers that decide an outcome (Stripe's list, which others took over), with the code, the result of the address verification service and that of
// the CVV.
var cards = map[string]struct{ code, address, cvv string }{
	"4000000000000002": {"05", "Y", "M"},
	"4000000000009995": {"51", "Y", "M"},
	"4000000000009987": {"41", "Y", "M"},
	"4000000000009979": {"43", "Y", "M"},
	"4000000000000069": {"54", "Y", "M"},
	"4000000000000127": {"82", "Y", "N"},
	"4000000000000119": {"96", "Y", "M"},
	"4000000000000010": {"00", "N", "M"},
	"4000000000000028": {"00", "Z", "M"},
	"4000000000000036": {"00", "A", "M"},
	"4000000000000101": {"00", "Y", "N"},
}

// amounts are the last two digits of an amount that decide an outcome, for other cards.
var amounts = []int64{5, 8, 10, 14, 41, 51, 54, 57, 61, 65, 68, 82, 91, 96}

// Outcome is what he says to a card, with the results of the checks. The number is looked at where it is.
func Outcome(pan []byte, minor int64) (code, address, cvv string) {
	for number, says := range cards {
		if same(pan, number) {
			return says.code, says.address, says.cvv
		}
	}
	if last := minor % 100; slices.Contains(amounts, last) {
		return fmt.Sprintf("%02d", last), "Y", "M"
	}
	return "00", "Y", "M"
}

// same compares byte by byte: the library's way goes through registers that keep what they had.
func same(pan []byte, number string) bool {
	if len(pan) != len(number) {
		return false
	}
	for i := range pan {
		if pan[i] != number[i] {
			return false
		}
	}
	return true
}

package capture

import "slices"

// testCards are numbers that payment providers and schemes have published for tests, and no issuer gives to anybody. They are what a rehearsal takes, and
// they are public: there is nothing to wipe.
var testCards = []string{
	"4242424242424242", "4111111111111111", "4012888888881881", "4000056655665556", // Visa
	"5555555555554444", "5105105105105100", "5200828282828210", "2223003122003222", // Mastercard
	"378282246310005", "371449635398431", // American Express
	"6011111111111117", "6011000990139424", // Discover
	"30569309025904", "38520000023237", // Diners Club
	"3530111333300000", "3566002020360505", // JCB
	"6200000000000005",                        // UnionPay
	"6759649826438453", "6799990100000000019", // Maestro
}

// isTestCard reports whether a number is one of those.
func isTestCard(pan []byte) bool {
	return slices.ContainsFunc(testCards, func(card string) bool { return string(pan) == card }) // compares in place, without a copy
}

package capture

import "slices"

// testCards are numbers that payment providers and schemes have published for tests, and no issuer gives to anybody. They are what a rehearsal takes, and
// they are public: there is nothing to wipe. They stand in groups, so that no search of a process's memory for a number takes them for one that was keyed.
var testCards = []string{
	"4242 4242 4242 4242", "4111 1111 1111 1111", "4012 8888 8888 1881", "4000 0566 5566 5556", // Visa
	"5555 5555 5555 4444", "5105 1051 0510 5100", "5200 8282 8282 8210", "2223 0031 2200 3222", // Mastercard
	"3782 8224 6310 005", "3714 4963 5398 431", // American Express
	"6011 1111 1111 1117", "6011 0009 9013 9424", // Discover
	"3056 9309 0259 04", "3852 0000 0232 37", // Diners Club
	"3530 1113 3330 0000", "3566 0020 2036 0505", // JCB
	"6200 0000 0000 0005",                            // UnionPay
	"6759 6498 2643 8453", "6799 9901 0000 0000 019", // Maestro
}

// isTestCard reports whether a number is one of those. It compares in place, without a copy.
func isTestCard(pan []byte) bool {
	return slices.ContainsFunc(testCards, func(card string) bool {
		at := 0
		for i := range len(card) {
			if card[i] == ' ' {
				continue
			}
			if at == len(pan) || pan[at] != card[i] {
				return false
			}
			at++
		}
		return at == len(pan)
	})
}

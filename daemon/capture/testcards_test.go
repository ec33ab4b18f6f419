package capture

import (
	"slices"
	"strings"
	"testing"
)

// Every test card is a good one where any is taken, there is one of each brand, and in a rehearsal it is good while its neighbour, as real as any, is not.
func TestTestCards(t *testing.T) {
	p, rehearsal := Profile{}.withDefaults(), Profile{TestCards: true}.withDefaults()
	var brands []Brand
	for _, card := range testCards {
		real, test := judgePAN(keyedAs(card), &p), judgePAN(keyedAs(card), &rehearsal)
		if real.code != OK || test != real {
			t.Errorf("%s: %+v, in a rehearsal %+v", card, real, test)
		}
		brands = append(brands, real.brand)
	}
	for _, b := range Brands() {
		if !slices.Contains(brands, b) {
			t.Errorf("there is no test card of %s", b)
		}
	}
	for _, other := range []string{"4242424242424259", "378282246310104"} {
		if real, test := judgePAN([]byte(other), &p), judgePAN([]byte(other), &rehearsal); real.code != OK || test.code != NotTestCard || test.certain || !test.ripe {
			t.Errorf("%s: %+v, in a rehearsal %+v", other, real, test)
		}
	}
	pan := keyedAs(testCards[0])
	if n := testing.AllocsPerRun(100, func() { isTestCard(pan) }); n != 0 {
		t.Errorf("%g copies are made of a number", n)
	}
}

// keyedAs is a number of the list as it is keyed.
func keyedAs(card string) []byte { return []byte(strings.ReplaceAll(card, " ", "")) }

package cost_test

import (
	"slices"
	"testing"

	"github.com/flattone/flattone/proof/cost"
)

func TestCost(t *testing.T) {
	said := make([]int16, 8000*60)
	heard := slices.Clone(said)
	for _, at := range []int{0, 10, 5000, 5020, 9000} { // the first two and the next two are too near to tell apart
		heard[at] = 1
	}
	c := cost.Unit(said, heard, 4800)
	if c.Bursts != 3 || c.Share() != 1 || c.PerMinute() != 3 {
		t.Errorf("%d bursts, %v %%, %v a minute", c.Bursts, c.Share(), c.PerMinute())
	}
	c.Add(cost.Unit(said, said, 0))
	if c.Share() != 0.5 || c.PerMinute() != 1.5 {
		t.Errorf("with as much untouched speech: %v %%, %v a minute", c.Share(), c.PerMinute())
	}
}

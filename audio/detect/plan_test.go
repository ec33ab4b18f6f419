package detect

import (
	"math"
	"testing"
)

// No window is passed over as too quiet that holds a pair, or a column, of the least level that is looked for.
func TestLeastEnergyIsLeast(t *testing.T) {
	for rate, made := range plans {
		p := made()
		energy := func(ticks int64, amplitude float64, hz ...float64) float32 {
			least := math.Inf(1)
			for turn := range 64 { // of one against the other, and of both against the window
				var sum float64
				for k := range int(ticks) * p.tick {
					var x float64
					for i, f := range hz {
						x += amplitude * math.Cos(2*math.Pi*(f*float64(k)/float64(rate)+float64(turn*turn+turn*i*9)/64))
					}
					sum += x * x
				}
				least = min(least, sum)
			}
			return float32(least)
		}
		for i, w := range windows[:half] {
			for key := range 16 {
				e := energy(w.ticks, math.Sqrt(float64(looseFloor)), frequencies[key/4], frequencies[4+key%4])
				if e < p.windows[i].least {
					t.Errorf("%v: a pair has an energy of %.0f in %d ticks, and is looked for from %.0f on", rate, e, w.ticks, p.windows[i].least)
				}
			}
		}
		for _, f := range frequencies[4:] { // the weaker half of a column
			e := energy(halfTicks, math.Sqrt(float64(2*looseFloor/(1+underAlike))), f)
			if e < p.windows[half].least {
				t.Errorf("%v: a column has an energy of %.0f in a half, and is looked for from %.0f on", rate, e, p.windows[half].least)
			}
		}
	}
}

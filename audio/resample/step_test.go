package resample_test

import (
	"fmt"
	"testing"

	"github.com/flattone/flattone/audio"
)

// A device that stood still for less than a period leaves too little between the two, or too much: one gap, not one in every period until the loop
// has made up for it.
func TestAStepIsOneGap(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate48k} {
		for _, step := range []float64{0.3, 0.6, 0.9} {
			for _, who := range []string{"writer", "reader"} {
				t.Run(fmt.Sprintf("%v/%s/%v periods", rate, who, step), func(t *testing.T) {
					t.Parallel()
					period := int(rate) / 375
					r := newRig(rate, period)
					r.reader = 0.4 * float64(period) / float64(rate) // each in its own phase
					r.lateMS = float64(period) / 20 / float64(rate) * 1000
					r.run(5, nil)
					missing := r.joint.Missing()
					if seconds := step * float64(period) / float64(rate); who == "writer" {
						r.writer += seconds
					} else {
						r.reader += seconds
					}
					r.run(5, nil)
					if n := r.joint.Missing() - missing; n > int64(2*period) {
						t.Errorf("%d frames are missing, of a gap of %.0f", n, step*float64(period))
					}
				})
			}
		}
	}
}

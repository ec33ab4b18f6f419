package resample_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/flattone/flattone/audio"
)

// A modem gives 20 ms at a time, or 100 at once, and its clock is off by 200 ppm: for ten minutes nothing is missing and the depth stays where it is, and after
// it stood still for 300 ms it is there again within a second.
func TestBursts(t *testing.T) {
	const modem, card = 160, 24
	minutes := 10.0
	if testing.Short() {
		minutes = 1
	}
	for _, c := range []struct{ written, writtenAtOnce, read, readAtOnce int }{
		{modem, 1, card, 1}, {card, 1, modem, 1}, {modem, 5, card, 1}, {card, 1, modem, 5}, {modem, 1, modem, 1}, {modem, 5, modem, 5}, {modem, 1, modem, 5},
	} {
		for _, ppm := range []float64{200, -200} {
			t.Run(fmt.Sprintf("%d by %d to %d by %d, %+.0f ppm", c.writtenAtOnce, c.written, c.readAtOnce, c.read, ppm), func(t *testing.T) {
				t.Parallel()
				r := newRig(audio.Rate8k, c.written)
				r.periodRead, r.burstWritten, r.burstRead, r.writerPPM, r.lateMS = c.read, c.writtenAtOnce, c.readAtOnce, ppm, 1
				r.reader = 0.0042
				middle := target(c.written*c.writtenAtOnce, c.read*c.readAtOnce)
				flat := func(from, seconds, by float64) {
					t.Helper()
					least, most, begin := math.Inf(1), 0.0, max(r.writer, r.reader)+from
					r.run(from+seconds, func(at float64, _ []int16) {
						if at > begin {
							least, most = min(least, r.joint.Frames()), max(most, r.joint.Frames())
						}
					})
					t.Logf("%.0f to %.0f frames deep: it should be %.0f", least, most, middle)
					if least < middle-by || most > middle+by {
						t.Errorf("%.0f to %.0f frames deep: it should be %.0f", least, most, middle)
					}
				}
				flat(2, minutes*60, 16)
				if jumps, missing := r.joint.Jumps(), r.joint.Missing(); jumps > 3 || missing > 0 && max(c.writtenAtOnce, c.readAtOnce) == 1 {
					t.Errorf("%d jumps, %d frames missing", jumps, missing)
				}
				for _, who := range []string{"writer", "reader"} {
					began := max(r.writer, r.reader)
					r.stopped = func(at float64) (writer, reader bool) {
						stands := at >= began && at < began+0.3
						return stands && who == "writer", stands && who == "reader"
					}
					flat(1.3, 20, 32)
				}
			})
		}
	}
}

// target is the depth that package resample holds, see depth.go.
func target(written, read int) float64 {
	return float64(written+read) + 16 + float64(max(written, read))/6
}

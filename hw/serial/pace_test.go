package serial

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// far is a modem far away from its program: what it gives comes when the machine wakes up, and it plays what it is given. All is in frames, on the machine's clock.
type far struct {
	block, burst int
	ppm          float64
	late         func(block int) float64 // by how much the program is
	never        func(block int) bool    // comes

	pace pace
	fifo fifo

	given, skipped, lost int
	played, content      float64 // what it has, and when that was
}

// run gives blocks until one, and calls each as the program has written its answer, with how deep the modem's FIFO was before.
func (f *far) run(from, to int, each func(block int, low float64)) {
	for i := from; i < to; i += f.burst {
		end := i + f.burst
		frames := 0
		for b := i; b < end; b++ {
			if f.never == nil || !f.never(b) {
				frames += f.block
			}
		}
		if frames == 0 {
			continue
		}
		now := float64(end*f.block) / (1 + f.ppm*1e-6)
		if f.late != nil {
			now += f.late(i)
		}
		f.content = max(0, f.content-(now-f.played)*(1+f.ppm*1e-6))
		f.played = now
		low := f.content
		elapsed, lost, full := f.pace.came(frames, now)
		if f.given == 0 {
			f.fifo.start(f.block)
		}
		skip := f.fifo.skip(frames, elapsed)
		if full {
			f.fifo.window()
		}
		f.lost += lost
		f.skipped += skip
		f.given += frames
		f.content += float64(frames - skip)
		each(i, low)
	}
}

const second = 50 // blocks

// TestDepth: whatever the clock and the bursts, nothing is left out and the modem's FIFO stays as deep, for ten minutes.
func TestDepth(t *testing.T) {
	for _, burst := range []int{1, 5} {
		for _, ppm := range []float64{-200, 0, 200} {
			t.Run(fmt.Sprintf("%d at once, %+.0f ppm", burst, ppm), func(t *testing.T) {
				f := &far{block: 160, burst: burst, ppm: ppm}
				f.run(0, 600*second, func(block int, low float64) {
					if low > 1 {
						t.Fatalf("%.1f frames deep at block %d", low, block)
					}
				})
				if f.skipped != 0 || f.lost != 0 {
					t.Errorf("%d frames left out, %d lost", f.skipped, f.lost)
				}
			})
		}
	}
}

// TestLateWakeups: what they need stays, a block at the most, and nothing more is left out for it.
func TestLateWakeups(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	f := &far{block: 160, burst: 1, ppm: 100, late: func(int) float64 { return min(r.ExpFloat64()*4, 35) }}
	f.run(0, 600*second, func(block int, low float64) {
		if low > 40 {
			t.Fatalf("%.1f frames deep at block %d", low, block)
		}
	})
	if f.skipped != 0 || f.lost != 0 {
		t.Errorf("%d frames left out, %d lost", f.skipped, f.lost)
	}
}

// TestStall: 300 ms in which nothing came are heard late by none a second later.
func TestStall(t *testing.T) {
	for _, burst := range []int{1, 5} {
		for _, ppm := range []float64{-200, 200} {
			for _, phase := range []float64{0, 37, 80, 123, 159} {
				t.Run(fmt.Sprintf("%d at once, %+.0f ppm, %.0f frames into a block", burst, ppm, phase), func(t *testing.T) {
					const stall, frames = 10 * second, 2400
					f := &far{block: 160, burst: burst, ppm: ppm, late: func(block int) float64 {
						return max(0, stall*160+frames+phase-float64((block+burst)*160))
					}}
					f.late = onlyIn(f.late, stall, stall+frames/160)
					f.run(0, 60*second, func(block int, low float64) {
						if block > stall+15+second && low > exact+1 {
							t.Fatalf("%.1f frames deep at block %d", low, block)
						}
					})
					if f.skipped < frames-burst*160-160 || f.skipped > frames+160 {
						t.Errorf("%d frames left out", f.skipped)
					}
					if f.lost != 0 {
						t.Errorf("%d frames are taken for lost, which came", f.lost)
					}
				})
			}
		}
	}
}

func onlyIn(late func(int) float64, from, to int) func(int) float64 {
	return func(block int) float64 {
		if block < from || block >= to {
			return 0
		}
		return late(block)
	}
}

// TestBurstsBegin: a modem that begins to give five blocks at once is given all of them soon.
func TestBurstsBegin(t *testing.T) {
	f := &far{block: 160, burst: 1}
	f.run(0, 10*second, func(int, float64) {})
	f.burst = 5
	f.run(10*second, 12*second, func(int, float64) {})
	before := f.skipped
	f.run(12*second, 60*second, func(int, float64) {})
	if f.skipped != before || before > second*160 {
		t.Errorf("%d frames left out at first, %d later", before, f.skipped-before)
	}
}

// TestNeverCame: what a modem loses is told as lost, within a second, and what it gives is not.
func TestNeverCame(t *testing.T) {
	f := &far{block: 160, burst: 1, ppm: -100, never: func(block int) bool {
		return block >= 500 && block < 515 || block >= 1000 && block < 2000 && block%2 == 0
	}}
	f.run(0, 550, func(int, float64) {})
	if math.Abs(float64(f.lost-2400)) > 160 {
		t.Errorf("%d frames lost of 2400", f.lost)
	}
	f.lost = 0
	f.run(550, 2050, func(int, float64) {})
	if math.Abs(float64(f.lost-500*160)) > 2*160 {
		t.Errorf("%d frames lost of %d", f.lost, 500*160)
	}
}

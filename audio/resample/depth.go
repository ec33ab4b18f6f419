package resample

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// depth holds how far the writer is ahead at what it should be, by the ratio at which the reader takes frames.
//
//	deep - target --> smooth --> smooth --+--> * 2 w ------> + --> ratio
//	                                      +--> sum * w^2 --> +
//
// That is a loop of second order, critically damped; the two smoothers take away what comes of threads that wake up late.
// Where the depth is off by more than a loop may mend unheard, after a gap, it is set anew at once.
type depth struct {
	rate float64 // frames a second
	step float64 // the ratio: frames of the writer's for one of the reader's
	sum  float64 // of the loop, as a ratio
	near float64 // smoothed error, in frames,
	far  float64 // and once more
	slow float64 // the error as it is judged for a gap
	goal float64 // what it should be; 0 before the beginning
	age  float64 // seconds since it was set anew
}

const (
	loopHz   = 0.1 // of the loop: a clock that is off by 300 ppm moves the depth by 9 frames at 48 kHz until that is known
	smoothHz = 2.0 // of the smoothers
	gapHz    = 5.0 // of what is judged for a gap
	// settled is how long after a gap the depth is looked at once more. Where in its period a device begins again isn't known at once: of a long period
	// that leaves more than the loop makes up for in ten seconds, and less than what counts as a gap.
	settled = 0.15
	// MostPPM is by how much the clocks may differ. Crystals differ by 100, and a USB clock that is made up by 300.
	MostPPM = 1500
)

func (d *depth) start(rate audio.Rate) { *d = depth{rate: float64(rate), step: 1} }

// target is how deep it should be when the reader comes: it takes a period, which may be a period of the writer's old, needs half a
// filter of what follows, and either may be late by a sixth.
func target(writer, reader float64) float64 {
	return reader + writer + taps/2 + max(writer, reader)/6
}

// follow takes how deep it is as the reader comes for so many frames, and tells by how many frames to set it anew, if so.
func (d *depth) follow(deep, writer, reader float64) (jump int) {
	goal := target(writer, reader)
	off, other := deep-goal, goal != d.goal // once it is known how much comes at once
	d.goal = goal
	seconds := reader / d.rate
	d.slow += (off - d.slow) * part(gapHz, seconds)
	most, again := max(writer, reader), d.age < settled && d.age+seconds >= settled
	if d.age += seconds; again {
		most /= 6 // by which either may be late
	}
	if other || math.Abs(d.slow) > most && math.Abs(off) > most {
		jump = int(math.Round(off))
		if !again {
			d.age = 0
		}
		off -= float64(jump)
		d.near, d.far, d.slow = off, off, off
	}
	smooth := part(smoothHz, seconds)
	d.near += (off - d.near) * smooth
	d.far += (d.near - d.far) * smooth
	const w = 2 * math.Pi * loopHz
	d.sum += d.far / d.rate * w * w * seconds
	d.sum = min(max(d.sum, -MostPPM*1e-6), MostPPM*1e-6)
	ratio := d.sum + d.far/d.rate*2*w
	d.step = 1 + min(max(ratio, -MostPPM*1e-6), MostPPM*1e-6)
	return jump
}

// part is how much of a step a smoother follows in a time.
func part(hz, seconds float64) float64 { return 1 - math.Exp(-2*math.Pi*hz*seconds) }

func (d *depth) ppm() float64 { return d.sum * 1e6 }

// writers is the writer's rate on the reader's clock, as far as it is known.
func (d *depth) writers() float64 { return d.rate * (1 + d.sum) }

package detect

import "math"

// A key under speech or music as loud as itself is no pair to a fit, which asks that it explain nearly all that is heard. It is
// confirmed by what a background doesn't do for 64 ms: a column that nothing disturbs behind the filter that takes the rows away,
// and a row that goes on as one tone and stands out among the rows that were not there before either.
//
// The weights and the limits are from keys over recorded speech and music, against hours of either alone, in which the evidence never
// came to more than half of what confirms. It is scant, and weighs less, where it is within a tenth of the limit, or the row stands out
// among those that rose, yet not among all that sounds there.
const (
	patientWindows = 8    // of eight ticks, end to end
	patientDoubt   = 1    // above it evidence is scant,
	patientMost    = 1.1  // and above this none
	patientOff     = .022 // of the nominal frequency

	patientHigh   = 1.6  // doubt by the share of the high lane that isn't the column's,
	patientAlong  = 10.5 // of the column that isn't one tone,
	patientRival  = .25  // by how far the second row rose to the first,
	patientTwist  = .025 // a dB of twist,
	patientRow    = .1   // by how loud the row was before,
	patientCol    = 1    // and the column
	mostRival     = .55
	goodRow       = .48 // of the power in all rows: below it evidence is scant,
	leastRow      = .25 // and below this none
	mostTwist     = 8   // dB
	mostRowBefore = .85
	likelyHigh    = .45 // share of the column in the last ten ticks of the high lane, without which nobody looks further
)

// course is how a frequency went through these windows.
type course struct {
	power  float32 // of all together
	along  float32 // of which so much is one tone, near the nominal frequency
	steady bool    // it is near enough
	before float32 // power of a window before them, at a distance, to that of one of them, at most 1
}

// rise is the power of one tone that is more than what was there before.
func (c *course) rise() float32 { return c.along * (1 - c.before) }

// projection of eight ticks of a lane on a frequency.
func (e *ear) projection(lane, i int, end int64) pair {
	a, b := &e.at(end).total[lane], &e.at(end - eightTicks).total[lane]
	return pair{float32(a.c[i]-b.c[i]) / perSample, float32(a.s[i]-b.s[i]) / perSample}
}

// course of a frequency that advances by no more than a rotation, either way, from one window to the next.
func (e *ear) course(lane, i int, most pair) (c course) {
	var z [patientWindows]pair
	var step pair // the sum of the advances, each weighed by the power there
	for g := range z {
		z[g] = e.projection(lane, i, e.ticks-int64(g*eightTicks))
		c.power += z[g].power()
		if g > 0 {
			s := z[g-1].turned(z[g])
			step.c, step.s = step.c+s.c, step.s+s.s
		}
	}
	if c.power == 0 {
		return c
	}
	size := amplitude(step) + math.SmallestNonzeroFloat32
	step = pair{step.c / size, step.s / size}
	if c.steady = step.c >= most.c; !c.steady {
		step = pair{most.c, float32(math.Copysign(float64(most.s), float64(step.s)))}
	}
	var sum pair // turned by that from window to window, a tone adds up
	for g := range z {
		sum = sum.turned(step)
		sum.c, sum.s = sum.c+z[g].c, sum.s+z[g].s
	}
	c.along = sum.power() / patientWindows
	const apart = patientWindows + 1
	before := e.projection(lane, i, e.ticks-apart*eightTicks).power() + e.projection(lane, i, e.ticks-(apart+1)*eightTicks).power()
	c.before = min(1, before/2/(c.power/patientWindows))
	return c
}

// likely reports whether patient may find one.
func (e *ear) likely(p *plan) bool {
	s := &e.sums[half]
	return s.energy >= p.windows[half].least && s.col >= p.likely*s.energy
}

// patient looks for a key in the last 64 ticks, where one is likely.
func (e *ear) patient(p *plan) witness {
	n := float32(eightTicks*p.tick) / 2 // a window's power is n times the energy that it explains
	at := e.sums[half].key() % 4
	column := e.course(high, 4+at, p.patient[4+at])
	if !column.steady {
		return noWitness
	}
	energy := e.energy(high, patientWindows*eightTicks, e.ticks)
	doubt := patientHigh*(1-column.power/n/energy) + patientAlong*(1-column.along/column.power) + patientCol*column.before
	if doubt > patientMost {
		return noWitness
	}
	var rows [4]course
	var all, rival float32
	best := 0
	for i := range rows {
		rows[i] = e.course(band, i, p.patient[i])
		all += rows[i].power
		if rows[i].rise() > rows[best].rise() {
			best = i
		}
	}
	r := &rows[best]
	if !r.steady || r.before > mostRowBefore {
		return noWitness
	}
	for i := range rows {
		if i != best {
			rival = max(rival, rows[i].rise()/r.rise())
		}
	}
	power := e.course(band, 4+at, p.patient[4+at]).power // of the column, where the row's is measured
	twist := abs(decibel(power / r.power))
	row, col := float32(math.Sqrt(float64(r.power/patientWindows)))/n, float32(math.Sqrt(float64(power/patientWindows)))/n
	doubt += patientRival*rival + patientTwist*twist + patientRow*r.before
	if rival > mostRival || r.power < leastRow*all || twist > mostTwist || min(row*row, col*col) < confirmFloor || doubt > patientMost {
		return noWitness
	}
	w := witness{best*4 + at, row, col, patientWindows, patientWeight}
	if r.power < goodRow*all || doubt > patientDoubt {
		w.weight = scantWeight
	}
	return w
}

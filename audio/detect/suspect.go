package detect

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// Suspicion is any of five kinds of evidence. Their thresholds are the measured trade-off between keys that are
// suspected too late and speech that is masked for nothing.
//
//	pure    a window that one row and one column explain all but wholly: 4 to 9 ms after an onset
//	off     two windows end to end that one pair of tones explains, alike, though not as one tone of the nominal
//	        frequency: a sender that is off by up to 4 %
//	blip    a burst out of calm, shorter than any window, that a pair explains for a moment
//	under   a key under speech or music: its column stands out above the rows, or out of what came above them, steady for 20 ms, and its
//	        row is there
//	two     two keys at once, for 20 ms
type suspects struct {
	six, eight streak // of the windows of the kind pure
	fours      [8]fit // of the windows of four ticks: a power of two, more than offTicks
	off, under streak
	began      int64   // when a burst may have, last
	peak       float32 // the most power since, in a burst
	toned      bool    // a pair explained a moment of that burst
}

// streak is for how many ticks on end a thing was so, up to two: by then it is no chance.
type streak uint8

func (s *streak) lasts(so bool) bool {
	if !so {
		*s = 0
		return false
	}
	*s = min(*s+1, 2)
	return *s == 2
}

// Bounds of the fits, as squared amplitudes and their ratio.
var (
	strictFloor = square(audio.Amplitude(-45))
	looseFloor  = square(audio.Amplitude(-51.5))
)

const (
	pureFour  = 0.95 // share of the energy of a window of four ticks,
	pureSix   = 0.92 // of six,
	pureEight = 0.92 // and of eight behind the band filter, which sees through dial tone, hum and DC
	pureBand  = 0.95 // of six behind it,

	strictTwist = 25 // 14 dB
	looseTwist  = 40 // 16 dB

	offShare = 0.75 // of each of the two windows
	offAlike = 1.6  // ratio of their powers, for either tone
	offTicks = 4    // of each
	none     = -1   // no key

	blipShare = 0.75
	blipTicks = 6   // at the most
	blipOver  = 0.1 // of the burst's power: below that it is over

	underCol   = 0.48   // share of a column in the high lane, or in what came to it, if the column came,
	underRow   = 0.15   // and of a row in the band
	underWas   = 0.9    // of the energy of as many ticks before it is reckoned that it was there already,
	underCame  = 0.75   // but that so much of all has come, at the least
	underNew   = 0.05   // of its power, at the most, a column had before, if it came
	underAlike = 2.5    // ratio of the column's powers in both halves,
	rowAlike   = 8      // and of the row's
	underOff   = 0.0205 // of the nominal frequency, either
)

func square(v float64) float32 { return float32(v * v) }

// judge takes the tick that was heard last, and whether a burst may have begun in it.
func (s *suspects) judge(p *plan, e *ear, burst bool, v *Verdict) {
	last := &s.fours[e.ticks&int64(len(s.fours)-1)]
	last.key = none
	if e.may(p, four, offShare) {
		if f := e.best(p, four); f.share >= offShare && f.like(looseFloor, looseTwist) {
			*last = f
		}
		s.six.pure(e.asked(&p.six, sixTicks, pureSix), pureSix, v)
	} else { // then there is none in six ticks either, or it is over
		s.six = 0
	}
	if last.key == none {
		s.off = 0
	} else {
		before := &s.fours[(e.ticks-offTicks)&int64(len(s.fours)-1)]
		if s.off.lasts(last.again(before)) || last.share >= pureFour {
			v.Loose = true
		}
	}
	if !v.Loose && e.may(p, bandSix, pureBand) {
		f := e.best(p, bandSix)
		v.Loose = f.share >= pureBand && f.like(looseFloor, looseTwist)
	}
	if e.may(p, eight, pureEight) {
		s.eight.pure(e.best(p, eight), pureEight, v)
	} else {
		s.eight = 0
	}
	if s.blip(p, e, burst, v) || s.under.lasts(under(p, e)) {
		v.Loose = true
	}
	v.Loose = v.Loose || e.ticks%twoEvery == 0 && two(p, e)
}

// pure judges the fit of a window by itself, for an idle line too.
func (s *streak) pure(f fit, share float32, v *Verdict) {
	if s.lasts(f.share >= share && f.like(looseFloor, looseTwist)) {
		v.Loose = true
		v.Strict = v.Strict || f.like(strictFloor, strictTwist)
	}
}

// like reports whether a fit is a pair of tones: see pairOf.
func (f *fit) like(floor, twist float32) bool {
	return pairOf(f.row.power(), f.col.power(), floor, twist)
}

// pairOf reports whether the powers of a row and a column are those of a pair: loud enough, neither drowned by the other.
func pairOf(row, col, floor, twist float32) bool {
	return row >= floor && col >= floor && row < twist*col && col < twist*row
}

// again reports whether a fit is of the same key as one before, and as loud.
func (f *fit) again(g *fit) bool {
	return g.key == f.key && alike(f.row.power(), g.row.power(), offAlike) && alike(f.col.power(), g.col.power(), offAlike)
}

func alike(a, b, ratio float32) bool { return a <= ratio*b && b <= ratio*a }

func (s *suspects) blip(p *plan, e *ear, burst bool, v *Verdict) bool {
	if burst {
		s.began, s.peak, s.toned = e.ticks, 0, false
	}
	if s.began == 0 || e.ticks-s.began > blipTicks {
		return false
	}
	s.peak = max(s.peak, v.Power)
	if !s.toned {
		s.toned = e.asked(&p.three, threeTicks, blipShare).share >= blipShare
	}
	if !s.toned || v.Power >= blipOver*s.peak {
		return false
	}
	s.toned = false
	return true
}

// under judges the last 20 ticks by their two halves.
func under(p *plan, e *ear) bool {
	later := &e.sums[half]
	if later.energy < p.windows[half].least || later.col < p.faint*later.energy { // as it is mostly
		return false
	}
	n := float32(halfTicks*p.tick) / 2
	all := e.energy(high, 2*halfTicks, e.ticks)
	came := max(all-underWas*e.energy(high, 2*halfTicks, e.ticks-2*halfTicks), underCame*all)
	need := underCol * n * came
	if later.col*(1+underAlike) < need { // the other can't be alike then
		return false
	}
	var earlier, rows sum
	e.sum(&earlier, high, halfTicks, e.ticks-halfTicks)
	if later.col+earlier.col < need {
		return false
	}
	col := twoHalves(&earlier, later, 4)
	if col.power < need || col.ratio > underAlike || col.along < p.drift[col.at] {
		return false
	}
	if col.power < underCol*n*all && !e.came(&col) {
		return false
	}
	e.sum(&rows, band, halfTicks, e.ticks)
	e.sum(&earlier, band, halfTicks, e.ticks-halfTicks)
	row := twoHalves(&earlier, &rows, 0)
	if row.power < underRow*n*e.energy(band, 2*halfTicks, e.ticks) || row.ratio > rowAlike || row.along < p.drift[row.at] {
		return false
	}
	return pairOf(row.power, col.power, looseFloor*n*n*2, looseTwist) // the powers are of two halves
}

// came reports whether a column was not there before the 20 ticks in whose halves it sounds.
func (e *ear) came(col *halves) bool {
	var a, b sum
	e.sum(&a, high, halfTicks, e.ticks-2*halfTicks)
	e.sum(&b, high, halfTicks, e.ticks-3*halfTicks)
	return a.at(col.at).power()+b.at(col.at).power() <= underNew*col.power
}

// halves is how a frequency sounds in both halves of a window.
type halves struct {
	at           int     // which frequency
	power, ratio float32 // of both together, and the stronger over the weaker
	along        float32 // cosine of the angle between them
}

// twoHalves finds the strongest of four frequencies, from one on.
func twoHalves(earlier, later *sum, from int) halves {
	h := halves{at: from}
	for i := from; i < from+4; i++ {
		if power := earlier.at(i).power() + later.at(i).power(); power > h.power {
			h.at, h.power = i, power
		}
	}
	a, b := earlier.at(h.at), later.at(h.at)
	pa, pb := a.power(), b.power()
	h.ratio = max(pa, pb) / (min(pa, pb) + 1)
	h.along = (a.c*b.c + a.s*b.s) / float32(math.Sqrt(float64(pa)*float64(pb))+1)
	return h
}

package detect

import (
	"math"

	"github.com/flattone/flattone/audio"
)

// Suspicion is any of four kinds of evidence. Their thresholds are the measured trade-off between keys that are
// suspected too late and speech that is masked for nothing.
//
//	pure    a window that one row and one column explain all but wholly: 4 to 9 ms after an onset
//	off     two windows end to end that one pair of tones explains, alike, though not as one tone of the nominal
//	        frequency: a sender that is off by up to 4 %
//	blip    a burst out of quiet, shorter than any window, that a pair explains for a moment
//	under   a key under speech or music: its column stands out above the rows, steady for 20 ms, its row at least there
type suspects struct {
	six, eight uint8      // runs of the windows of the kind pure
	off        [depth]fit // the fits of the off window
	offRun     uint8
	underRun   uint8
	tick       int64   // so many were judged
	edge       int64   // when the level last rose out of quiet
	peak       float32 // the most power since, in a burst
	toned      bool    // a pair explained a moment of that burst
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
	pureRun   = 2    // ticks on end, of the two longer ones

	strictTwist = 25 // 14 dB
	looseTwist  = 40 // 16 dB

	offShare = 0.75 // of each of the two windows
	offAlike = 1.6  // ratio of their powers, for either tone
	offRun   = 2
	offTicks = 4  // of that window
	none     = -1 // no key

	blipShare = 0.75
	blipTicks = 7   // at the most
	blipOver  = 0.1 // of the burst's power: below that it is over

	underCol   = 0.54  // share of a column in the high lane,
	underRow   = 0.05  // and of a row in the band
	underAlike = 1.6   // ratio of the column's powers in both halves,
	rowAlike   = 8     // and of the row's
	underOff   = 0.022 // of the nominal frequency, either
	underRun   = 2
)

func square(v float64) float32 { return float32(v * v) }

func (s *suspects) judge(p *plan, now *clock, l *lanes, v *Verdict) {
	s.tick++
	at := &s.off[s.tick&(depth-1)]
	at.key = none
	if w, of := &p.windows[plain][plainFour], &l[plain]; w.may(of.tops[plainFour], of.power[plainFour], offShare) {
		if f := of.best(w, now); f.share >= offShare && f.like(looseFloor, looseTwist) {
			*at = f
		}
	}
	v.Loose = s.offFrequency(at) || at.key != none && at.share >= pureFour
	if w, of := &p.windows[plain][plainSix], &l[plain]; w.may(of.tops[plainSix], of.power[plainSix], pureSix) {
		s.pure(&s.six, of.best(w, now), pureSix, v)
	} else {
		s.six = 0
	}
	if w, of := &p.windows[band][bandSix], &l[band]; w.may(of.tops[bandSix], of.power[bandSix], pureBand) {
		f := of.best(w, now)
		v.Loose = v.Loose || f.share >= pureBand && f.like(looseFloor, looseTwist)
	}
	if w, of := &p.windows[band][bandEight], &l[band]; w.may(of.tops[bandEight], of.power[bandEight], pureEight) {
		s.pure(&s.eight, of.best(w, now), pureEight, v)
	} else {
		s.eight = 0
	}
	if s.blip(p, now, &l[plain], v) || s.under(p, l) {
		v.Loose = true
	}
}

// pure judges the fit of a window by itself, for an idle line too.
func (s *suspects) pure(run *uint8, f fit, share float32, v *Verdict) {
	if f.share < share || !f.like(looseFloor, looseTwist) {
		*run = 0
		return
	}
	if *run = min(*run+1, pureRun); *run < pureRun {
		return
	}
	v.Loose = true
	v.Strict = v.Strict || f.like(strictFloor, strictTwist)
}

// like reports whether a fit is a pair of tones: loud enough, neither drowned by the other.
func (f *fit) like(floor, twist float32) bool {
	row, col := f.row.power(), f.col.power()
	return row >= floor && col >= floor && row < twist*col && col < twist*row
}

// offFrequency compares the fit of the last four ticks with that of the four before.
func (s *suspects) offFrequency(f *fit) bool {
	g := &s.off[(s.tick-offTicks)&(depth-1)]
	if f.key == none || g.key != f.key || !alike(f.row.power(), g.row.power(), offAlike) || !alike(f.col.power(), g.col.power(), offAlike) {
		s.offRun = 0
		return false
	}
	s.offRun = min(s.offRun+1, offRun)
	return s.offRun == offRun
}

func alike(a, b, ratio float32) bool { return a <= ratio*b && b <= ratio*a }

func (s *suspects) blip(p *plan, now *clock, l *lane, v *Verdict) bool {
	if v.Edge {
		s.edge, s.peak, s.toned = s.tick, 0, false
	}
	if s.edge == 0 || s.tick-s.edge > blipTicks {
		return false
	}
	s.peak = max(s.peak, v.Power)
	if !s.toned {
		sums, energy := l.last(p.short.ticks, int(s.tick-1))
		f := solve(&p.short, &sums, &now.phase, strongest(&sums), energy)
		s.toned = f.share >= blipShare
	}
	if !s.toned || v.Power >= blipOver*s.peak {
		return false
	}
	s.toned = false
	return true
}

func (s *suspects) under(p *plan, l *lanes) bool {
	if s.underKey(p, &l[band], &l[high]) {
		s.underRun = min(s.underRun+1, underRun)
	} else {
		s.underRun = 0
	}
	return s.underRun == underRun
}

func (s *suspects) underKey(p *plan, band, high *lane) bool {
	n := float32(halfTicks*p.tick) / 2
	need := underCol * n * high.power[highWhole]
	if high.tops[highHalf].col*(1+underAlike) < need { // half of it can't be alike then
		return false
	}
	col := twoHalves(&high.sums[highWhole], &high.sums[highHalf], 4)
	if col.power < need || col.ratio > underAlike || col.along < p.drift[col.at] {
		return false
	}
	row := twoHalves(&band.sums[bandWhole], &band.sums[bandHalf], 0)
	if row.power < underRow*n*band.power[bandWhole] || row.ratio > rowAlike || row.along < p.drift[row.at] {
		return false
	}
	floor := looseFloor * n * n * 2 // the powers are of two halves
	return row.power >= floor && col.power >= floor && row.power < looseTwist*col.power && col.power < looseTwist*row.power
}

// halves is how a frequency sounds in both halves of a window.
type halves struct {
	at           int     // which frequency
	power, ratio float32 // of both together, and the stronger over the weaker
	along        float32 // cosine of the angle between them
}

// twoHalves finds the strongest of four frequencies, from one on, in a window whose later half is known too.
func twoHalves(whole, later *bins, from int) halves {
	h := halves{at: from}
	for i := from; i < from+4; i++ {
		a, w := later.at(i), whole.at(i)
		b := pair{w.c - a.c, w.s - a.s}
		pa, pb := a.power(), b.power()
		if pa+pb <= h.power {
			continue
		}
		h.at, h.power, h.ratio = i, pa+pb, max(pa, pb)/(min(pa, pb)+1)
		h.along = (a.c*b.c + a.s*b.s) / float32(math.Sqrt(float64(pa)*float64(pb))+1)
	}
	return h
}

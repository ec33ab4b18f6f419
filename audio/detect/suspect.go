package detect

import "github.com/flattone/flattone/audio"

// rule suspects where a window's best fit explains a share of its energy for some ticks on end.
type rule struct {
	band   bool // on the band-filtered lane
	window int  // index into that lane's windows
	share  float32
	run    uint8
	strict bool // counts on an idle line too
}

// rules are OR-ed. Short plain windows are the fastest on a clean line; filtered ones see a tone over dial
// tone and hum; the longest ones see it under speech. Thresholds are the measured trade-off between
// milliseconds of head and milliseconds of speech.
var rules = [...]rule{
	{band: false, window: 0, share: 0.95, run: 1},
	{band: false, window: 1, share: 0.93, run: 2, strict: true},
	{band: false, window: 2, share: 0.92, run: 2, strict: true},
	{band: false, window: 3, share: 0.85, run: 2},
	{band: true, window: 0, share: 0.92, run: 2, strict: true}, // sees through the hum and DC of sound cards
	{band: true, window: 1, share: 0.62, run: 3},
	{band: true, window: 2, share: 0.72, run: 3},
}

// Suspicion's floor and twist, on squared amplitudes.
var suspectFloor = float32(audio.Amplitude(-45) * audio.Amplitude(-45))

const suspectTwist = 25 // 14 dB

// suspects is the state of the rules and of the burst of strict suspicion that is under way.
type suspects struct {
	runs [len(rules)]uint8
}

func (s *suspects) judge(p *plan, now *clock, plain, band *lane, v *Verdict) {
	for i := range rules {
		r := &rules[i]
		l, win := plain, &p.plain[r.window%len(p.plain)]
		if r.band {
			l, win = band, &p.band[r.window]
		}
		if !like(l.best(win, now), r.share) {
			s.runs[i] = 0
			continue
		}
		s.runs[i] = min(s.runs[i]+1, r.run)
		if s.runs[i] == r.run {
			v.Loose = true
			v.Strict = v.Strict || r.strict
		}
	}
}

// like reports whether a fit is a pair of tones: enough of the energy, either loud enough, neither drowned.
func like(f fit, share float32) bool {
	if f.share < share {
		return false
	}
	row, col := f.row.power(), f.col.power()
	return row >= suspectFloor && col >= suspectFloor && row < suspectTwist*col && col < suspectTwist*row
}

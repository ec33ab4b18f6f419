// Package detect listens for DTMF (ITU-T Q.23) one tick, about a millisecond, at a time. It answers two
// questions that must never be mistaken for one another:
//
//   - Suspicion, within a few milliseconds: might this be a key? It needs not know which. The masker hangs on
//     it, because a listener reads a key from 2 ms of clean tone.
//   - Confirmation, after about 27 ms, mostly within 80 ms under speech or music as loud as it: which key is it, and from where to
//     where? The capture hangs on it. A burst that was suspected as long as a key lasts and never confirmed is reported as unclear.
//
// Each tick is projected once on the eight DTMF frequencies, as it is and after two filters, and added to totals; a
// window, from 3 to 20 ticks long, is the difference of two of them. A window is suspect by the share of its energy that a
// least-squares fit of one row and one column frequency explains (a matched subspace); see suspects for the rest.
//
// It promises no allocation after New, and that its state, from which keys could be read back, lies in locked
// memory. Its totals are whole numbers that wrap around, so that hours of sound leave no trace in them. It must
// never log or reveal a digit. It isn't safe for concurrent use.
package detect

import (
	"fmt"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked"
)

// Verdict is what one tick told.
type Verdict struct {
	// Loose and Strict are suspicion at this tick: for an armed line, and for an idle one, where a false
	// one costs more than it saves. Strict implies Loose. Neither is looked for while a key is held.
	Loose, Strict bool
	// Lasting: strict suspicion has gone on for as long as a key at its shortest.
	Lasting bool
	// Held: a confirmed key sounds at this tick, or pauses in a hole short enough to be bridged.
	Held bool
	// Edge: the level rose abruptly in this tick, out of what was heard before. Learnt from how far the samples swing, so
	// that it tells nothing about which key it was.
	Edge bool
	// Power is the mean square of the tick's samples, without DC and hum, on the scale of a mean square.
	Power float32
	// Event is what was decided at this tick; its Kind is Nothing mostly.
	Event Event
}

// Event is a decision about one key.
type Event struct {
	Kind Kind
	// Digit is none but for Began.
	Digit audio.Digit
	// Start is where the tone began, in frames since the first tick, within about 2 ms; an Ended has that of its Began.
	Start audio.Position
	// Heard, for Began, is where the first of it could be heard: before Start where the tone rises slowly.
	Heard audio.Position
	// End is one past its last frame: for Ended and Unclear.
	End audio.Position
}

// Kind says what was decided.
type Kind uint8

// Kinds of Event.
const (
	Nothing Kind = iota
	Began        // a key was confirmed
	Ended        // the key that Began last is over
	Unclear      // a burst as long as a key is over, and was never confirmed
)

// Detector is fed one leg of one call.
type Detector struct {
	plan  *plan
	state *state
	free  func() error
}

// state is all that changes. It holds no pointers: see locked.New.
type state struct {
	ear     ear
	suspect suspects
	level   level
	confirm confirm
}

// New makes a detector for a supported rate.
func New(rate audio.Rate) (*Detector, error) {
	if !rate.Supported() {
		return nil, fmt.Errorf("detect: a rate of %v isn't supported: use 8000, 16000, 44100 or 48000", rate)
	}
	s, free, err := locked.New[state]()
	if err != nil {
		return nil, fmt.Errorf("detect: place the state: %w", err)
	}
	p := plans[rate]()
	return &Detector{plan: p, state: s, free: free}, nil
}

// Close wipes the state. The detector is of no use after it.
func (d *Detector) Close() error {
	if d.state == nil {
		return nil
	}
	d.state = nil
	return d.free()
}

// Tick takes the next rate.TickFrames() samples, and says what they told. It keeps neither x nor v.
func (d *Detector) Tick(x []int16, v *Verdict) {
	*v = Verdict{}
	s, p := d.state, d.plan
	e := &s.ear
	energy, peak := hear(e, p, x[:p.tick])
	v.Power = energy * p.perFrame
	edge, burst := s.level.push(peak)
	v.Edge = edge
	held := s.confirm.held
	if !held { // else that is suspicion enough, and another costly to find
		s.suspect.judge(p, e, burst, v)
	}
	if s.confirm.push(p, e, v); s.confirm.held && !held {
		s.suspect = suspects{}
	}
	if v.Event.Kind == Began || v.Event.Kind == Unclear {
		v.Event.Start = s.level.onset(p, v.Event.Start)
		v.Event.Heard = min(v.Event.Heard, v.Event.Start)
		s.confirm.began = v.Event.Start
	}
}

// Package mask decides, a tick at a time, which of a caller's samples may be heard by the agent, and replaces
// the others.
//
// What is suspect is replaced whole: by noise whose only input is the level of the line's background, learnt
// at least 300 ms away from anything masked, and by flat tones that leave on a fixed grid of slots. The
// caller's own sound is never filtered, faded or repeated, because that would still tell the key.
//
// It promises that every sample written while a suspicion lasts is masked, from before its onset as far as
// the look-ahead reaches; that where the onset rises abruptly, what the agent hears doesn't depend on
// which key it was (the law of non-interference); and that Closed masks everything. Nothing here allocates
// after New. It must never open a mask because the level fell, nor let the time at which a digit was
// recognised show.
package mask

import (
	"fmt"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/tone"
)

// Grade is how much suspicion it takes to mask.
type Grade int32

// The grades, in rising order. The zero Grade is none of them.
const (
	Pass   Grade = iota + 1 // nothing is masked; keys are still reported
	Idle                    // strict suspicion: next to no speech is lost
	Armed                   // loose suspicion: a card may be keyed at any moment
	Closed                  // everything is masked
)

func (g Grade) String() string {
	switch g {
	case Pass:
		return "pass"
	case Idle:
		return "idle"
	case Armed:
		return "armed"
	case Closed:
		return "closed"
	}
	return "no grade"
}

// Suspects reports whether a verdict is reason to mask on a line of this grade.
func (g Grade) Suspects(v *detect.Verdict) bool {
	return v.Strict || v.Held || v.Loose && g >= Armed
}

// Hold is for how many ticks after the last of so many ticks of suspicion a patch goes on.
func Hold(hits int64) int64 { return min(leastHold+holdPerHit*hits, mostHold) }

// Shield is how much of the rhythm of keying is hidden.
type Shield int32

// The shields, in rising order. The zero Shield is none of them.
const (
	Keys  Shield = iota + 1 // each key alone: the gaps between keys are heard
	Run                     // from the first key until a second has passed without one
	Field                   // while a field is open, from its first key until it is closed; else as Run
)

// ParseShield reads a shield as it stands in a config.
func ParseShield(s string) (Shield, error) {
	for sh := Keys; sh <= Field; sh++ {
		if s == sh.String() {
			return sh, nil
		}
	}
	return 0, fmt.Errorf("mask: shield %q is unknown: use keys, run or field", s)
}

func (s Shield) String() string {
	switch s {
	case Keys:
		return "keys"
	case Run:
		return "run"
	case Field:
		return "field"
	}
	return "no shield"
}

// Bounds and defaults of the look-ahead.
const (
	MinLookAhead     = 10 * time.Millisecond
	MaxLookAhead     = 100 * time.Millisecond
	DefaultLookAhead = 30 * time.Millisecond
)

// Defaults of the flat tone: far from DTMF, busy, dial, fax and special information tones.
const (
	DefaultToneHz   = 1020.0
	DefaultToneDBm0 = -22.0
)

// Config of a Masker. Zero fields but Rate take their defaults.
type Config struct {
	Rate      audio.Rate
	LookAhead time.Duration
	Shield    Shield
	ToneHz    float64
	ToneDBm0  float64
}

// leastEarly is the look-ahead from which on masks are cut early.
const leastEarly = 20 * time.Millisecond

// Times, in ticks.
const (
	edgeReach  = 28   // how far back from a suspicion an edge is taken for its onset
	onsetReach = 6    // how far back the onset of an abrupt key lies, at the most, when it is first suspected
	suspectGap = 6    // ticks without suspicion that end one
	leastHold  = 4    // masked after the last tick of suspicion
	holdPerHit = 3    // and so much more for each tick that was suspect,
	mostHold   = 60   // but no more than this: echo and holes
	quiet      = 1000 // without a key, that ends a run
	tailQuiet  = 3000 // armed masking lasts so long after the last suspicion,
	tailLeast  = 1000 // and so long after it was lowered
	slotTicks  = 100  // one slot of the grid
	toneTicks  = 60   // sounding part of a slot
	edgeTicks  = 5    // its rise and fall
	slotAfter  = 60   // a key's slot is the first free one that begins so long after its onset
	marks      = 512  // ticks held and ahead, a power of two
	slots      = 64   // slots ahead, a power of two
	keyReach   = 12   // ticks after the last strict suspicion that are still the key's
	keyOver    = 10   // times the background's power: above it a key still sounds
	loudReach  = 60   // ticks after that in which suspicion may still be the key's
)

// Masker masks one leg. One thread uses it: for each tick Decide, then Release for each tick that goes out.
type Masker struct {
	cfg      Config
	tick     int
	cell     int64   // grid on which patches begin and end, in ticks,
	edgeCell int64   // and on which one begins that has a digit-blind edge
	guard    int64   // ticks masked before such an edge
	least    int64   // and before a suspicion without one
	early    int64   // ticks by which a mask begins later than it could, so that the tick before it, which may be cut, is always held
	tone     []int16 // one flat tone,
	hiss     *hiss   // and the noise: both shared with others
	state    *state
	free     func() error
}

// New makes a masker that is Closed until Decide is told otherwise.
func New(cfg Config) (*Masker, error) {
	if !cfg.Rate.Supported() {
		return nil, fmt.Errorf("mask: a rate of %v isn't supported: use 8000, 16000, 44100 or 48000", cfg.Rate)
	}
	if cfg.LookAhead == 0 {
		cfg.LookAhead = DefaultLookAhead
	}
	if cfg.LookAhead < MinLookAhead || cfg.LookAhead > MaxLookAhead {
		return nil, fmt.Errorf("mask: a look-ahead of %v is out of range: use %v to %v", cfg.LookAhead, MinLookAhead, MaxLookAhead)
	}
	if cfg.Shield == 0 {
		cfg.Shield = Run
	}
	if cfg.Shield < Keys || cfg.Shield > Field {
		return nil, fmt.Errorf("mask: shield %d is unknown: use keys, run or field", cfg.Shield)
	}
	if cfg.ToneHz == 0 {
		cfg.ToneHz = DefaultToneHz
	}
	if cfg.ToneHz < 200 || cfg.ToneHz > 3400 {
		return nil, fmt.Errorf("mask: a flat tone of %g Hz can't be heard on a telephone: use 200 to 3400", cfg.ToneHz)
	}
	if cfg.ToneDBm0 == 0 {
		cfg.ToneDBm0 = DefaultToneDBm0
	}
	if cfg.ToneDBm0 < -60 || cfg.ToneDBm0 > -3 {
		return nil, fmt.Errorf("mask: a flat tone of %g dBm0 is out of range: use -60 to -3", cfg.ToneDBm0)
	}
	s, free, err := locked.New[state]()
	if err != nil {
		return nil, fmt.Errorf("mask: place the state: %w", err)
	}
	m := &Masker{cfg: cfg, tick: cfg.Rate.TickFrames(), hiss: theHiss(), state: s, free: free}
	m.tone = flatTone(cfg.Rate, tone.Sine{Hz: cfg.ToneHz, DBm0: cfg.ToneDBm0})
	// A suspicion comes within onsetReach ticks of an abrupt onset, and the edge up to three late where noise precedes it or the key takes
	// some milliseconds to rise: with the guard the mask still reaches the onset. Where it then begins, guard and cell before the edge, must
	// still be held, for else it begins where the suspicion came, which depends on the key.
	m.guard = int64(max(3, 2+m.held()/20))
	m.least = int64(m.held()*2/3 + 1)
	m.cell = int64(m.held() / 3)
	m.edgeCell = min(m.cell, int64(m.held())-onsetReach-m.guard+1)
	// Whether a mask is cut where it begins mustn't depend on the moment of suspicion either: with less look-ahead it isn't.
	if cfg.LookAhead >= leastEarly {
		m.early = 1
	}
	s.start()
	return m, nil
}

// held is how many ticks stay in the ring after a decision.
func (m *Masker) held() int { return m.cfg.Rate.Frames(m.cfg.LookAhead)/m.tick - 1 }

// Delay is the look-ahead in frames.
func (m *Masker) Delay() int { return m.cfg.Rate.Frames(m.cfg.LookAhead) }

// Close wipes the state. The masker is of no use after it.
func (m *Masker) Close() error {
	if m.state == nil {
		return nil
	}
	m.state = nil
	return m.free()
}

// Input is what a decision is made from.
type Input struct {
	Verdict detect.Verdict
	Grade   Grade // asked for
	Now     bool  // below Armed: tail, run and what is Closed end with what is suspect by then
	Field   bool  // a field is open
	Lost    bool  // the tick never arrived: what stands in its place is silence
}

// Grade is the grade in force: as asked for, but for the tail of Armed.
func (m *Masker) Grade() Grade { return m.state.grade }

// Settled reports that no tail of Armed holds the grade above what was asked for.
func (m *Masker) Settled() bool { return m.state.settled }

// CalmFrom is where the last suspicion under the grade then in force had ended for sure, in frames: for a key, it
// doesn't depend on which key it was.
func (m *Masker) CalmFrom() audio.Position {
	return audio.Position(m.state.calmFrom() * int64(m.tick))
}

// Margin is how many frames of look-ahead were left before a sound that began at onset when it was first suspected, as part of the
// suspicion under way. Less than none were left where its first frames were not masked.
func (m *Masker) Margin(onset audio.Position) int {
	s, tick := m.state, int64(m.tick)
	if at := s.suspectFrom * tick; int64(onset) < at {
		return int(int64(onset) - at)
	}
	return int(int64(onset) - s.suspectOut*tick)
}

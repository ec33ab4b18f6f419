// Package path is the one way a caller's sound takes to the agent: a block goes into the ring, tick by tick
// through the detector and the masker, and out again after a fixed delay. The line, the tool, the self-test
// and the benchmark share it.
//
//	Write --> ring --> detect --> mask (in place) --> judged --> Read
//	                      |         |
//	                      +--> Next +  keys, with where their flat tones sound; and the agent's
//
// It promises: the delay is the look-ahead exactly, always; what isn't suspect comes out bit for bit; the
// output is the same however the input was cut into blocks; no allocation, lock, channel, log or clock after
// New; samples, keys and the state they could be read back from lie in locked memory and are wiped by Close.
// Anything unexpected closes it: masked, and counted as a fault; but where the owner chose so, what breaks while idle is a wire. It must never pass on a sample that the
// masker hasn't released.
package path

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/ring"
)

// MaxBlock is the longest block that Write is made for, in frames.
const MaxBlock = 4096

// Config of a Path. Zero fields but Rate take their defaults.
type Config struct {
	Rate      audio.Rate
	LookAhead time.Duration // 10 to 100 ms, default 30 ms
	// Idle is what grade Idle means on this line: mask.Idle (default) or, where the owner chose so, mask.Pass.
	Idle mask.Grade
	// Wire: a path that breaks while it is idle lets the caller through as he is, for as long as nothing more than Idle is asked for; else it is silent.
	Wire     bool
	Shield   mask.Shield // default mask.Run
	ToneHz   float64     // of the flat tone, default 1020
	ToneDBm0 float64     // default -22
}

// Path carries one leg. One thread writes, one reads; they may be the same. Next has a single consumer. All
// else may be called from anywhere.
type Path struct {
	rate  audio.Rate
	idle  mask.Grade
	wire  bool
	tick  int
	delay int

	ring    *ring.Ring
	detect  *detect.Detector
	mask    *mask.Masker
	events  *queue
	free    func() error
	decided int   // frames of input through detector and masker
	out     int   // frames of input released to the ring's reader,
	masked  int64 // of which so many were replaced
	lost    int   // frames up to here never arrived,
	covered int   // and up to here came in while the line was covered
	gap     gap
	broke   bool // this side has seen that the path is broken,
	through bool // and lets the caller through
	owed    int  // reader: frames that stood in for others, to be dropped when those arrive
	talk    talk
	burst   burst
	agent   *Agent // nil where there is no other leg

	grade  atomic.Int32 // asked for, and opened with it
	field  atomic.Bool
	cover  atomic.Bool
	shared shared
}

// shared is what the writing thread tells the others.
type shared struct {
	written, speech, calm atomic.Int64
	grade                 atomic.Int32
	settled               atomic.Bool
	meter, floor          atomic.Uint64 // float64 bits: mean squares
	masked, faults        atomic.Int64
	clipped               atomic.Int64
	broken                atomic.Bool // the detector or the masker failed: all is silence from here on
}

// Stats count since New.
type Stats struct {
	Frames       int64 // written
	MaskedFrames int64 // of those released, how many were replaced
	Faults       int64 // blocks too late, too many, or that broke the code: none in a sound line
	// Clipped is how many frames the caller's converter could not follow, well away from anything masked: so it tells no key.
	Clipped int64
}

// New makes a path in grade Closed: it masks all until SetGrade says otherwise.
func New(cfg Config) (_ *Path, err error) {
	if cfg.Idle == 0 {
		cfg.Idle = mask.Idle
	}
	if cfg.Idle != mask.Idle && cfg.Idle != mask.Pass {
		return nil, fmt.Errorf("path: an idle line can't have grade %v: use idle or pass", cfg.Idle)
	}
	p := &Path{rate: cfg.Rate, idle: cfg.Idle, wire: cfg.Wire, tick: cfg.Rate.TickFrames()}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("path: %w", err), p.Close())
		}
	}()
	p.mask, err = mask.New(mask.Config{Rate: cfg.Rate, LookAhead: cfg.LookAhead, Shield: cfg.Shield, ToneHz: cfg.ToneHz, ToneDBm0: cfg.ToneDBm0})
	if err != nil {
		return nil, err
	}
	if p.detect, err = detect.New(cfg.Rate); err != nil {
		return nil, err
	}
	if p.events, p.free, err = locked.New[queue](); err != nil {
		return nil, err
	}
	p.delay = p.mask.Delay()
	// A block under way, and one of slack between the threads; the ring never fills while the reader keeps step.
	if p.ring, err = ring.New(p.delay + 2*MaxBlock); err != nil {
		return nil, err
	}
	// The fixed delay stands in the ring from the start.
	clear(p.ring.Tail(p.delay))
	p.ring.Commit(p.delay)
	p.ring.Judge(p.ring.Written())
	p.grade.Store(int32(mask.Closed))
	p.shared.grade.Store(int32(mask.Closed))
	p.shared.settled.Store(true)
	p.shared.floor.Store(math.Float64bits(p.mask.Floor()))
	p.shared.calm.Store(-1)
	p.shared.speech.Store(-1)
	return p, nil
}

// Close wipes and frees everything. Both threads and the consumer must have stopped.
func (p *Path) Close() error {
	var errs []error
	if p.mask != nil {
		errs = append(errs, p.mask.Close())
	}
	if p.detect != nil {
		errs = append(errs, p.detect.Close())
	}
	if p.ring != nil {
		errs = append(errs, p.ring.Close())
	}
	if p.free != nil {
		errs = append(errs, p.free())
		p.free = nil
	}
	return errors.Join(errs...)
}

// Delay is the fixed delay in frames.
func (p *Path) Delay() int { return p.delay }

// SetGrade asks for a grade from the next tick on. Armed, once lowered, stays in force for its tail. One goroutine sets it, and opens.
func (p *Path) SetGrade(g mask.Grade) {
	if g == mask.Idle {
		g = p.idle
	}
	asked := int32(g)
	if g < mask.Armed {
		asked |= p.grade.Load() & opened
	}
	p.grade.Store(asked)
}

// opened stands beside the grade asked for, from Open until Armed or Closed is.
const opened = 1 << 8

// Open asks for Idle without a tail: whatever masks, on either leg, ends with what is suspect by then. Where nothing was in the last fifth of a second, what comes from the
// caller 7 ms later goes to the agent as it is, and the agent's next frame to the caller. A key that sounds is masked to its end, and the caller's leg is
// open 0.22 s after that.
func (p *Path) Open() { p.grade.Store(int32(p.idle) | opened) }

// asked is what was asked for last.
func (p *Path) asked() (g mask.Grade, open bool) {
	asked := p.grade.Load()
	return mask.Grade(asked &^ opened), asked&opened != 0
}

// Grade is the grade in force, as of the last tick.
func (p *Path) Grade() mask.Grade { return mask.Grade(p.shared.grade.Load()) }

// Settled reports that no tail of Armed holds the grade above what was asked for.
func (p *Path) Settled() bool { return p.shared.settled.Load() }

// Broken reports that the detector or the masker failed. The path is then closed for good, or open as [Config].Wire says, which Grade tells: its owner
// replaces it.
func (p *Path) Broken() bool { return p.shared.broken.Load() }

// OpenField says whether a field is being keyed: for mask.Field.
func (p *Path) OpenField(open bool) { p.field.Store(open) }

// Position is how many frames were written. Next has every event that was decided up to it, and a reader that
// has read no more frames than that never comes too early.
func (p *Path) Position() audio.Position { return audio.Position(p.shared.written.Load()) }

// Judged is how far a reader may read: never less than the position, if that was taken before.
func (p *Path) Judged() audio.Position { return p.ring.Judged() }

// LastSpeech is one past the last 100 ms in which the caller spoke; -1 if never.
func (p *Path) LastSpeech() audio.Position { return audio.Position(p.shared.speech.Load()) }

// CalmFrom is where the last suspicion had ended for sure, up to 0.2 s after it; -1 if there was none. For a key, it doesn't
// depend on which key it was.
func (p *Path) CalmFrom() audio.Position { return audio.Position(p.shared.calm.Load()) }

// Meter is the level, in dBm0, of the last 100 ms that left for the agent: masked, so it tells no key.
func (p *Path) Meter() float64 {
	return audio.DBm0(math.Float64frombits(p.shared.meter.Load()))
}

// Floor is the caller's noise floor in dBm0, heard well away from anything masked: so it tells no key. It is +Inf while it isn't known.
func (p *Path) Floor() float64 { return audio.DBm0(math.Float64frombits(p.shared.floor.Load())) }

// Stats are safe to take at any time.
func (p *Path) Stats() Stats {
	s := &p.shared
	return Stats{Frames: s.written.Load(), MaskedFrames: s.masked.Load(), Faults: s.faults.Load(), Clipped: s.clipped.Load()}
}

// Next takes the oldest event, if there is one.
func (p *Path) Next() (Event, bool) { return p.events.take() }

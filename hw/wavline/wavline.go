// Package wavline is a line that is played from WAV files and recorded into WAV files: the interface of a box
// that has no hardware yet, of the demonstration, and of every test that needs a line.
//
// Both ports run on one clock, in strict lock-step: the caller's turn, then the agent's, a period at a time. At
// Pace 0 a line is deterministic: the same recordings and the same turns give the same outputs, bit for bit.
//
// A recorded call is a clock, as a live call is: it goes on while nobody listens. The clock file keeps when it
// began, so that a process that follows a killed one joins the call where a live line would be by now, with
// silence in the outputs for what was missed, and says so ([hw.CallJoined]).
//
// The line never plays a recording it had to guess at: whatever is odd about one is an error of [Open].
package wavline

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
)

// defaultPeriodMS is the length of a turn: what an RTP packet and a serial modem's burst hold.
const defaultPeriodMS = 20

// recordedTail is how long the outputs go on after the last recording. The line then goes on unrecorded: it
// may stay up for months.
const recordedTail = time.Minute

// Config says what a line plays and where to.
type Config struct {
	// CallerIn and AgentIn are what the two sides say: recordings, a pair a call, played one after another.
	// The shorter of a pair is padded with silence. Without any, the line is silent.
	CallerIn, AgentIn []string
	// AgentOut is what the agent heard, from the line's first frame on, and what the line is locked by.
	AgentOut string
	// CallerOut is what the caller heard, "" not to keep it.
	CallerOut string
	// Pace is the speed: 1 real time, 4 four times that, 0 as fast as the turns go. Once the last recording
	// is over, a line at Pace 0 goes on at real time.
	Pace float64
	// Gap is silence before each call, rounded up to whole periods.
	Gap time.Duration
	// WaitArmed holds each recording at its first frame until Released yields: CallBegan is sent, Follow is
	// called, and then the clock stands. Nothing is played meanwhile, not even silence.
	WaitArmed bool
	// Released yields once for each recording that may start, or is closed to release all that come.
	Released <-chan struct{}
	// ClockFile keeps the clock for the next process. Without one, that goes on where AgentOut stopped.
	ClockFile string
	// Follow is called after both turns of each period with the number of frames each side has played in
	// this process. It may block, which holds the clock; a line with a pace then makes up for the time lost.
	Follow func(audio.Position)
	// PeriodMS is the length of a turn in milliseconds, 0 for 20.
	PeriodMS int
}

func (c Config) validate(rate audio.Rate) error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf("wavline: "+format, args...))
		}
	}
	fault(!rate.Supported(), "%v is not supported: use 8000, 16000, 44100 or 48000", rate)
	fault(len(c.CallerIn) != len(c.AgentIn), "%d recordings of the caller and %d of the agent: each call needs one of both",
		len(c.CallerIn), len(c.AgentIn))
	fault(c.AgentOut == "", "no file for what the agent hears: name one, it also locks the line")
	fault(!(c.Pace >= 0) || math.IsInf(c.Pace, 0), "pace %g: use 1 for real time, 0 for as fast as possible", c.Pace)
	fault(c.Gap < 0, "a gap of %v: it can't be negative", c.Gap)
	fault(c.PeriodMS < 0 || c.PeriodMS > 1000, "a period of %d ms: use 1 to 1000", c.PeriodMS)
	fault(c.WaitArmed && c.Released == nil, "recordings wait to be released, and nothing can release them")
	return errors.Join(faults...)
}

// Open checks the recordings and the outputs, takes the line's lock and makes the line at the given rate. Its
// clock begins when both ports run. The error names each file that is wrong, why, and what to do; it wraps
// [hw.ErrBusy] if another process holds the line.
func Open(cfg Config, rate audio.Rate) (*hw.Line, error) {
	if err := cfg.validate(rate); err != nil {
		return nil, err
	}
	if cfg.PeriodMS == 0 {
		cfg.PeriodMS = defaultPeriodMS
	}
	l := &line{
		cfg:       cfg,
		rate:      rate,
		period:    rate.Frames(time.Duration(cfg.PeriodMS) * time.Millisecond),
		edges:     make(chan hw.Edge, 1),
		agentUp:   make(chan struct{}),
		agentDone: make(chan struct{}),
		toAgent:   make(chan struct{}, 1),
		toCaller:  make(chan struct{}, 1),
		lost:      make(chan struct{}),
	}
	if err := l.open(); err != nil {
		return nil, errors.Join(err, l.files.close())
	}
	return &hw.Line{
		Device:   cfg.AgentOut,
		Caller:   callerPort{l},
		Agent:    agentPort{l},
		OneClock: true,
		Calls:    l.edges,
		Close:    l.files.closer(),
	}, nil
}

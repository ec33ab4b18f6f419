package path

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/mask"
)

// Agent carries the other leg, from the agent to the caller: in place and without delay.
//
// While the caller's leg is armed or closed, keys are taken out of it. There is no look-ahead, so the head of a key
// passes, until it is suspected: 5 to 7 ms, where no receiver may take less than 20 for a key (ITU-T Q.24). A key that began
// then also shuts the leg until 3 s have passed without another: where the two legs are swapped it is the caller's, and the heads
// of those that follow would tell the card.
//
//	                 a key is confirmed, armed or closed
//	open, but for keys --------------------------------> shut
//	                   <--------------------------------
//	                     3 s after the last one's end
//	either --- the path was opened, and the key is over that sounds ---> open, keys too
//
// What was keyed is told by the path, as [AgentKey], and remembered, so that the caller's leg can tell the echo of it from a key of
// the caller's: see echoes.
//
// Pass has a single caller, on whatever thread. All that a key could be read back from lies in locked memory.
type Agent struct {
	path   *Path
	tick   int
	detect *detect.Detector
	state  *agentState
	free   func() error

	// Positions on the caller's clock, for the caller's thread.
	judged  atomic.Int64 // how far this leg was listened to
	suspect atomic.Int64 // where it was last suspected, strictly
}

// agentState holds no pointers: see locked.New.
type agentState struct {
	part   [audio.MostTickFrames]int16 // the tick under way,
	have   int                         // of which there are so many
	ticks  int64
	hits   int64 // ticks of suspicion in the patch under way
	until  int64 // one past its last tick
	shut   int64 // one past the last tick of a leg that is shut; 0 if the last key didn't shut it
	masks  bool  // keys are taken out
	burst  burst
	noise  uint32
	keys   queue  // what the agent keyed, for the caller's thread
	echoes echoes // which belongs to that one
}

// agentNoise is the amplitude of the noise that stands in for a key: about -60 dBm0, as quiet as a room on a telephone.
var agentNoise = int32(audio.Amplitude(-60) * math.Sqrt(1.5))

// agentQuiet is for how many ticks without a key a leg stays shut: as long as armed masking lasts after the last suspicion.
const agentQuiet = 3000

// NewAgent makes the other leg of a path, before either runs. From then on the agent's keys are no keys of the caller's.
func NewAgent(p *Path) (_ *Agent, err error) {
	a := &Agent{path: p, tick: p.tick}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("path: the agent's leg: %w", err), a.Close())
		}
	}()
	if a.detect, err = detect.New(p.rate); err != nil {
		return nil, err
	}
	if a.state, a.free, err = locked.New[agentState](); err != nil {
		return nil, err
	}
	a.state.noise = 1
	a.suspect.Store(-int64(p.rate)) // long ago
	p.agent = a
	return a, nil
}

// Close wipes and frees everything. Both legs must have stopped.
func (a *Agent) Close() error {
	var errs []error
	if a.detect != nil {
		errs = append(errs, a.detect.Close())
	}
	if a.free != nil {
		errs = append(errs, a.free())
		a.free = nil
	}
	return errors.Join(errs...)
}

// Pass takes the next frames of the agent, any number of them, and takes out of them what the caller is not to hear. What comes
// out is the same however the frames were cut. If the detector breaks, the leg stays open and the path tells: see [Path.Broken].
func (a *Agent) Pass(x []int16) {
	if a.path.Broken() {
		return
	}
	defer a.path.survive()
	s := a.state
	end := a.path.Position() // of x, on the caller's clock, to a period where the two sides' threads don't keep step
	guarded := a.path.Grade() >= mask.Armed
	_, opened := a.path.asked()
	if opened {
		s.shut = 0
	}
	for len(x) > 0 {
		if !opened {
			s.masks = guarded
		} else if s.ticks >= s.until {
			s.masks = false
		}
		n := copy(s.part[s.have:a.tick], x)
		if s.masks && s.ticks < max(s.until, s.shut) {
			s.replace(x[:n])
		}
		x = x[n:]
		if s.have += n; s.have == a.tick {
			s.have = 0
			a.judge(end-audio.Position(len(x)), s.masks && !opened)
		}
	}
}

// judge listens to the tick that ends at a position on the caller's clock. A key that begins where the leg is guarded shuts it.
func (a *Agent) judge(at audio.Position, guarded bool) {
	s := a.state
	var v detect.Verdict
	a.detect.Tick(s.part[:a.tick], &v)
	s.burst.tick(&v, at)
	s.ticks++
	if mask.Armed.Suspects(&v) {
		s.hits++
		s.until = s.ticks + mask.Hold(s.hits)
	} else if s.ticks >= s.until {
		s.hits = 0
	}
	if mask.Idle.Suspects(&v) {
		a.suspect.Store(int64(at))
	}
	shift := at - audio.Position(s.ticks*int64(a.tick)) // from this leg's clock to the caller's
	switch e := v.Event; e.Kind {
	case detect.Began:
		if s.shut = 0; guarded {
			s.shut = s.ticks + agentQuiet
		}
		a.remember(Event{Kind: AgentKey, Digit: e.Digit, Start: e.Start + shift, power: s.burst.power})
	case detect.Ended:
		if s.shut > 0 {
			s.shut = s.ticks + agentQuiet
		}
		a.remember(Event{Kind: KeyEnd, End: e.End + shift})
	}
	a.judged.Store(int64(at)) // last, so that whoever sees it also sees the keys up to it
}

func (a *Agent) remember(e Event) {
	if !a.state.keys.add(e) {
		a.path.shared.faults.Add(1) // its echo could be taken for a key: the session voids the capture
	}
}

// replace writes white noise over x.
func (s *agentState) replace(x []int16) {
	for i := range x {
		s.noise = s.noise*1664525 + 1013904223
		x[i] = int16(int32(s.noise>>16)*2*agentNoise>>16 - agentNoise)
	}
}

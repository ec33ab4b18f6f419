package path

import (
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/mask"
)

// Write takes the next frames of the caller, any number of them.
func (p *Path) Write(in []int16) {
	for len(in) > 0 {
		room := p.ring.Tail(min(len(in), p.tick))
		if len(room) == 0 {
			p.refuse(len(in))
			return
		}
		copy(room, in)
		p.wrote(len(room))
		in = in[len(room):]
	}
}

// Lost says that frames frames of the caller never arrived. Silence keeps their place on the clock, and is
// suspect: it is masked, and so is what was held before it.
func (p *Path) Lost(frames int) {
	for frames > 0 {
		room := p.ring.Tail(min(frames, p.tick))
		if len(room) == 0 {
			p.refuse(frames)
			return
		}
		clear(room)
		p.lost = int(p.ring.Written()) - p.delay + len(room)
		p.wrote(len(room))
		frames -= len(room)
	}
}

// refuse drops what the reader left no room for. Nothing was overwritten, but the caller's clock has a gap.
func (p *Path) refuse(int) {
	p.shared.faults.Add(1)
	p.lost = int(p.ring.Written()) - p.delay + 1
}

// wrote publishes n frames, and judges as far as can be decided.
func (p *Path) wrote(n int) {
	p.ring.Commit(n)
	written := int(p.ring.Written()) - p.delay
	for p.decided+p.tick <= written {
		if !p.Broken() {
			p.decide()
		}
		p.decided += p.tick
		// Before the next decision a reader in step asks for everything before decided + tick - delay.
		for p.out < p.decided+p.tick-p.delay {
			p.release()
		}
	}
	// Last, so that whoever sees the position also sees the events up to it, and may read as far.
	p.shared.written.Store(int64(written))
}

// decide takes one tick through detector and masker. The device's thread must outlive whatever goes wrong
// there: a panic closes the path for good.
func (p *Path) decide() {
	defer p.survive()
	x := p.view(p.decided)
	in := mask.Input{Verdict: p.detect.Tick(x), Grade: mask.Grade(p.grade.Load()), Field: p.field.Load(), Lost: p.decided < p.lost}
	var end detect.Event
	if p.agent != nil {
		in.Verdict.Event, end = p.agent.sift(in.Verdict.Event, audio.Position(p.decided+p.tick))
	}
	slot := p.mask.Decide(in)
	p.talk.tick(p, in.Verdict)
	p.report(in.Verdict.Event, slot)
	p.report(end, -1)
	s := &p.shared
	s.grade.Store(int32(p.mask.Grade()))
	s.settled.Store(p.mask.Settled())
	if at := p.mask.CalmFrom(); at > 0 {
		s.calm.Store(int64(at))
	}
}

// view is one tick of input.
func (p *Path) view(at int) []int16 {
	return p.ring.View(audio.Position(at+p.delay), p.tick)
}

// release masks the next tick where it must be, and lets it out.
func (p *Path) release() {
	x := p.view(p.out)
	if !p.Broken() {
		p.replace(x)
	}
	if p.Broken() { // perhaps just now, half way through x
		clear(x)
		p.shared.masked.Add(int64(len(x)))
	}
	p.out += p.tick
	p.ring.Judge(audio.Position(p.out + p.delay))
}

func (p *Path) replace(x []int16) {
	defer p.survive()
	if p.mask.Release(x) {
		p.shared.masked.Add(int64(len(x)))
	}
	p.shared.meter.Store(math.Float64bits(p.mask.Meter()))
}

// survive turns a panic into silence.
func (p *Path) survive() {
	if recover() == nil {
		return
	}
	p.shared.broken.Store(true)
	p.shared.faults.Add(1)
	p.shared.grade.Store(int32(mask.Closed))
}

func (p *Path) report(d detect.Event, slot audio.Position) {
	var kind EventKind
	margin := 0
	switch d.Kind {
	case detect.Began:
		kind, margin = Key, p.mask.Margin(d.Heard)
	case detect.Ended:
		kind = KeyEnd
	case detect.Unclear:
		kind = Unclear
	default:
		return
	}
	if !p.events.add(Event{Kind: kind, Digit: d.Digit, Start: d.Start, End: d.End, Decided: audio.Position(p.decided + p.tick), Slot: slot, Margin: margin}) {
		p.shared.faults.Add(1) // a key is lost: the session voids the capture
	}
}

// Read fills out whole: with what left after the fixed delay. Where that hasn't been judged yet, silence
// stands in, which is a fault; the frames it stood for are dropped when they come, so the delay stays.
func (p *Path) Read(out []int16) {
	for p.owed > 0 {
		n := len(p.ring.Head(p.owed))
		if n == 0 {
			break
		}
		p.ring.Release(n)
		p.owed -= n
	}
	for len(out) > 0 && p.owed == 0 {
		n := copy(out, p.ring.Head(len(out)))
		if n == 0 {
			break
		}
		p.ring.Release(n)
		out = out[n:]
	}
	if len(out) > 0 {
		clear(out)
		p.owed += len(out)
		p.shared.faults.Add(1)
	}
}

// talk tells speech from keys, 100 ticks at a time, and each hundred only once the next is over: by then a key that began
// at its end is suspected, whichever key it was.
type talk struct {
	ticks int
	power float32
	loud  bool // the hundred before were
}

const (
	talkTicks = 100
	talkLevel = 4e4 // mean square: about -41 dBm0
)

func (k *talk) tick(p *Path, v detect.Verdict) {
	k.power += v.Power
	if k.ticks++; k.ticks < talkTicks {
		return
	}
	now := p.decided + p.tick
	before := now - talkTicks*p.tick
	if k.loud && int(p.mask.CalmFrom()) <= before-talkTicks*p.tick {
		p.shared.speech.Store(int64(before))
	}
	*k = talk{loud: k.power > talkLevel*talkTicks}
}

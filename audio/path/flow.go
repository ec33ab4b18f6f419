package path

import (
	"math"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/mask"
)

// Write takes the next frames of the caller, any number of them.
func (p *Path) Write(in []int16) {
	n := copy(p.ring.Tail(len(in)), in)
	p.wrote(n)
	if n < len(in) {
		p.refuse()
	}
}

// Lost says that frames frames of the caller never arrived. Silence keeps their place on the clock, and is
// suspect: it is masked, and so is what was held before it.
func (p *Path) Lost(frames int) {
	room := p.ring.Tail(frames)
	clear(room)
	p.lost = max(p.lost, int(p.ring.Written())-p.delay+len(room))
	p.wrote(len(room))
	if len(room) < frames {
		p.refuse()
	}
}

// refuse drops what the reader left no room for. Nothing was overwritten, but the caller's clock has a gap.
func (p *Path) refuse() {
	p.shared.faults.Add(1)
	p.lost = int(p.ring.Written()) - p.delay + 1
}

// wrote publishes n frames, and judges as far as can be decided.
func (p *Path) wrote(n int) {
	p.ring.Commit(n)
	written := int(p.ring.Written()) - p.delay
	p.covers(written) // also of what is less than a tick
	if !p.Broken() {
		p.judge(written)
	}
	if p.Broken() { // perhaps just now, half way through
		p.standIn(written)
	}
	p.shared.masked.Store(p.masked)
	p.ring.Judge(audio.Position(p.out + p.delay))
	// Last, so that whoever sees the position also sees the events up to it, and may read as far.
	p.shared.written.Store(int64(written))
}

// judge takes what was written through detector and masker, tick by tick, and tells the others. The device's thread must outlive
// whatever goes wrong there: a panic closes the path for good.
func (p *Path) judge(written int) {
	defer p.survive()
	x, tick := p.ring.View(audio.Position(p.out+p.delay), written-p.out), p.tick
	// Once the delay is filled, one tick goes out for each that comes in.
	out := 0
	for in := p.decided - p.out; in+tick <= len(x); in += tick {
		p.decide(x[in : in+tick])
		p.decided += tick
		if p.out < p.due() {
			p.masked += int64(p.mask.Release(x[out:out+tick], p.covers(written)))
			p.out += tick
			out += tick
		}
	}
	s := &p.shared
	s.grade.Store(int32(p.mask.Grade()))
	s.settled.Store(p.mask.Settled())
	s.meter.Store(math.Float64bits(p.mask.Meter()))
	s.floor.Store(math.Float64bits(p.mask.Floor()))
	s.clipped.Store(p.mask.Clipped())
	if at := p.mask.CalmFrom(); at > 0 {
		s.calm.Store(int64(at))
	}
}

// standIn lets out silence, as far as was written; or, on the wire, what was written:
//
//	idle when it broke, and Wire ──▶ through ── more than Idle is asked for ──▶ silent
//	else                         ──▶ silent, for good
//
// What is covered is silent, too.
func (p *Path) standIn(written int) {
	asked, _ := p.asked()
	if !p.broke {
		p.broke, p.through = true, p.wire && p.Grade() <= mask.Idle
	}
	p.through = p.through && asked <= mask.Idle
	p.decided = written / p.tick * p.tick
	for due := p.due(); p.out < due; p.out += p.tick {
		if p.covers(written) || !p.through {
			clear(p.ring.View(audio.Position(p.out+p.delay), p.tick))
			p.masked += int64(p.tick)
		}
	}
	grade := mask.Closed
	if p.through {
		grade = mask.Pass
	}
	p.shared.grade.Store(int32(grade))
}

// due is how far a reader in step asks before the next decision.
func (p *Path) due() int { return p.decided + p.tick - p.delay }

// decide takes one tick through detector and masker.
func (p *Path) decide(x []int16) {
	in := mask.Input{Field: p.field.Load(), Lost: p.decided < p.lost}
	in.Grade, in.Now = p.asked()
	p.detect.Tick(x, &in.Verdict)
	var end detect.Event
	if p.agent != nil {
		p.burst.tick(&in.Verdict, audio.Position(p.decided+p.tick))
		in.Verdict.Event, end = p.agent.sift(in.Verdict.Event, audio.Position(p.decided+p.tick))
	}
	if e := &in.Verdict.Event; e.Kind == detect.Began && p.gap.hides(e.Start, p.tick) {
		*e = detect.Event{Kind: detect.Unclear, Start: e.Start, End: audio.Position(p.decided)}
	}
	cut := p.gap.next(in.Lost, &in.Verdict, audio.Position(p.decided), p.tick)
	slot := p.mask.Decide(&in)
	if p.talk.tick(in.Verdict.Power) {
		p.talked()
	}
	if in.Verdict.Event.Kind != detect.Nothing {
		p.report(in.Verdict.Event, slot)
	}
	if end.Kind != detect.Nothing {
		p.report(end, -1)
	}
	if cut {
		p.report(detect.Event{Kind: detect.Unclear, Start: p.gap.from, End: p.gap.upto}, -1)
	}
}

// survive turns a panic into silence.
func (p *Path) survive() {
	if recover() == nil {
		return
	}
	p.shared.broken.Store(true)
	p.shared.faults.Add(1)
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
	}
	p.tell(Event{Kind: kind, Digit: d.Digit, Start: d.Start, End: d.End, Decided: audio.Position(p.decided + p.tick), Slot: slot, Margin: margin})
}

func (p *Path) tell(e Event) {
	if !p.events.add(e) {
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

// tick takes the power of a tick, and reports whether a hundred are full.
func (k *talk) tick(power float32) bool {
	k.power += power
	k.ticks++
	return k.ticks == talkTicks
}

// talked judges the hundred ticks before those that are just full.
func (p *Path) talked() {
	now := p.decided + p.tick
	before := now - talkTicks*p.tick
	if p.talk.loud && int(p.mask.CalmFrom()) <= before-talkTicks*p.tick {
		p.shared.speech.Store(int64(before))
	}
	p.talk = talk{loud: p.talk.power > talkLevel*talkTicks}
}

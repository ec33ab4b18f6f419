package line

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/recording"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
)

// told is how the line stands, which a newly connected flattoned must be told. It is sent under the lock, so that
// nobody who is told again hears the old after the new.
type told struct {
	say   func(wire.Message)
	mu    sync.Mutex
	call  wire.Call
	ring  wire.Ringing
	state wire.State
	codec wire.Codec
	bars  []wire.Bar // those that are on
	// inputs by leg, where there was ever anything to tell.
	inputs map[string]wire.Input
	from   wire.Source
	record wire.Recording
	cover  wire.Covered
}

// keep tells m, and has it told again to a new flattoned.
func keep[M wire.Message](t *told, at *M, m M) {
	t.mu.Lock()
	defer t.mu.Unlock()
	*at = m
	t.say(m)
}

// calls tells of a call's edge.
func (t *told) calls(c wire.Call) { keep(t, &t.call, c) }

// rings tells that a call comes in, or no longer does.
func (t *told) rings(r wire.Ringing) { keep(t, &t.ring, r) }

// inCall reports whether the last edge was a call's beginning.
func (t *told) inCall() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.call.Edge == hw.CallBegan.String()
}

// tells tells whether what tells of calls is there.
func (t *told) tells(s wire.Source) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s != t.from {
		t.from = s
		t.say(s)
	}
}

// covers tells whether the caller is covered.
func (t *told) covers(c wire.Covered) { keep(t, &t.cover, c) }

// records tells how calls are recorded.
func (t *told) records(r wire.Recording) { keep(t, &t.record, r) }

// stands tells the line's state.
func (t *told) stands(s wire.State) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = s
	t.say(s)
}

// hears tells whether keys are suspected in time.
func (t *told) hears(c wire.Codec) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.codec = c
	t.say(c)
}

// bar tells what stands in the way of arming, or no longer does.
func (t *told) bar(b wire.Bar) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bars = slices.DeleteFunc(t.bars, func(was wire.Bar) bool { return was.Code == b.Code })
	if b.On {
		t.bars = append(t.bars, b)
	}
	t.say(b)
}

// input tells how a leg's sound comes in.
func (t *told) input(in wire.Input) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.inputs == nil {
		t.inputs = map[string]wire.Input{}
	}
	t.inputs[in.Leg] = in
	t.say(in)
}

// again says all that to a new connection, as far as there is anything to say, and opens it.
func (t *told) again(say func(wire.Message), open func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.call.Edge != "" {
		say(t.call)
	}
	if t.ring.On {
		say(t.ring)
	}
	if t.state.State != "" {
		say(t.state)
	}
	if t.codec.Code != "" {
		say(t.codec)
	}
	for _, b := range t.bars {
		say(b)
	}
	for _, in := range t.inputs {
		say(in)
	}
	if t.from.Code != "" {
		say(t.from)
	}
	if t.record.Code != "" {
		say(t.record)
	}
	if t.cover.On {
		say(t.cover)
	}
	open()
}

// State passes on where the line stands. A recorded call that waits to be armed is released.
func (l *Line) State(s session.State, captureID string, reason capture.Code) {
	l.log.Info("line state", "state", s, "capture", captureID, "reason", reason)
	l.idle.Store(s == session.Idle)
	l.told.stands(wire.State{State: string(s), Capture: captureID, Reason: string(reason)})
	if s == session.Armed {
		select {
		case l.release <- struct{}{}:
		default:
		}
	}
}

// Key passes on how many stars a field shows.
func (l *Line) Key(captureID string, f capture.Field, stars int) {
	l.link.say(wire.Key{Capture: captureID, Field: f.String(), Stars: stars})
}

// Verdict passes on the outcome of a field.
func (l *Line) Verdict(captureID string, v capture.Event) {
	l.link.say(wire.Verdict{Capture: captureID, Field: v.Field.String(), Code: string(v.Code),
		Brand: string(v.Brand), Last4: v.Last4, Length: v.Length, Tries: v.Tries})
}

// Warning passes on what the agent should know.
func (l *Line) Warning(captureID string, c capture.Code) {
	l.link.say(wire.Warning{Capture: captureID, Code: string(c)})
}

// Covered passes on that the caller is replaced by noise on purpose, or no longer.
func (l *Line) Covered(on bool) {
	l.log.Info("the caller is covered", "on", on)
	l.told.covers(wire.Covered{On: on})
}

// Codec passes on whether keys are suspected in time, and what the look-ahead would have to be.
func (l *Line) Codec(needs time.Duration) {
	c := wire.Codec{Code: string(capture.OK)}
	if needs > 0 {
		c = wire.Codec{Code: string(capture.CodecPoor), NeedsLookAheadMS: int(needs.Milliseconds())}
		l.log.Warn("keys are suspected too late for the look-ahead", "code", c.Code, "needs_ms", c.NeedsLookAheadMS)
	} else {
		l.log.Info("keys are suspected in time again")
	}
	l.told.hears(c)
}

// Barred passes on what stands in the way of arming.
func (l *Line) Barred(code capture.Code, on bool) {
	l.log.Warn("what stands in the way of taking cards", "code", code, "on", on)
	if code == capture.Bypassed {
		l.bypassed.Store(on)
	}
	l.told.bar(wire.Bar{Code: string(code), On: on})
}

// records passes on how calls are recorded.
func (l *Line) records(c recording.Code) { l.told.records(wire.Recording{Code: string(c)}) }

// Asked passes on what the agent asks for by keys. What is about a card is done once flattoned says so: whatever arms a line is in the audit log
// first, and what a card is kept under is flattoned's.
func (l *Line) Asked(a session.Ask) {
	l.log.Info("the agent asks by keys", "for", a)
	switch a {
	case session.AskAnswer, session.AskHangUp:
		select {
		case l.phones.asked <- a:
		default:
		}
	default:
		l.link.say(wire.Asked{For: string(a)})
	}
}

// HandOver sends a finished card. The session keeps it until it is answered.
func (l *Line) HandOver(h session.HandOver, card *secret.Card) {
	l.link.hand(wire.Card{Capture: h.Capture, Profile: h.Profile, Brand: string(h.Brand), Last4: h.Last4,
		ExpiryMonth: h.ExpiryMonth, ExpiryYear: h.ExpiryYear}, card)
}

// connected hands over again what flattoned may have missed.
func (l *Line) connected() {
	l.session.Reconnected() // fails only while the process ends
}

// heard does what flattoned asks for, and answers.
func (l *Line) heard(m wire.Message) {
	switch m := m.(type) {
	case wire.Arm:
		begin := l.session.Arm
		if wire.IsRehearsal(m.Capture) {
			begin = l.session.Rehearse
		}
		l.answer(m.ID, begin(m.Capture, m.Profile))
	case wire.Cancel:
		l.answer(m.ID, l.cancel(m))
	case wire.Tune:
		l.unasked(m.ID, l.tune(m.ID))
	case wire.Test:
		l.unasked(m.ID, l.test(m))
	case wire.Speak:
		l.answer(m.ID, l.speak(m))
	case wire.Accepted:
		l.accepted(m.Report)
	case wire.MoreTime:
		l.answer(m.ID, l.session.MoreTime())
	case wire.Again:
		l.answer(m.ID, l.again(m.Field))
	case wire.Cover:
		l.answer(m.ID, l.session.Cover(m.On))
	case wire.Acknowledge:
		l.answer(m.ID, l.session.Acknowledge())
	case wire.PickUp:
		l.answer(m.ID, l.phones.ask(modem.Answer))
	case wire.CallOut:
		l.answer(m.ID, l.phones.ask(func(to modem) error { return to.Dial(m.Number) }))
	case wire.HangUp:
		l.answer(m.ID, l.phones.ask(modem.HangUp))
	case wire.CallTold:
		l.answer(m.ID, l.callTold(m.Edge))
	case wire.Stored:
		l.noted(m.Capture, l.session.Stored(m.Capture))
	case wire.NotStored:
		l.noted(m.Capture, l.session.NotStored(m.Capture, m.Final))
	}
}

// again has a field keyed anew.
func (l *Line) again(field string) (err error) {
	var f capture.Field
	if field != "" {
		if f, err = capture.ParseField(field); err != nil {
			return err
		}
	}
	return l.session.Again(f)
}

// cancel ends what there is to be ended.
func (l *Line) cancel(m wire.Cancel) error {
	if m.Test {
		return l.tuning.cut(true)
	}
	why := capture.Cancelled
	if m.Reason != "" {
		why = capture.Code(m.Reason)
	}
	err := l.session.Cancel(why)
	if errors.Is(err, session.ErrTuning) || errors.Is(err, session.ErrTesting) {
		return l.tuning.cut(false)
	}
	return err
}

// unasked answers a command that another goroutine would have answered, if it wasn't asked.
func (l *Line) unasked(id uint64, err error) {
	if err != nil {
		l.answer(id, err)
	}
}

func (l *Line) answer(id uint64, err error) { l.link.say(answer(id, err)) }

func answer(id uint64, err error) wire.Answer {
	a := wire.Answer{ID: id}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

// noted logs an answer that came too late: the session has told the agent of the time-out already.
func (l *Line) noted(captureID string, err error) {
	if err != nil {
		l.log.Warn("an answer about a card came too late", "capture", captureID, "error", err)
	}
}

package main

import (
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// board is what the events so far say of every line: what watch shows.
type board struct {
	lines []*lineNow // in the order in which they were first heard of
	log   []entry
}

// entry is a line of the log: an event in words.
type entry struct {
	at         time.Time
	line, text string
	weight     weight
}

// weight says how an entry is to be shown.
type weight int

const (
	plain weight = iota
	good
	grave
)

// maxLog is how many entries are kept: more than the tallest screen shows.
const maxLog = 200

// maskedTrace is how many meter periods the trace of masking goes back.
const maskedTrace = 40

// lineNow is one line as it is now.
type lineNow struct {
	name, place, scope string
	down               bool
	downReason         string
	inCall             bool
	ringing            bool
	number             string // of who calls
	callSince          time.Time

	state, reason, capture string
	test                   bool     // it is a rehearsal
	needsMS                int      // of look-ahead, while it is codec_poor
	barred                 []string // codes of what stands in the way of arming
	sourceLost             bool
	covered                bool // the caller is, on purpose

	caller, agent           float64
	legs                    control.Legs
	callerInput, agentInput string // what is wrong with how sound comes in
	masked                  []int  // per meter period, the newest last, in permille
	fields                  map[string]*fieldNow

	token, brand, last4 string
	told                []toldNow // in the order in which they were first heard of
}

// toldNow is how far one destination upstream has been told of the capture.
type toldNow struct {
	to, delivery, reason string
}

// fieldNow is what is known of one field of the card.
type fieldNow struct {
	stars        int
	code         string // empty: no verdict yet
	brand, last4 string
}

// quiet is the level of a leg that nothing has been heard of.
const quiet = -90

// line finds a line, or begins one.
func (b *board) line(name string) *lineNow {
	i := slices.IndexFunc(b.lines, func(l *lineNow) bool { return l.name == name })
	if i >= 0 {
		return b.lines[i]
	}
	l := &lineNow{name: name, caller: quiet, agent: quiet, fields: map[string]*fieldNow{}}
	b.lines = append(b.lines, l)
	return l
}

// introduce takes over what a list of lines says and events don't.
func (b *board) introduce(lines []control.Line) {
	for _, in := range lines {
		l := b.line(in.Name)
		l.place, l.scope = in.Place, in.Scope
		l.down, l.downReason = !in.Up, in.Reason
		l.inCall, l.state, l.capture, l.needsMS, l.barred = in.InCall, in.State, in.Capture, in.NeedsLookAheadMS, in.Barred
		l.callerInput, l.agentInput, l.sourceLost, l.covered = in.CallerInput, in.AgentInput, in.SourceLost, in.Covered
		l.ringing, l.number, l.test = in.Ringing, in.Number, in.Test
		if in.Up {
			l.reason, l.downReason = in.Reason, ""
		}
	}
}

// apply brings the board up to date with e.
func (b *board) apply(e control.Event) {
	if e.Line != "" {
		b.line(e.Line).apply(e)
	}
	if e.Kind == control.KindMeters || e.Kind == control.KindKey {
		return // the screen shows it by itself
	}
	if e.Replay && e.Kind != control.KindState && e.Kind != control.KindCall {
		return // the past; but since when there is a call, and the state is what it is, belongs to the present
	}
	b.log = append(b.log, entry{e.Time, e.Line, sentence(e), weigh(e)})
	if e.Replay { // line by line, so that the times go back and forth
		slices.SortStableFunc(b.log, func(x, y entry) int { return x.at.Compare(y.at) })
	}
	if len(b.log) > maxLog {
		b.log = slices.Delete(b.log, 0, len(b.log)-maxLog)
	}
}

func (l *lineNow) apply(e control.Event) {
	if e.Capture != "" && e.Capture != l.capture {
		l.begin(e.Capture)
	}
	switch e.Kind {
	case control.KindState:
		l.state, l.reason, l.test = e.State, e.Reason, e.Test
	case control.KindCodec:
		l.needsMS = e.NeedsLookAheadMS
	case control.KindInput:
		l.hears(e.Leg, e.Code)
	case control.KindBar:
		l.barred = slices.DeleteFunc(slices.Clone(l.barred), func(code string) bool { return code == e.Code })
		if e.On {
			l.barred = append(l.barred, e.Code)
		}
	case control.KindSource:
		l.sourceLost = e.Code != control.CodeOK
	case control.KindCover:
		l.covered = e.On
	case control.KindMeters:
		l.caller, l.agent, l.legs = e.CallerDBm0, e.AgentDBm0, e.Legs
		l.masked = append(l.masked, e.MaskedPermille)
		if len(l.masked) > maskedTrace {
			l.masked = slices.Delete(l.masked, 0, len(l.masked)-maskedTrace)
		}
	case control.KindKey:
		*l.field(e.Field) = fieldNow{stars: e.Stars}
	case control.KindVerdict:
		f := l.field(e.Field)
		f.code, f.brand, f.last4 = e.Code, e.Brand, e.Last4
	case control.KindCall:
		l.inCall = e.Code != control.CallEnded
		l.callSince = e.Time
	case control.KindRing:
		l.ringing, l.number = e.On, e.Number
	case control.KindToken:
		l.token, l.brand, l.last4 = e.Token, e.Brand, e.Last4
	case control.KindDelivery:
		l.tells(toldNow{e.Destination, e.Delivery, e.Reason})
	case control.KindLineUp:
		l.down, l.downReason = false, ""
		l.inCall, l.needsMS, l.barred, l.callerInput, l.agentInput, l.sourceLost = false, 0, nil, "", "", false // told anew
		l.ringing, l.number, l.covered = false, "", false
	case control.KindLineDown:
		l.down, l.downReason = true, e.Reason
		l.caller, l.agent, l.masked, l.legs = quiet, quiet, nil, control.Legs{}
	}
}

// hears notes how sound comes in on a leg.
func (l *lineNow) hears(leg, code string) {
	if code == control.CodeOK {
		code = ""
	}
	if leg == control.LegCaller {
		l.callerInput = code
	} else {
		l.agentInput = code
	}
}

// tells notes how far a destination has been told.
func (l *lineNow) tells(now toldNow) {
	for i, known := range l.told {
		if known.to == now.to {
			l.told[i] = now
			return
		}
	}
	l.told = append(l.told, now)
}

// begin forgets the last capture for a new one.
func (l *lineNow) begin(capture string) {
	l.capture = capture
	clear(l.fields)
	l.token, l.brand, l.last4, l.told = "", "", "", nil
}

func (l *lineNow) field(name string) *fieldNow {
	f := l.fields[name]
	if f == nil {
		f = &fieldNow{}
		l.fields[name] = f
	}
	return f
}

// maskedNow is the share of the last meter period that was masked, in permille.
func (l *lineNow) maskedNow() int {
	if len(l.masked) == 0 {
		return 0
	}
	return l.masked[len(l.masked)-1]
}

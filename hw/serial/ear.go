package serial

import (
	"slices"
	"sync/atomic"

	"github.com/flattone/flattone/hw/serial/at"
	"github.com/flattone/flattone/hw/serial/dle"
)

// news is what a modem tells of, asked or not.
type news uint8

const (
	nothing    news = iota
	rings           // a call comes in
	calls           // by a number
	begins          // a call is active
	ends            // it is over, or was never one
	dials           // the line waits for a number: a call is over, if it isn't only to begin
	keyed           // a key is heard
	lists           // a format of sound that it knows
	exists          // there is a call, says the answer to Profile.Calls
	soundEnded      // a voice modem is back at commands
)

// said is what is known of a line that a modem said, or of a code: no line itself leaves the ear, since it may say which key was heard.
type said struct {
	news   news
	result at.Result
	number string     // of calls
	format dle.Format // of lists
}

// ear makes sense of what comes by the port for commands.
//
//	          PCM                        Voice            CONNECT
//	bytes ──▶ lines                      bytes ──▶ lines ──────────▶ sound      codes, in between everywhere
//	                                               lines ◀────────── sound
//	                                                      DLE ETX
type ear struct {
	says  *Says
	tell  func(said)
	lines at.Scanner

	came atomic.Int64 // bytes

	// Of a voice modem.
	sound    *sound      // nil of others
	sounding atomic.Bool // control ends it too, when the modem doesn't
	codes    dle.Decoder
	data     [readBytes + 1]byte
	skip     bool // CONNECT ends with two bytes, and the line with the first of them
	held     bool // a key is told of again and again while it is held
}

// hear takes what came.
func (e *ear) hear(b []byte) {
	e.came.Add(int64(len(b)))
	if e.sound == nil {
		e.scan(b)
		return
	}
	for len(b) > 0 {
		n, used, code := e.codes.Decode(e.data[:], b)
		b = b[used:]
		e.divide(e.data[:n])
		if code != 0 {
			e.code(code)
		}
	}
}

// divide takes data, which are lines or sound.
func (e *ear) divide(b []byte) {
	for len(b) > 0 {
		if e.sounding.Load() {
			if e.skip && b[0] == '\n' {
				b = b[1:]
			}
			e.skip = false
			e.sound.bytes(b)
			return
		}
		b = b[e.scan(b):]
	}
}

// scan takes bytes of lines, to their end or to a CONNECT.
func (e *ear) scan(b []byte) (used int) {
	for used < len(b) {
		n, line := e.lines.Next(b[used:])
		used += n
		if line == nil || e.lines.Overlong() {
			continue
		}
		said := e.understand(line)
		if e.sound != nil && said.result == at.Connect {
			e.skip = true
			e.sounding.Store(true)
			e.sound.port.hush(false)
			e.tell(said)
			return used
		}
		if said.news != nothing || said.result != at.None {
			e.tell(said)
		}
	}
	return used
}

func (e *ear) understand(line []byte) (s said) {
	is := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return at.Match(line, p) })
	}
	s.result = at.Parse(line)
	switch {
	case is(e.says.Key):
		s.news = keyed
	case is(e.says.Ended) || s.result >= at.NoCarrier:
		s.news = ends
	case is(e.says.Began):
		s.news = begins
	case is(e.says.Active):
		s.news = exists
	case is(e.says.Ring):
		s.news = rings
	default:
		for _, p := range e.says.CallerID {
			if number, ok := at.Capture(line, p); ok {
				return said{news: calls, number: string(number[:min(len(number), longestNumber)])}
			}
		}
		if f, err := dle.ParseFormat(line); e.sound != nil && err == nil {
			return said{news: lists, format: f}
		}
	}
	return s
}

// longestNumber is longer than any telephone's.
const longestNumber = 40

// code takes a code of a voice modem's.
func (e *ear) code(c dle.Code) {
	switch c.Class() {
	case dle.Key:
		if c != '~' && !e.held {
			e.tell(said{news: keyed})
		}
		e.held = c == '/' || c != '~' && e.held
	case dle.Ring:
		e.tell(said{news: rings})
	case dle.Busy, dle.Gone:
		e.tell(said{news: ends})
	case dle.DialTone:
		e.tell(said{news: dials})
	case dle.End:
		e.sounding.Store(false)
		e.sound.port.hush(true)
		e.held = false
		e.lines.Wipe()
		e.tell(said{news: soundEnded})
	}
}

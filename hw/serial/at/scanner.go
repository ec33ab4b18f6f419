// Package at reads what a modem says at its port for commands: lines, whether one ends a command (ITU-T V.250, 3GPP TS 27.007), and what a line tells of,
// by patterns, of which profiles are made.
//
// It is pure: nothing is read from a port, written, timed or allocated, and any bytes may come in any cut: noise, half a line, no end of a line for ever.
// A line may say which key a modem heard. So no byte of a line is copied, nor kept once the next one begins; [Scanner.Wipe] forgets it before.
package at

import "bytes"

// MaxLine is how long a line may be: more than twice what modules answer at most (calls with names, lists of formats).
const MaxLine = 512

// Scanner finds lines. Its zero value is ready.
//
//	 ┌── byte ──┐               the 513th: the line, cut
//	 ▼          │
//	line ───────┴──────────────────────────────────────▶ over, until the end of the line
//	 ▲          │ end: the line, if there is any                         │
//	 └──────────┴────────────────────────────────────────────────────────┘
type Scanner struct {
	line [MaxLine]byte
	n    int
	over bool // what is too much of a line passes by
	told bool // the line has been told, and goes when more comes
}

// Next takes bytes until a line is whole. It answers how many it took, and the line without its end, valid until the next call; or nil, having taken
// all, if none is whole.
//
// CR and LF end a line, in any mix. Blanks around a line don't count, nor do bytes in it that aren't printable ASCII, and of nothing else there is no
// line. One longer than MaxLine is told as soon as it is, cut, so that an endless one is noticed; what follows is dropped until its end.
func (s *Scanner) Next(p []byte) (used int, line []byte) {
	if s.told {
		clear(s.line[:s.n])
		s.n, s.told = 0, false
	}
	for i, b := range p {
		switch {
		case b == '\r' || b == '\n':
			s.over = false
			if line := bytes.TrimRight(s.line[:s.n], " "); len(line) > 0 {
				s.told = true
				return i + 1, line
			}
		case s.over || b < ' ' || b > '~' || b == ' ' && s.n == 0:
		case s.n == MaxLine:
			s.told, s.over = true, true
			return i + 1, s.line[:]
		default:
			s.line[s.n] = b
			s.n++
		}
	}
	return len(p), nil
}

// Overlong reports whether the line just told was cut.
func (s *Scanner) Overlong() bool { return s.over }

// Wipe forgets what has come. The next byte begins a line.
func (s *Scanner) Wipe() { *s = Scanner{} }

package modem

import (
	"regexp"
	"strings"
	"time"
)

// lineLimit is how long a command line may be. V.250 5.2 has every modem take 40 characters, and better ones more.
const lineLimit = 80

// answersAfter is how long a command takes.
const answersAfter = 5 * time.Millisecond

// line is the command line that is being typed.
type line struct {
	typed []byte
	busy  bool // with the one before
	// answered is how many were. Before every third answer the modem tells something that nobody asked for.
	answered int
}

// result is how a command ends.
type result string

const (
	done    result = "OK"
	refused result = "ERROR"
	// told is that of a command that has answered by itself, or will.
	told result = ""
)

// typed takes what was typed. Only a carriage return ends a line (V.250 5.2): one that has anything else in it that isn't
// printed is refused. mu is held.
func (m *Modem) typed(p []byte) {
	if m.booting {
		return
	}
	for i, b := range p {
		if m.settings.echo {
			m.send(AT, p[i:i+1])
		}
		if b != '\r' {
			m.line.typed = append(m.line.typed, b)
			continue
		}
		text := string(m.line.typed)
		m.line.typed = m.line.typed[:0]
		m.enter(text)
	}
}

var digit = regexp.MustCompile(`[0-9]`)

// enter carries out a line. mu is held.
func (m *Modem) enter(text string) {
	logged := text
	if strings.HasPrefix(strings.ToUpper(text), "ATD") {
		logged = digit.ReplaceAllString(text, "#")
	}
	m.log = append(m.log, logged)
	if m.faults.mute || m.faults.garbage {
		m.say("what?")
		return
	}
	commands, ok := split(text)
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }):
		m.blame("a line has characters in it that aren't printed")
		m.say(string(refused))
	case len(text) > lineLimit:
		m.blame("a line is too long")
		m.say(string(refused))
	case !ok:
		m.say(string(refused))
	case m.line.busy:
		m.blame("a command came before the one before was answered")
		m.say(string(refused))
	default:
		m.line.busy = true
		m.after(answersAfter, func() { m.carryOut(commands) })
	}
}

// carryOut carries out a line's commands up to the first that fails. mu is held.
func (m *Modem) carryOut(commands []string) {
	r := done
	for _, c := range commands {
		r = refused
		if !m.faults.refuse(c) {
			r = m.do(c)
		}
		if r != done {
			break
		}
	}
	m.answer(r)
}

// answer ends a line. mu is held.
func (m *Modem) answer(r result) {
	if r == told {
		return
	}
	m.line.busy = false
	m.line.answered++
	if chatter := m.family.chatter(); chatter != "" && m.line.answered%3 == 0 {
		m.say(chatter)
	}
	if r == refused && m.spec.Kind != V253 {
		switch m.settings.errors {
		case 1:
			r = "+CME ERROR: 3"
		case 2:
			r = "+CME ERROR: operation not allowed"
		}
	}
	m.say(string(r))
}

// say sends lines. mu is held.
func (m *Modem) say(lines ...string) {
	for _, l := range lines {
		switch {
		case m.faults.mute:
		case m.faults.garbage:
			m.send(AT, noise(16))
		default:
			m.send(AT, []byte("\r\n"+l+"\r\n"))
		}
	}
}

// split takes a line apart (V.250 5.2): AT, in one case; then commands of a letter, alone or after an ampersand, and a number; those that begin with + or the
// like, up to a semicolon; and D, which takes the rest.
func split(text string) (commands []string, ok bool) {
	rest, ok := strings.CutPrefix(text, "AT")
	if !ok {
		if rest, ok = strings.CutPrefix(text, "at"); !ok {
			return nil, false
		}
		rest = strings.ToUpper(rest)
	}
	for rest != "" {
		var c string
		switch first := rest[0]; {
		case first == 'D':
			c, rest = rest, ""
		case strings.IndexByte("+^$", first) >= 0:
			c, rest, _ = strings.Cut(rest, ";")
		default:
			n := len(basic.FindString(rest))
			if n == 0 {
				return nil, false
			}
			c, rest = rest[:n], rest[n:]
		}
		commands = append(commands, c)
	}
	return commands, true
}

// basic is a command of a letter, or one about an S-register.
var basic = regexp.MustCompile(`^(&?[A-CE-RT-Z][0-9]*|S[0-9]+(=[0-9]*|\?))`)

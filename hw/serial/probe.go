package serial

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"

	"github.com/flattone/flattone/hw/owner"
	"github.com/flattone/flattone/hw/serial/at"
)

// Answer is what a modem says to a question.
type Answer struct {
	Ask string
	// Lines are without the question, if that is echoed, and without long numbers: some modems tell theirs. What a modem says meanwhile of its own accord
	// may be among them.
	Lines []string
	// OK is how it ended; else with an error, or not at all, and without Lines.
	OK bool
}

// Bounds on asking a stranger.
const (
	probeBaud = 115200          // what all take, or learn from the first command
	probeTime = 3 * time.Second // and then no more than replyTime, or two for a modem that falls asleep
	replyTime = time.Second
	// greetings is how often AT is tried: the first one may be what a modem learns its speed by, or the end of a half line.
	greetings = 2
	// mostLines of an answer are kept.
	mostLines = 32
)

// Probe asks the modem at a port questions that change nothing, as far as it answers them in time. The error wraps [hw.ErrBusy] if a line has the port.
func Probe(name, lockDir string, questions []string) (answers []Answer, err error) {
	device, err := filepath.EvalSymlinks(name) // a port has several names, and one owner
	if err != nil {
		return nil, fmt.Errorf("serial: %w: check the port's name and cable", err)
	}
	owned, err := owner.Take(lockDir, "serial", device)
	if err != nil {
		return nil, err
	}
	defer owned.Close()
	c, err := dial(name, probeBaud)
	if err != nil {
		return nil, err
	}
	p := newPort(name, c)
	defer func() { err = errors.Join(err, p.close()) }()
	return probe(p, questions)
}

func probe(p *port, questions []string) (answers []Answer, err error) {
	x, end := examiner{port: p}, time.Now().Add(probeTime)
	if err := x.wake(); err != nil {
		return nil, err
	}
	for _, q := range questions {
		if !time.Now().Before(end) {
			break
		}
		a, ended, err := x.ask(q)
		if err == nil && !ended && time.Now().Before(end) {
			err = x.wake() // so that what comes late is nobody else's answer
		}
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// examiner asks one question after the other.
type examiner struct {
	port  *port
	lines at.Scanner
	buf   [256]byte
	heard bool // anything at all
}

// wake has the modem listen, with nothing left to say.
func (x *examiner) wake() error {
	for range greetings {
		a, _, err := x.ask("AT")
		if err != nil {
			return err
		}
		if a.OK {
			return x.settle()
		}
	}
	if x.heard {
		return fmt.Errorf("serial: %s: what comes there is no answer to AT: it is another of the modem's ports, or runs at another speed than %d baud", x.port.name, probeBaud)
	}
	return fmt.Errorf("serial: %s: nobody answers there at %d baud: try the modem's other ports, and see whether it is switched on", x.port.name, probeBaud)
}

// settle waits until nothing comes any more: it may be that AT was answered by what an earlier question was.
func (x *examiner) settle() error {
	for late := time.Now().Add(replyTime); time.Now().Before(late); {
		if n, err := x.port.read(x.buf[:]); n == 0 || err != nil {
			return err
		}
	}
	return nil
}

// ask asks, and waits for the end of the answer, or until it is late.
func (x *examiner) ask(question string) (a Answer, ended bool, err error) {
	x.port.send([]byte(question + "\r"))
	a.Ask = question
	for late := time.Now().Add(replyTime); !ended && time.Now().Before(late); {
		n, err := x.port.read(x.buf[:])
		if err != nil {
			return a, false, err
		}
		x.heard = x.heard || n > 0
		for rest := x.buf[:n]; len(rest) > 0; {
			used, line := x.lines.Next(rest)
			rest = rest[used:]
			if line != nil {
				ended = a.take(line) || ended
			}
		}
	}
	if !a.OK {
		a.Lines = nil
	}
	return a, ended, nil
}

// longNumber is one that may be a subscriber's, or the device's own.
var longNumber = regexp.MustCompile(`[0-9]{10,}`)

// take is a line of the answer, and reports whether it was the last.
func (a *Answer) take(line []byte) (ended bool) {
	switch result := at.Parse(line); {
	case result != at.None:
		a.OK = result == at.OK
		return true
	case string(line) != a.Ask && len(a.Lines) < mostLines:
		a.Lines = append(a.Lines, longNumber.ReplaceAllString(string(line), "#"))
	}
	return false
}

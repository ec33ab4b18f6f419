package lines

import (
	"bytes"
	"log/slog"
	"time"
)

// Bounds on what a process may put into the log. PortAudio with a lost device writes 170 000 lines a second.
const (
	longestLine    = 2048 // bytes; the rest of the line is left out
	linesPerSecond = 50
)

// output logs what a process writes, a record a line. One goroutine writes at a time, as exec.Cmd does.
type output struct {
	log     *slog.Logger
	line    []byte // of the line under way, at most longestLine and a byte more
	second  time.Time
	logged  int // in this second
	leftOut int
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		part, after, ended := bytes.Cut(rest, []byte("\n"))
		o.line = append(o.line, part[:min(len(part), longestLine+1-len(o.line))]...)
		if ended {
			o.end()
		}
		rest = after
	}
	return len(p), nil
}

// end logs the line under way.
func (o *output) end() {
	text := o.line
	o.line = o.line[:0]
	if now := time.Now(); now.Sub(o.second) >= time.Second {
		o.report()
		o.second, o.logged = now, 0
	}
	if o.logged == linesPerSecond {
		o.leftOut++
		return
	}
	o.logged++
	if len(text) > longestLine {
		o.log.Info("the line's process says", "text", string(text[:longestLine]), "cut", true)
		return
	}
	o.log.Info("the line's process says", "text", string(text))
}

// report says how much was left out.
func (o *output) report() {
	if o.leftOut > 0 {
		o.log.Warn("the line's process says too much", "lines_left_out", o.leftOut)
		o.leftOut = 0
	}
}

// close logs what is still held back.
func (o *output) close() {
	if len(o.line) > 0 {
		o.end()
	}
	o.report()
}

package serial

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/hw/serial/at"
	"github.com/flattone/flattone/hw/serial/dle"
)

// fault is what is wrong with a modem: a Code, and what to say of it.
type fault struct{ code, text string }

func (f *fault) Error() string { return f.text }

func faultOf(err error) *fault {
	var f *fault
	errors.As(err, &f)
	return f
}

// errOver ends a command that is to begin a call: there is none.
var errOver = errors.New("the call is over")

// do gives the modem commands, each after the other is done. Those that it may refuse it may.
func (c *control) do(commands []string, within time.Duration) error {
	for _, command := range commands {
		err := c.command(command, within)
		if f := faultOf(err); f != nil && f.code == Refuses && slices.Contains(c.Optional, command) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// command gives the modem a command as a profile has it.
func (c *control) command(command string, within time.Duration) error {
	shown := command
	switch {
	case strings.Contains(command, "+VSM=?"):
		c.formats = c.formats[:0]
	case strings.Contains(command, "%s"):
		f, ok := dle.Best(c.formats)
		if !ok {
			return &fault{Refuses, fmt.Sprintf("it has no format of sound for %q: its answer to AT+VSM=? has none that is linear or G.711 at 8000 Hz", command)}
		}
		c.sound.coding.Store(int32(f.Coding))
		command = strings.Replace(command, "%s", strconv.Itoa(f.ID), 1)
	}
	_, err := c.exchange(command, shown, within, at.Connect)
	return err
}

// begin gives the modem the command that is to begin a call.
func (c *control) begin(command, shown string, within time.Duration) error {
	r, err := c.exchange(command, shown, within, at.NoCarrier, at.Busy, at.NoAnswer, at.NoDialtone)
	if err == nil && r != at.OK {
		return errOver
	}
	return err
}

// codes are how profiles write what a voice modem is told within its sound. Such a command has no end of a line.
var codes = strings.NewReplacer("<DLE>", "\x10", "<ETX>", "\x03", "<CAN>", "\x18")

// exchange gives the modem a command, which is shown as in an error, and waits for its result: OK, ERROR, or one of those named; others are of something
// else. Who takes long is told of before the time is up.
func (c *control) exchange(command, shown string, within time.Duration, results ...at.Result) (at.Result, error) {
	line := codes.Replace(command)
	if line == command {
		line += "\r"
	}
	silent := &fault{Silent, fmt.Sprintf("%s isn't answered: check that this is the port for commands, and its speed", strconv.Quote(shown))}
	if !c.port.send([]byte(line)) {
		return at.None, silent
	}
	c.result = at.None
	late := time.NewTimer(min(patience, within))
	if within == dialTime {
		late.Reset(within)
	}
	defer late.Stop()
	for began := time.Now(); ; {
		select {
		case s := <-c.news:
			c.hear(s)
		case <-late.C:
			left := within - time.Since(began)
			if left <= 0 {
				return at.None, silent
			}
			c.broken(silent)
			late.Reset(left)
		case <-c.ctx.Done():
			return at.None, c.ctx.Err()
		}
		switch c.result {
		case at.None:
			continue
		case at.OK:
			c.checked = time.Now()
			return c.result, nil
		case at.Error:
			c.checked = time.Now()
			return c.result, &fault{Refuses, fmt.Sprintf("%s is refused: another profile may fit this modem, or another firmware", strconv.Quote(shown))}
		}
		if slices.Contains(results, c.result) {
			return c.result, nil
		}
		c.result = at.None
	}
}

package session

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/capture"
)

// Bar says that something about the line itself stands in the way of taking cards on it, under a code, or that it no longer does. While
// anything does, the line can't be armed; a capture that is under way when it begins is void, and the line held; a test ends. A complete card isn't
// touched.
func (s *Session) Bar(code capture.Code, on bool) error {
	return s.do(func() { s.call.bar(code, on) })
}

func (c *call) bar(code capture.Code, on bool) {
	if c.bars[code] == on {
		return
	}
	if on {
		c.bars[code] = true
	} else {
		delete(c.bars, code)
	}
	c.deps.Observer.Barred(code, on)
	defer c.rewire()
	switch {
	case on && c.capturing():
		c.hold(code) // masked and told, even where the mark can't be written
	case on && c.state == Testing:
		c.enter(Idle, "")
	}
}

// barred is why the line can't be armed, nil if nothing stands in the way.
func (c *call) barred() error {
	if len(c.bars) == 0 {
		return nil
	}
	var codes []string
	for _, code := range slices.Sorted(maps.Keys(c.bars)) {
		codes = append(codes, string(code))
	}
	return fmt.Errorf("%w: %s", ErrBarred, strings.Join(codes, ", "))
}

package session

import (
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/hw"
)

// rewire makes the line a wire, or no longer, where the owner chose so for one that fails while it is idle, and says so.
//
//	idle ── its self-test failed ──▶ wired: bypassed ── one passes, or the line is held ──▶ not
//	idle ── its path broke ────────▶ wired: bypassed, line_broken ── a call begins or ends ──▶ the session ends, without a mark: its successor is whole
//
// A path that broke is a wire by itself, or it isn't, for it may have been armed by then: what it says counts.
func (c *call) rewire() {
	broke := c.deps.Path.Broken()
	failed := broke && c.deps.Path.Grade() <= mask.Idle || !broke && c.bars[capture.SelfTestFailed]
	wired := c.cfg.Wire && c.state == Idle && failed
	if wired == c.wired {
		return
	}
	c.wired = wired
	switch {
	case wired:
		c.deps.Path.SetGrade(mask.Pass)
	case c.state == Idle:
		c.deps.Path.SetGrade(mask.Idle)
	}
	if broke {
		c.bar(capture.LineBroken, true)
	}
	c.bar(capture.Bypassed, wired)
}

// leaveWire ends the session of a line whose path broke, where a call begins or ends: then a new process disturbs least.
func (c *call) leaveWire(e hw.EdgeKind) bool {
	c.broken = c.wired && c.deps.Path.Broken() && (e == hw.CallBegan || e == hw.CallEnded)
	return c.broken
}

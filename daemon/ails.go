package daemon

import (
	"maps"
	"slices"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// ails are what is wrong with a line by what is known of it, and what there is to say besides. It is all a line's process has told of, and so ends
// with it.
func ails(l control.Line) map[health.Code]string {
	wrong := map[health.Code]string{}
	if l.State == control.StateHeld && l.Reason != "" {
		wrong[health.Code(l.Reason)] = ""
	}
	for _, code := range l.Barred {
		wrong[health.Code(code)] = ""
	}
	for _, input := range []struct{ leg, code string }{{control.LegCaller, l.CallerInput}, {control.LegAgent, l.AgentInput}} {
		code := health.Code(input.code)
		switch also, twice := wrong[code]; {
		case code == "":
		case twice:
			wrong[code] = also + " and " + input.leg
		default:
			wrong[code] = input.leg
		}
	}
	if l.NeedsLookAheadMS > 0 {
		wrong[health.CodecPoor] = health.LookAheadNeeded(l.NeedsLookAheadMS)
	}
	if l.NoRealTime {
		wrong[health.NoRealTime] = ""
	}
	if l.SourceLost {
		wrong[health.SourceLost] = l.Calls
	}
	if l.Recorder != "" {
		wrong[health.Code(l.Recorder)] = ""
	}
	return wrong
}

// examine brings the health board up to date with a line's view, if the line is still one of the box's. The caller holds mu.
func (s *switchboard) examine(x *extension) {
	if s.lines[x.name] != x {
		return
	}
	wrong := ails(x.view)
	for _, code := range slices.Sorted(maps.Keys(x.ails)) {
		if _, still := wrong[code]; !still {
			s.health.Clear(code, x.name)
		}
	}
	for _, code := range slices.Sorted(maps.Keys(wrong)) {
		s.health.Set(code, x.name, wrong[code])
	}
	x.ails = wrong
}

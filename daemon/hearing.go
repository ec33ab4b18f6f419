package daemon

import (
	"context"
	"fmt"
	"slices"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

// mostAsks wait to be done; of an agent who asks for more, the rest is left out.
const mostAsks = 4

// serve reads what the line says until the connection or ctx ends. What its agent asks for is done beside it, since the line has to answer.
func (s *switchboard) serve(ctx context.Context, x *extension, c conn, asks chan<- wire.Asked) error {
	defer context.AfterFunc(ctx, func() { c.Close() })()
	for {
		m, card, err := c.Receive()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("hear line %s: %w", x.name, err)
		}
		if say, ok := m.(wire.Card); ok {
			answer := s.seal(ctx, x.name, say, card)
			card.Destroy()
			if err := c.Send(answer); err != nil {
				return fmt.Errorf("answer line %s: %w", x.name, err)
			}
			continue
		}
		if ask, ok := m.(wire.Asked); ok {
			select {
			case asks <- ask:
			default:
				s.log.Warn("an agent asks by keys faster than it can be done", "line", x.name)
			}
			continue
		}
		if say, ok := m.(wire.Tuned); ok {
			if err := s.tuned(ctx, x, c, say); err != nil {
				return err
			}
			continue
		}
		s.hear(x, m)
	}
}

// tuned keeps what came of a tuning, has the line go by it, and tells how it ended.
func (s *switchboard) tuned(ctx context.Context, x *extension, c conn, say wire.Tuned) error {
	e := control.Event{Kind: control.KindTune, Line: x.name, Step: say.Step, Code: say.Code}
	if say.Code == control.CodeOK {
		kept, err := s.reports.keep(ctx, x.name, say.Report)
		switch {
		case err != nil:
			s.log.Error("the report of a tuning can't be kept: the line stays as it was", "line", x.name, "error", err)
			e.Code = control.TuneNotKept
		case !kept.Good():
			e.Code = control.TuneRefused
		}
		if err == nil {
			if err := c.Send(wire.Accepted{Report: kept}); err != nil {
				return fmt.Errorf("tell line %s of its acceptance: %w", x.name, err)
			}
		}
	}
	s.feed.Publish(e)
	return nil
}

// hear notes what a line said and tells the feed.
func (s *switchboard) hear(x *extension, m wire.Message) {
	e := control.Event{Line: x.name}
	s.mu.Lock()
	switch m := m.(type) {
	case wire.State:
		x.view.State, x.view.Capture, x.view.Reason = m.State, m.Capture, m.Reason
		e.Kind, e.State, e.Capture, e.Reason = control.KindState, m.State, m.Capture, m.Reason
	case wire.Meters:
		x.view.CallerDBm0, x.view.AgentDBm0, x.view.MaskedPermille = m.CallerDBm0, m.AgentDBm0, m.MaskedPermille
		x.view.Legs = control.Legs{CallerFloorDBm0: m.CallerFloorDBm0, AgentFloorDBm0: m.AgentFloorDBm0, CallerClipped: m.CallerClipped,
			AgentClipped: m.AgentClipped, ToAgentClipped: m.ToAgentClipped, ToCallerClipped: m.ToCallerClipped}
		e.Kind, e.CallerDBm0, e.AgentDBm0, e.MaskedPermille, e.Legs = control.KindMeters, m.CallerDBm0, m.AgentDBm0, m.MaskedPermille, x.view.Legs
	case wire.Key:
		e.Kind, e.Capture, e.Field, e.Stars = control.KindKey, m.Capture, m.Field, m.Stars
	case wire.Verdict:
		e.Kind, e.Capture, e.Field, e.Code, e.Brand, e.Last4 = control.KindVerdict, m.Capture, m.Field, m.Code, m.Brand, m.Last4
	case wire.Warning:
		e.Kind, e.Capture, e.Code = control.KindWarning, m.Capture, m.Code
	case wire.Codec:
		x.view.NeedsLookAheadMS = m.NeedsLookAheadMS
		e.Kind, e.Code, e.NeedsLookAheadMS = control.KindCodec, m.Code, m.NeedsLookAheadMS
	case wire.Input:
		code := m.Code
		if code == control.CodeOK {
			code = ""
		}
		if m.Leg == control.LegCaller {
			x.view.CallerInput = code
		} else {
			x.view.AgentInput = code
		}
		e.Kind, e.Leg, e.Code = control.KindInput, m.Leg, m.Code
	case wire.Bar:
		x.view.Barred = slices.DeleteFunc(slices.Clone(x.view.Barred), func(code string) bool { return code == m.Code })
		if m.On {
			x.view.Barred = append(x.view.Barred, m.Code)
		}
		e.Kind, e.Code, e.On = control.KindBar, m.Code, m.On
	case wire.Covered:
		x.view.Covered = m.On
		e.Kind, e.On = control.KindCover, m.On
	case wire.Source:
		x.view.SourceLost = m.Code != control.CodeOK
		e.Kind, e.Code = control.KindSource, m.Code
	case wire.Recording:
		x.view.Recorder = m.Code
		if m.Code == control.CodeOK {
			x.view.Recorder = ""
		}
	case wire.Ringing:
		x.view.Ringing, x.view.Number = m.On, m.Number
		e.Kind, e.On, e.Number = control.KindRing, m.On, m.Number
	case wire.Tuning:
		e.Kind, e.Step, e.Done, e.Of = control.KindTune, m.Step, m.Done, m.Of
	case wire.Testing:
		e.Kind, e.Leg, e.Step, e.Done, e.Of, e.Code = control.KindLegTest, m.Leg, m.Step, m.Done, m.Of, m.Code
		e.CallerDBm0, e.AgentDBm0, e.Return = m.CallerDBm0, m.AgentDBm0, control.Return{ReturnDB: m.ReturnDB, ReturnMS: m.ReturnMS}
	case wire.Call:
		x.view.InCall = m.Edge != control.CallEnded
		e.Kind, e.Code = control.KindCall, m.Edge
	case wire.Answer:
		if answer, ok := x.waiting[m.ID]; ok {
			delete(x.waiting, m.ID)
			if m.Error != "" {
				answer <- refusal(x.name, m.Error)
			} else {
				answer <- nil
			}
		}
	}
	known := s.lines[x.name] == x
	x.view.Test, e.Test = isRehearsal(x.view.Capture), isRehearsal(e.Capture)
	s.examine(x)
	s.mu.Unlock()
	switch m := m.(type) {
	case wire.Call: // before anybody hears of it: who is told of a new call must not find it somebody's
		s.bonds.Edge(x.name, m.Edge == control.CallPresumed)
	case wire.State:
		if m.Capture != "" {
			s.bonds.Captures(x.name)
		}
	}
	if e.Kind != "" && known {
		s.feed.Publish(e)
	}
}

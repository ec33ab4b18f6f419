package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/bond"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func twoLines() *config.Config {
	return &config.Config{Lines: []config.Line{
		{Name: "desk-1", Place: config.DeskSide, Idle: config.IdleMask, Shield: config.ShieldRun, LookAhead: 30 * time.Millisecond},
		{Name: "desk-2", Place: config.TrunkSide, Idle: config.IdlePass, Shield: config.ShieldKeys, LookAhead: 40 * time.Millisecond},
	}}
}

// plug is a switchboard in virtual time with an ear on its feed.
type plug struct {
	*switchboard
	t      *testing.T
	ctx    context.Context
	events <-chan control.Event
	board  *health.Board
}

func newPlug(t *testing.T, seal sealer) *plug { return newPlugWith(t, twoLines(), seal, nil) }

func newPlugWith(t *testing.T, cfg *config.Config, seal sealer, reports reports) *plug {
	feed, board := control.NewFeed(), health.NewBoard()
	return &plug{
		switchboard: newSwitchboard(cfg, feed, board, slog.New(slog.DiscardHandler), seal, nil, reports, bond.New(bond.Deps{Random: rand.Reader, Tell: func(bond.Change) {}})),
		t:           t, ctx: t.Context(), events: feed.Subscribe(t.Context()), board: board,
	}
}

// line attaches a line's process. It answers with the process's end of the connection and with what attach
// returns.
func (p *plug) line(name string, pid int) (*wire.Conn, <-chan error) {
	a, b := net.Pipe()
	ended := make(chan error, 1)
	go func() {
		c := wire.NewConn(b, wire.Daemon)
		defer c.Close()
		ended <- p.attach(p.ctx, wire.Hello{Line: name, PID: pid}, c)
	}()
	p.t.Cleanup(func() { a.Close() })
	return wire.NewConn(a, wire.Line), ended
}

func (p *plug) say(c *wire.Conn, m wire.Message) {
	p.t.Helper()
	if err := c.Send(m); err != nil {
		p.t.Fatal(err)
	}
	synctest.Wait()
}

// told are the events since it was last called, without their number and time.
func (p *plug) told() (events []control.Event) {
	synctest.Wait()
	for {
		select {
		case e := <-p.events:
			e.Seq, e.Time = 0, time.Time{}
			events = append(events, e)
		default:
			return events
		}
	}
}

func (p *plug) expect(want ...control.Event) {
	p.t.Helper()
	if got := p.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		p.t.Errorf("the feed tells\n  %+v\nand should tell\n  %+v", got, want)
	}
}

func TestWhatALineSaysBecomesEvents(t *testing.T) {
	const line = "desk-1"
	legs := control.Legs{CallerFloorDBm0: -61, AgentFloorDBm0: -70, CallerClipped: 1, AgentClipped: 2, ToAgentClipped: 3, ToCallerClipped: 4}
	for _, test := range []struct {
		says wire.Message
		told control.Event
		view func(*control.Line)
	}{
		{wire.State{State: "void", Capture: "c", Reason: "cancelled"},
			control.Event{Kind: control.KindState, Line: line, State: control.StateVoid, Capture: "c", Reason: "cancelled"},
			func(v *control.Line) { v.State, v.Capture, v.Reason = "void", "c", "cancelled" }},
		{wire.Meters{CallerDBm0: -20.5, AgentDBm0: -90, MaskedPermille: 1000, CallerFloorDBm0: -61, AgentFloorDBm0: -70, CallerClipped: 1,
			AgentClipped: 2, ToAgentClipped: 3, ToCallerClipped: 4},
			control.Event{Kind: control.KindMeters, Line: line, CallerDBm0: -20.5, AgentDBm0: -90, MaskedPermille: 1000, Legs: legs},
			func(v *control.Line) { v.CallerDBm0, v.AgentDBm0, v.MaskedPermille, v.Legs = -20.5, -90, 1000, legs }},
		{wire.Input{Leg: "caller", Code: "input_dead"}, control.Event{Kind: control.KindInput, Line: line, Leg: control.LegCaller, Code: "input_dead"},
			func(v *control.Line) { v.CallerInput = "input_dead" }},
		{wire.Input{Leg: "agent", Code: "input_clips"}, control.Event{Kind: control.KindInput, Line: line, Leg: control.LegAgent, Code: "input_clips"},
			func(v *control.Line) { v.AgentInput = "input_clips" }},
		{wire.Input{Leg: "agent", Code: "ok"}, control.Event{Kind: control.KindInput, Line: line, Leg: control.LegAgent, Code: control.CodeOK}, nil},
		{wire.Testing{What: wire.TestLoopback, Leg: "agent", Step: "loopback", Done: 1, Of: 5, CallerDBm0: -60, AgentDBm0: -20.5, ReturnDB: -18.5, ReturnMS: 40, Code: wire.TestCut},
			control.Event{Kind: control.KindLegTest, Line: line, Leg: control.LegAgent, Step: control.TestLoopback, Done: 1, Of: 5, CallerDBm0: -60, AgentDBm0: -20.5,
				Return: control.Return{ReturnDB: -18.5, ReturnMS: 40}, Code: control.TestCut}, nil},
		{wire.Key{Capture: "c", Field: "pan", Stars: 3},
			control.Event{Kind: control.KindKey, Line: line, Capture: "c", Field: "pan", Stars: 3}, nil},
		{wire.Verdict{Capture: "c", Field: "pan", Code: "ok", Brand: "visa", Last4: "4242", Length: 16, Tries: 1},
			control.Event{Kind: control.KindVerdict, Line: line, Capture: "c", Field: "pan", Code: "ok", Brand: "visa", Last4: "4242"}, nil},
		{wire.Warning{Capture: "c", Code: "key_waiting"},
			control.Event{Kind: control.KindWarning, Line: line, Capture: "c", Code: "key_waiting"}, nil},
		{wire.Codec{Code: "codec_poor", NeedsLookAheadMS: 40},
			control.Event{Kind: control.KindCodec, Line: line, Code: "codec_poor", NeedsLookAheadMS: 40},
			func(v *control.Line) { v.NeedsLookAheadMS = 40 }},
		{wire.Codec{Code: "ok"}, control.Event{Kind: control.KindCodec, Line: line, Code: control.CodeOK}, nil},
		{wire.Bar{Code: "untuned", On: true}, control.Event{Kind: control.KindBar, Line: line, Code: "untuned", On: true},
			func(v *control.Line) { v.Barred = []string{"untuned"} }},
		{wire.Bar{Code: "untuned"}, control.Event{Kind: control.KindBar, Line: line, Code: "untuned"}, func(v *control.Line) { v.Barred = nil }},
		{wire.Source{Code: "source_lost"}, control.Event{Kind: control.KindSource, Line: line, Code: "source_lost"},
			func(v *control.Line) { v.SourceLost = true }},
		{wire.Source{Code: "ok"}, control.Event{Kind: control.KindSource, Line: line, Code: control.CodeOK}, nil},
		{wire.Recording{Code: "recorder_full"}, control.Event{}, func(v *control.Line) { v.Recorder = "recorder_full" }},
		{wire.Recording{Code: "ok"}, control.Event{}, nil},
		{wire.Ringing{On: true, Number: "+15550100"}, control.Event{Kind: control.KindRing, Line: line, On: true, Number: "+15550100"},
			func(v *control.Line) { v.Ringing, v.Number = true, "+15550100" }},
		{wire.Covered{On: true}, control.Event{Kind: control.KindCover, Line: line, On: true}, func(v *control.Line) { v.Covered = true }},
		{wire.Covered{}, control.Event{Kind: control.KindCover, Line: line}, nil},
		{wire.Ringing{}, control.Event{Kind: control.KindRing, Line: line}, nil},
		{wire.Call{Edge: "call_began"}, control.Event{Kind: control.KindCall, Line: line, Code: control.CallBegan},
			func(v *control.Line) { v.InCall = true }},
		{wire.Call{Edge: "call_joined"}, control.Event{Kind: control.KindCall, Line: line, Code: control.CallJoined},
			func(v *control.Line) { v.InCall = true }},
		{wire.Call{Edge: "call_ended"}, control.Event{Kind: control.KindCall, Line: line, Code: control.CallEnded}, nil},
		{says: wire.Answer{ID: 99, Error: "to nobody"}},
	} {
		t.Run(fmt.Sprintf("%T", test.says), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlug(t, nil)
				c, _ := p.line(line, 7)
				p.expect(control.Event{Kind: control.KindLineUp, Line: line})
				want := p.views()
				p.say(c, test.says)
				if test.told.Kind != "" {
					p.expect(test.told)
				} else {
					p.expect()
				}
				if test.view != nil {
					test.view(&want[0])
				}
				if got := p.views(); fmt.Sprint(got) != fmt.Sprint(want) {
					t.Errorf("the lines are %+v\nand should be %+v", got, want)
				}
			})
		})
	}
}

func TestWhoMayNotAttach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		first, _ := p.line("desk-1", 7)
		p.told()
		for _, test := range []struct{ line, reason, says string }{
			{"desk-9", wire.ReasonLine, `"desk-9" is not in the config`},
			{"desk-1", wire.ReasonBusy, "has a process already (pid 7)"},
		} {
			c, ended := p.line(test.line, 8)
			_, _, err := c.Receive()
			refused, ok := errors.AsType[wire.Refused](err)
			if !ok || refused.Reason != test.reason || !strings.Contains(refused.Detail, test.says) {
				t.Errorf("%s is told %v, want a refusal that says %q", test.line, err, test.says)
			}
			if err := <-ended; !errors.Is(err, refused) {
				t.Errorf("attach ended with %v", err)
			}
		}
		p.expect()
		p.say(first, wire.Call{Edge: "call_began"})
		p.expect(control.Event{Kind: control.KindCall, Line: "desk-1", Code: control.CallBegan})
	})
}

// What a process said holds no longer than the process: whoever comes after it speaks for himself.
func TestLineThatComesBackIsNotWhatItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		if v := p.views()[0]; v.Up || v.State != control.StateHeld || v.Reason != "starting" || v.LookAheadMS != 30 || v.Place != "desk-side" {
			t.Errorf("before its process came the line is %+v", v)
		}
		c, ended := p.line("desk-1", 7)
		for _, m := range []wire.Message{wire.Call{Edge: "call_began"}, wire.State{State: "keying", Capture: "c"},
			wire.Meters{CallerDBm0: -20, AgentDBm0: -20, MaskedPermille: 5}} {
			p.say(c, m)
		}
		if v := p.views()[0]; !v.Up || v.PID != 7 || v.UpSince.IsZero() || !v.InCall || v.State != control.StateKeying {
			t.Errorf("the line is %+v", v)
		}
		p.told()
		c.Close()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "hear line desk-1") {
			t.Errorf("the connection ended with %v", err)
		}
		p.expect(control.Event{Kind: control.KindLineDown, Line: "desk-1", Reason: "process_down"})
		p.exited("desk-1", 3)
		p.exited("desk-9", 3)
		down := p.views()[0]
		if down.Up || down.PID != 0 || !down.UpSince.IsZero() || down.InCall || down.Capture != "" || down.CallerDBm0 != 0 ||
			down.State != control.StateHeld || down.Reason != "process_down" || down.Restarts != 3 || down.Scope == "" {
			t.Errorf("without a process the line is %+v", down)
		}
		c, _ = p.line("desk-1", 8)
		synctest.Wait()
		if v := p.views()[0]; !v.Up || v.PID != 8 || v.InCall || v.State != control.StateHeld || v.Reason != "starting" || v.Restarts != 3 {
			t.Errorf("before it has said how it stands the line is %+v", v)
		}
		p.say(c, wire.State{State: "idle"})
		if v := p.views()[0]; v.State != control.StateIdle || v.Reason != "" {
			t.Errorf("the line is %+v", v)
		}
	})
}

// A line that waits for a device says so on a connection of its own, and comes with another once the device is there. Nothing has failed then; unless its process is gone.
func TestLineThatFindsItsDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		c, ended := p.line("desk-1", 7)
		p.say(c, wire.State{State: "held", Reason: control.DeviceAbsent})
		p.told()
		c.Close()
		<-ended
		p.expect(control.Event{Kind: control.KindLineDown, Line: "desk-1", Reason: "starting"})
		c, ended = p.line("desk-1", 7)
		p.say(c, wire.State{State: "held", Reason: control.DeviceMoved})
		p.told()
		c.Close()
		<-ended
		p.exited("desk-1", 1)
		p.expect(control.Event{Kind: control.KindLineDown, Line: "desk-1", Reason: "starting"},
			control.Event{Kind: control.KindLineDown, Line: "desk-1", Reason: "process_down"})
	})
}

// A line whose process ends before it has said hello is down, and not for ever starting.
func TestLineThatNeverComesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		p.exited("desk-1", 1)
		p.expect(control.Event{Kind: control.KindLineDown, Line: "desk-1", Reason: "process_down"})
		p.exited("desk-1", 2)
		p.expect()
		if v := p.views()[0]; v.Reason != "process_down" || v.Restarts != 2 || v.State != control.StateHeld {
			t.Errorf("the line is %+v", v)
		}
		if err := p.command(p.ctx, "desk-1", arm); !says(err, control.CodeLineDown, "(process_down)") {
			t.Errorf("a command ends with %v", err)
		}
	})
}

func arm(id uint64) wire.Message { return wire.Arm{ID: id, Capture: "c"} }

// says reports whether an error is one that a person is told, of a code. It leaves the line's name to its reader.
func says(err error, code, text string) bool {
	e, ok := errors.AsType[*control.Error](err)
	return ok && e.Code == code && strings.Contains(e.Text, text) && !strings.Contains(e.Text, "desk-") && e.Remedy != ""
}

func TestCommands(t *testing.T) {
	hears := func(do func(*wire.Conn, uint64)) func(*wire.Conn) {
		return func(c *wire.Conn) {
			if m, _, err := c.Receive(); err == nil {
				do(c, m.(wire.Arm).ID)
			}
		}
	}
	for name, test := range map[string]struct {
		line  string
		does  func(*wire.Conn) // nil: no process
		right func(error) bool
		after time.Duration
	}{
		"done": {does: hears(func(c *wire.Conn, id uint64) {
			c.Send(wire.Answer{ID: id + 1, Error: "to somebody else"})
			c.Send(wire.Answer{ID: id})
		}), right: func(err error) bool { return err == nil }},
		"not done": {does: hears(func(c *wire.Conn, id uint64) { c.Send(wire.Answer{ID: id, Error: "the line is busy"}) }),
			right: func(err error) bool {
				return says(err, control.CodeWrongState, "the line is busy")
			}},
		"no such line": {line: "desk-9", right: func(err error) bool {
			e, ok := errors.AsType[*control.Error](err)
			return ok && e.Code == control.CodeUnknownLine && strings.Contains(e.Remedy, "desk-1, desk-2")
		}},
		"no process": {right: func(err error) bool { return says(err, control.CodeLineDown, "(starting)") }},
		"the process dies over it": {does: hears(func(c *wire.Conn, _ uint64) { c.Close() }),
			right: func(err error) bool { return says(err, control.CodeLineDown, "(process_down)") }},
		"the process doesn't read": {does: func(*wire.Conn) {}, after: wire.WriteTimeout,
			right: func(err error) bool { return says(err, control.CodeLineDown, "(process_down)") }},
		"the process doesn't answer": {does: hears(func(*wire.Conn, uint64) {}), after: 8 * time.Second,
			right: func(err error) bool {
				return says(err, control.CodeNoAnswer, "it did not answer in 8 s, and may still do it")
			}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPlug(t, nil)
				if test.does != nil {
					c, _ := p.line("desk-1", 7)
					synctest.Wait()
					go test.does(c)
				}
				if test.line == "" {
					test.line = "desk-1"
				}
				ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
				defer cancel()
				began := time.Now()
				err := p.command(ctx, test.line, arm)
				if !test.right(err) {
					t.Errorf("the command ends with %v", err)
				}
				if took := time.Since(began); took != test.after {
					t.Errorf("it took %v, want %v", took, test.after)
				}
				synctest.Wait()
				p.mu.Lock()
				defer p.mu.Unlock()
				if n := len(p.lines["desk-1"].waiting); n != 0 {
					t.Errorf("%d commands wait for ever", n)
				}
			})
		})
	}
}

// Each command gets its own answer, in whatever order they come.
func TestCommandsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		c, _ := p.line("desk-1", 7)
		synctest.Wait()
		const n = 20
		answered := make(chan error, n)
		for i := range n {
			go func() {
				capture := fmt.Sprint("c", i)
				err := p.command(p.ctx, "desk-1", func(id uint64) wire.Message { return wire.Arm{ID: id, Capture: capture} })
				if !says(err, control.CodeWrongState, capture+" is heard") {
					answered <- fmt.Errorf("command %s got %w", capture, err)
					return
				}
				answered <- nil
			}()
		}
		var heard []wire.Arm
		for range n {
			m, _, err := c.Receive()
			if err != nil {
				t.Fatal(err)
			}
			heard = append(heard, m.(wire.Arm))
		}
		for i := range heard {
			a := heard[n-1-i]
			p.say(c, wire.Answer{ID: a.ID, Error: a.Capture + " is heard"})
		}
		for range n {
			if err := <-answered; err != nil {
				t.Error(err)
			}
		}
	})
}

// A card goes to the sealer and is destroyed after it; the answer goes to the line.
func TestCardIsSealedAnsweredAndDestroyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept *secret.Card
		p := newPlug(t, func(_ context.Context, line string, say wire.Card, card *secret.Card) wire.Message {
			kept = card
			if line != "desk-2" || say.Capture != "c" || card.PAN.Len() != len(visa) {
				t.Error("the sealer gets something else")
			}
			return wire.Stored{Capture: say.Capture, Token: "tok_x"}
		})
		c, ended := p.line("desk-2", 7)
		card := visaCard(t)
		if err := c.SendCard(wire.Card{Capture: "c"}, card); err != nil {
			t.Fatal(err)
		}
		if m, _, err := c.Receive(); err != nil || m != (wire.Stored{Capture: "c", Token: "tok_x"}) {
			t.Errorf("answered with %v, %v", m, err)
		}
		if err := kept.MarshalTo(make([]byte, secret.CardSize)); !errors.Is(err, secret.ErrDestroyed) {
			t.Errorf("the card is still there (%v)", err)
		}
		// A line that is gone when the answer comes: the connection ends, the card is destroyed nevertheless.
		if err := c.SendCard(wire.Card{Capture: "c"}, card); err != nil {
			t.Fatal(err)
		}
		c.Close()
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "answer line desk-2") {
			t.Errorf("the connection ended with %v", err)
		}
		if err := kept.MarshalTo(make([]byte, secret.CardSize)); !errors.Is(err, secret.ErrDestroyed) {
			t.Errorf("the card is still there (%v)", err)
		}
	})
}

func TestEndOfContextEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlug(t, nil)
		var cancel context.CancelFunc
		p.ctx, cancel = context.WithCancel(t.Context())
		_, ended := p.line("desk-1", 7)
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the connection ended with %v", err)
		}
	})
}

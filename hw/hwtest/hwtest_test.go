package hwtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest"
)

// defects are ways to break the contract, each with the promise that it breaks.
var defects = map[string]string{
	"lengths differ":               "turns_are_well_formed",
	"agent first":                  "turns_are_well_formed",
	"speaks too soon":              "turns_are_well_formed",
	"rate changes":                 "rates_are_fixed",
	"stops late":                   "both_sides_stop_within_a_turn",
	"runs when ended":              "nothing_runs_under_an_ended_context",
	"stops with an error":          "the_caller's_side_can_stop_alone",
	"turns after Run":              "the_agent's_side_can_stop_alone",
	"hears a bit wrong":            "what_the_far_ends_say_comes_in",
	"sides are apart":              "what_the_far_ends_say_comes_in",
	"plays a bit wrong":            "what_a_turn_fills_goes_out",
	"plays less":                   "what_a_turn_fills_goes_out",
	"edge a frame late":            "a_call_begins_and_ends_once",
	"ends twice":                   "a_call_begins_and_ends_once",
	"keeps the old edge":           "edges_that_nobody_fetches_hold_nothing_up",
	"closes once":                  "a_line_that_never_ran_closes",
	"leaves a goroutine":           "a_line_that_never_ran_closes",
	"two owners":                   "a_device_has_one_owner",
	"loses without saying":         "a_lost_device_ends_both_sides",
	"is lost for the caller alone": "a_lost_device_ends_both_sides",
}

const variable = "FLATTONE_HWTEST_DEFECT"

// TestFake runs the suite on a line in memory, with a defect if the environment names one.
func TestFake(t *testing.T) {
	hwtest.TestLine(t, hwtest.Suite{Open: func(t *testing.T, m hwtest.Material) hwtest.Rig {
		return newFake(os.Getenv(variable), m).rig()
	}})
}

// TestEachDefectIsFound runs the promise that a defect breaks, in a process of its own since it must fail there.
func TestEachDefectIsFound(t *testing.T) {
	for defect, promise := range defects {
		child := exec.Command(os.Args[0], "-test.run=^TestFake$/^"+promise+"$")
		child.Env = append(os.Environ(), variable+"="+defect)
		if out, err := child.CombinedOutput(); err == nil || !strings.Contains(string(out), "--- FAIL: TestFake/"+promise) {
			t.Errorf("%q passes for %s:\n%s", defect, promise, out)
		}
	}
}

const (
	period = 160
	idle   = 320 // frames before the call
)

// fake is a line in memory: two ports in lock-step, as fast as they go.
type fake struct {
	defect   string
	material hwtest.Material
	edges    chan hw.Edge
	gone     chan struct{} // closed when the device is lost
	toInner  chan struct{}
	toOuter  chan struct{}
	caller   *port
	agent    *port
	closed   bool
}

type port struct {
	f     *fake
	said  []int16
	heard []int16
	pos   int
	after hw.Turn // what is called once more after Run has returned
}

func newFake(defect string, m hwtest.Material) *fake {
	f := &fake{
		defect: defect, material: m, edges: make(chan hw.Edge, 1), gone: make(chan struct{}),
		toInner: make(chan struct{}), toOuter: make(chan struct{}),
	}
	f.caller = &port{f: f, said: append(make([]int16, idle), m.Caller...)}
	f.agent = &port{f: f, said: append(make([]int16, idle), m.Agent...)}
	switch defect {
	case "hears a bit wrong":
		f.caller.said[idle+1000] ^= 1
	case "sides are apart":
		f.agent.said = f.agent.said[1:]
	}
	return f
}

func (f *fake) rig() hwtest.Rig {
	return hwtest.Rig{
		Line:  &hw.Line{Device: "fake", Caller: f.caller, Agent: f.agent, OneClock: true, Calls: f.edges, Close: f.close},
		Plays: true,
		Heard: func(*testing.T) (caller, agent []int16) {
			switch f.defect {
			case "plays a bit wrong":
				f.agent.heard[2000] ^= 1
			case "plays less":
				f.agent.heard = f.agent.heard[:len(f.agent.heard)-3*period]
			}
			return f.caller.heard, f.agent.heard
		},
		Again: func() error {
			if !f.closed && f.defect != "two owners" {
				return hw.ErrBusy
			}
			return nil
		},
		Lose: func(*testing.T) { close(f.gone) },
	}
}

func (f *fake) close() error {
	if f.closed && f.defect == "closes once" {
		return errors.New("closed already")
	}
	if f.defect == "leaves a goroutine" && !f.closed {
		go func() { select {} }()
	}
	if after := f.caller.after; after != nil {
		after.Take(make([]int16, period))
	}
	f.closed = true
	return nil
}

func (p *port) Rate() audio.Rate {
	if p.f.defect == "rate changes" && p.pos > 3*period {
		return audio.Rate16k
	}
	return audio.Rate8k
}

// Run has the agent's turn within the caller's.
func (p *port) Run(ctx context.Context, turn hw.Turn) error {
	f := p.f
	outer := f.caller
	if f.defect == "agent first" {
		outer = f.agent
	}
	if f.defect == "runs when ended" {
		p.play(turn)
		p.play(turn)
	}
	for {
		if p == outer {
			if ctx.Err() != nil {
				return p.stopped(turn)
			}
			p.take(turn)
			if f.defect == "speaks too soon" {
				p.fill(turn)
			}
			if !f.pass(ctx, f.toInner) || !f.await(ctx, f.toOuter) {
				break
			}
			if f.defect != "speaks too soon" {
				p.fill(turn)
			}
			continue
		}
		if !f.await(ctx, f.toInner) {
			break
		}
		if ctx.Err() != nil {
			return p.stopped(turn)
		}
		p.play(turn)
		if !f.pass(ctx, f.toOuter) {
			break
		}
	}
	if ctx.Err() != nil {
		return p.stopped(turn)
	}
	return p.lost()
}

func (f *fake) pass(ctx context.Context, to chan struct{}) bool {
	select {
	case to <- struct{}{}:
		return true
	case <-ctx.Done():
	case <-f.gone:
	}
	return false
}

func (f *fake) await(ctx context.Context, from chan struct{}) bool {
	select {
	case <-from:
		return true
	case <-ctx.Done():
	case <-f.gone:
	}
	return false
}

func (p *port) stopped(turn hw.Turn) error {
	switch p.f.defect {
	case "stops late":
		for range 3 {
			p.play(turn)
		}
	case "stops with an error":
		return context.Canceled
	case "turns after Run":
		p.after = turn
	}
	return nil
}

func (p *port) lost() error {
	switch {
	case p.f.defect == "loses without saying":
		return errors.New("something happened")
	case p.f.defect == "is lost for the caller alone" && p == p.f.agent:
		return nil
	}
	return hw.ErrLost
}

func (p *port) play(turn hw.Turn) {
	p.take(turn)
	p.fill(turn)
}

func (p *port) take(turn hw.Turn) {
	in := make([]int16, period)
	copy(in, p.said[min(p.pos, len(p.said)):])
	if p.f.defect == "lengths differ" {
		in = in[1:]
	}
	turn.Take(in)
}

func (p *port) fill(turn hw.Turn) {
	out := make([]int16, period)
	turn.Fill(out)
	p.heard = append(p.heard, out...)
	from := p.pos
	p.pos += period
	if p != p.f.caller {
		return
	}
	end := idle + len(p.f.material.Caller)
	if from <= idle && idle < p.pos {
		p.f.send(hw.CallBegan, idle)
	}
	if from < end && end <= p.pos {
		p.f.send(hw.CallEnded, end)
	}
	if p.f.defect == "ends twice" && from-period < end && end <= from {
		p.f.send(hw.CallEnded, end)
	}
}

func (f *fake) send(kind hw.EdgeKind, at int) {
	if f.defect == "edge a frame late" {
		at++
	}
	if f.defect == "keeps the old edge" && len(f.edges) == 1 {
		return
	}
	select {
	case <-f.edges:
	default:
	}
	f.edges <- hw.Edge{Kind: kind, At: audio.Position(at)}
}

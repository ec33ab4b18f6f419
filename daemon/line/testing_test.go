//go:build cgo

package line

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/tune"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/serial"
)

// bench is a line of a card's two channels, through PortAudio, whose both sides talk all the time: each hears the other while nothing is tested.
type bench struct {
	*daemon
	cfg  *config.Line
	card *card.Card
	said [2][]int16 // to the caller's side and the agent's
	stop func() error
	id   uint64
	// Frames of the card's: both sides hear each other from since until asked, when a test was asked for, and again once it is over. A busy machine puts
	// them off.
	since, asked, again int
}

// newBench is one that is told of its calls, or where they are presumed; then it may be armed, too.
func newBench(t *testing.T, calls config.Source) *bench {
	b := newBox(t, `idle = "pass"`)
	b.listen()
	const lasts = 100 * 8000
	x := &bench{cfg: &b.cfg.Lines[0], said: [2][]int16{voice(0, lasts), voice(9000, lasts)}}
	x.card = card.New(t, card.Spec{Name: "trunk", Rate: 8000, Channels: 2, Patient: true, In: x.said[:]})[0]
	l := &b.cfg.Lines[0]
	l.Sound, l.Calls.Source = &config.Sound{Caller: "trunk", CallerChannel: 1, Agent: "trunk", AgentChannel: 2}, calls
	x.stop, _ = b.run()
	x.daemon = b.accept()
	if calls == config.SourceAudio {
		hear(x.daemon, func(m wire.Call) bool { return m.Edge == "call_presumed" })
		fingerprint, _ := l.Fingerprint(nil)
		if err := x.Send(wire.Accepted{Report: acceptancetest.Good("desk-1", fingerprint)}); err != nil {
			t.Fatal(err)
		}
		hear(x.daemon, barred(false))
	} else {
		hear(x.daemon, state("idle"))
	}
	x.since = x.soon()
	x.plays(4000)
	return x
}

// tests has a leg tested.
func (x *bench) tests(build func(id uint64) wire.Message) {
	x.t.Helper()
	x.asked = len(x.card.Heard(1))
	x.does(build)
}

// does gives a command, of a number of its own, which the line is to take.
func (x *bench) does(build func(id uint64) wire.Message) {
	x.t.Helper()
	if answer := x.refuses(build); answer != "" {
		x.t.Fatalf("it says %q", answer)
	}
}

func (x *bench) refuses(build func(id uint64) wire.Message) string {
	x.t.Helper()
	x.id++
	return x.ask(x.id, build(x.id))
}

func asksFor(what, leg string, seconds int) func(uint64) wire.Message {
	return func(id uint64) wire.Message {
		return wire.Test{ID: id, What: what, Leg: leg, Hz: 1020, DBm0: -10, Seconds: seconds}
	}
}

func calls(edge string) func(uint64) wire.Message {
	return func(id uint64) wire.Message { return wire.CallTold{ID: id, Edge: edge} }
}

// plays waits until the card has played so many frames more.
func (x *bench) plays(frames int) {
	x.t.Helper()
	until := time.Now().Add(patience)
	for goal := len(x.card.Heard(1)) + frames; len(x.card.Heard(1)) < goal; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			x.t.Fatal("the card stands still")
		}
	}
}

// over waits for a test's end, and for the line to play on for a while.
func (x *bench) over(code string) wire.Testing {
	x.t.Helper()
	m := hear(x.daemon, func(m wire.Testing) bool { return m.Code != "" }).m.(wire.Testing)
	if m.Code != code {
		x.t.Errorf("the test ends with %+v", m)
	}
	x.again = x.soon()
	x.plays(2400)
	return m
}

// soon is the frame at which what the line does now is heard: past what waits in the card, and the look-ahead.
func (x *bench) soon() int { return len(x.card.Heard(1)) + 1200 }

// What lies between a card's input and its output here: two periods of 24 frames, and toward the agent the look-ahead.
const (
	there = 48
	ahead = 240
)

// hears fails unless a side hears the other between two frames of the card's, bit for bit.
func (x *bench) hears(side, from, until int) {
	x.t.Helper()
	late := there + side*ahead
	if got := x.card.Heard(side + 1)[from:until]; !slices.Equal(got, x.said[1-side][from-late:until-late]) {
		x.t.Errorf("side %d doesn't hear the other in frames %d to %d", side, from, until)
	}
}

// silent fails unless a side hears nothing between two frames.
func (x *bench) silent(side, from, until int) {
	x.t.Helper()
	if i := slices.IndexFunc(x.card.Heard(side + 1)[from:until], func(v int16) bool { return v != 0 }); i >= 0 {
		x.t.Errorf("side %d hears something at frame %d of %d to %d", side, from+i, from, until)
	}
}

// find is where a side hears the beginning of a sound, -1 if it doesn't, from a frame on.
func (x *bench) find(side, from int, sound []int16) int {
	heard := x.card.Heard(side + 1)
	for i := from; i+len(sound) <= len(heard); i++ {
		if slices.Equal(heard[i:i+len(sound)], sound) {
			return i
		}
	}
	return -1
}

// sine is the test tone.
func sine(seconds int) []int16 {
	return tone.Append(nil, audio.Rate8k, seconds*8000, 0, tone.Sine{Hz: 1020, DBm0: -10})
}

// A tone goes out on the agent's leg as it is asked for, to the frame, and neither side hears the other; before and after that they do. What comes in on
// both is told.
func TestATonesFrames(t *testing.T) {
	x := newBench(t, config.SourceAPI)
	x.tests(asksFor("tone", "agent", 2))
	hear(x.daemon, state("testing"))
	m := x.over("ok")
	if m.Step != "tone" || m.Leg != "agent" || m.Done != 2 || m.Of != 2 || math.Abs(m.CallerDBm0-m.AgentDBm0) > 0.2 || m.CallerDBm0 > -8 || m.CallerDBm0 < -14 {
		t.Errorf("it tells %+v", m)
	}
	want := sine(2)
	from := x.find(1, 0, want)
	if from < 0 {
		t.Fatal("another tone is heard, or none")
	}
	sum := 0.0
	for _, v := range x.card.Heard(2)[from : from+len(want)] {
		sum += float64(v) * float64(v)
	}
	if got := audio.DBm0(sum / float64(len(want))); math.Abs(got+10) > 0.1 {
		t.Errorf("the tone has %.2f dBm0", got)
	}
	end := from + len(want)
	x.silent(0, from, end)
	x.hears(0, x.since, x.asked)
	x.hears(1, x.since, x.asked)
	x.hears(0, x.again, x.again+200)
	x.hears(1, x.again, x.again+200)
	if err := x.stop(); err != nil {
		t.Error(err)
	}
}

// A loopback gives the caller what he says half a second later, frame by frame, and the agent hears nothing from its beginning to its end, whatever is
// said or keyed.
func TestALoopbacksFrames(t *testing.T) {
	x := newBench(t, config.SourceAPI)
	x.tests(asksFor("loopback", "caller", 2))
	if m := x.over("ok"); m.Step != "loopback" || m.Done != 2 {
		t.Errorf("it tells %+v", m)
	}
	late := audio.Rate8k.Frames(tune.EchoTime) + there
	heard := x.card.Heard(1)
	from := -1
	for i := late; i+2*8000 < len(heard) && from < 0; i++ { // the loop's first frame is the first of half a second of silence
		if slices.Equal(heard[i+late-there:][:1000], x.said[0][i-there:][:1000]) {
			from = i
		}
	}
	if from < 0 {
		t.Fatal("the caller doesn't hear himself")
	}
	end := from + 2*8000
	if !slices.Equal(heard[from+late-there:end], x.said[0][from-there:end-late]) {
		t.Error("what the caller hears isn't what he said half a second before")
	}
	x.silent(0, from, from+late-there)
	began := x.asked // where the caller stops hearing the agent: a hiss goes before the loop
	for ; heard[began] == x.said[1][began-there]; began++ {
	}
	if hiss := 8000 + 600*8; from-began < hiss {
		t.Errorf("the loop begins at frame %d, %d after it was to be quiet", from, from-began)
	}
	x.silent(1, began, end)
	x.hears(1, x.since, x.asked)
	x.hears(1, x.again, x.again+200)
	if err := x.stop(); err != nil {
		t.Error(err)
	}
}

// A test ends at once when a call begins, when the line is armed, and when it is given up: the tone is cut, each side hears the other again, and the line
// is what it would have been without.
func TestATestEndsAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		calls config.Source
		to    func(id uint64) wire.Message
		state string
	}{
		"a call":       {config.SourceAPI, calls("call_began"), "idle"},
		"arming":       {config.SourceAudio, func(id uint64) wire.Message { return wire.Arm{ID: id, Capture: "cap_a"} }, "armed"},
		"its end":      {config.SourceAPI, func(id uint64) wire.Message { return wire.Cancel{ID: id, Test: true} }, "idle"},
		"flattone's":   {config.SourceAPI, func(id uint64) wire.Message { return wire.Cancel{ID: id} }, "idle"},
		"its shutdown": {config.SourceAudio, func(id uint64) wire.Message { return wire.Cancel{ID: id, Reason: "shutdown"} }, "idle"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newBench(t, test.calls)
			x.does(asksFor("tone", "caller", 60))
			hear(x.daemon, func(m wire.Testing) bool { return m.Done == 1 })
			before := len(x.card.Heard(1))
			x.does(test.to)
			hear(x.daemon, state(test.state))
			x.over("test_cut")
			first := sine(1)[:80]
			from := x.find(0, 0, first)
			if from < 0 {
				t.Fatal("no tone is heard")
			}
			played, end := sine(60), from
			for heard := x.card.Heard(1); end < len(heard) && heard[end] == played[end-from]; end++ {
			}
			if end > before+2*8000 { // a busy machine is late to take the command, not to do it
				t.Errorf("the tone goes on to frame %d, and was to end at %d", end, before)
			}
			x.hears(0, x.again, x.again+200)
			x.silent(1, from, end)
			if err := x.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What can't be tested now, or at all, is refused with the reason, and nothing is heard of it.
func TestWhatIsNotTested(t *testing.T) {
	x := newBench(t, config.SourceAPI)
	says := func(want string, build func(uint64) wire.Message) {
		t.Helper()
		if answer := x.refuses(build); !strings.Contains(answer, want) {
			t.Errorf("it says %q, not %q", answer, want)
		}
	}
	says("a tone or a loopback", asksFor("whistle", "agent", 1))
	says("a tone or a loopback", asksFor("tone", "both", 1))
	says("1 to 60 seconds", asksFor("tone", "agent", 61))
	says("1 to 60 seconds", asksFor("loopback", "agent", 0))
	says("a DTMF tone", func(id uint64) wire.Message {
		return wire.Test{ID: id, What: "tone", Leg: "agent", Hz: 941, DBm0: -10, Seconds: 1}
	})
	says("no leg of the line is being tested", func(id uint64) wire.Message { return wire.Cancel{ID: id, Test: true} })
	x.does(calls("call_began"))
	says("there is a call", asksFor("tone", "agent", 1))
	x.does(calls("call_ended"))
	x.does(asksFor("tone", "agent", 60))
	says("being tested", asksFor("tone", "agent", 1))
	says("being tested", func(id uint64) wire.Message { return wire.Tune{ID: id} })
	x.does(func(id uint64) wire.Message { return wire.Cancel{ID: id, Test: true} })
	x.over("test_cut")
	x.does(func(id uint64) wire.Message { return wire.Tune{ID: id} })
	says("no leg of the line is being tested", func(id uint64) wire.Message { return wire.Cancel{ID: id, Test: true} }) // which ends no tuning
	says("being tuned", asksFor("tone", "agent", 1))
	if err := x.stop(); err != nil {
		t.Error(err)
	}
	b := newBox(t, "")
	d, stop := b.armed()
	if answer := d.ask(2, asksFor("tone", "agent", 1)(2)); !strings.Contains(answer, "no sound device") {
		t.Errorf("a recorded line says %q", answer)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// Of a modem and a sound card only the card can be tested, and not while it rings: the agent is to hear that.
func TestATestGivesWayToRinging(t *testing.T) {
	made := card.New(t, card.Spec{Name: "other", Rate: 8000, Patient: true})[0]
	x := &office{box: newBox(t, ""), caller: newFakeModem(), agent: newFakeModem()}
	l := &x.cfg.Lines[0]
	l.WAV, l.Sound = config.WAV{}, &config.Sound{Agent: "other", AgentChannel: 1}
	l.CallerModem, l.Calls.Source = &config.Modem{Port: "/dev/caller"}, config.SourceModem
	x.listen()
	line, err := New(x.cfg, "desk-1", x.deps())
	if err != nil {
		t.Fatal(err)
	}
	stop, _ := running(t, line)
	x.d = x.accept()
	if answer := x.d.ask(1, asksFor("loopback", "caller", 1)(1)); !strings.Contains(answer, "caller's side is no sound device") {
		t.Errorf("a modem's side says %q", answer)
	}
	if answer := x.d.ask(2, asksFor("tone", "agent", 60)(2)); answer != "" {
		t.Fatalf("not tested: %s", answer)
	}
	hear(x.d, func(m wire.Testing) bool { return m.Done == 1 })
	x.caller.events <- serial.Event{Kind: serial.Ringing}
	hear(x.d, func(m wire.Testing) bool { return m.Code == "test_cut" })
	if answer := x.d.ask(3, asksFor("tone", "agent", 1)(3)); !strings.Contains(answer, "there is a call") {
		t.Errorf("while it rings it says %q", answer)
	}
	time.Sleep(1500 * time.Millisecond) // its second is whole
	ring := tone.Append(nil, audio.Rate8k, 400*8, 80, tone.Sine{Hz: 400, DBm0: ringDBm0}, tone.Sine{Hz: 450, DBm0: ringDBm0})
	b := &bench{daemon: x.d, card: made}
	if b.find(0, 0, ring) < 0 {
		t.Error("the agent doesn't hear it ring")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

package line

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/serial"
)

// fakeModem has sound at the machine's pace, 20 ms at a time, and tells what the test wants told, at once and in any order, which a real one can't be
// made to.
type fakeModem struct {
	events chan serial.Event
	asked  chan string
	pulled chan struct{}

	mu      sync.Mutex
	refuses error // what it is asked
	says    []int16
	heard   []int16
}

const modemFrame = 160

func newFakeModem() *fakeModem {
	return &fakeModem{events: make(chan serial.Event, 16), asked: make(chan string, 16), pulled: make(chan struct{})}
}

func (m *fakeModem) Rate() audio.Rate            { return serial.Rate }
func (m *fakeModem) Events() <-chan serial.Event { return m.events }
func (m *fakeModem) Answer() error               { return m.ask("answer") }
func (m *fakeModem) Dial(number string) error    { return m.ask("dial " + number) }
func (m *fakeModem) HangUp() error               { return m.ask("hang up") }
func (m *fakeModem) Close() error                { return nil }

func (m *fakeModem) refuse(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuses = why
}

func (m *fakeModem) ask(what string) error {
	m.asked <- what
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refuses
}

func (m *fakeModem) Run(ctx context.Context, turn hw.Turn) error {
	for next := time.Now(); ; {
		next = next.Add(serial.Rate.Duration(modemFrame))
		select {
		case <-ctx.Done():
			return nil
		case <-m.pulled:
			return fmt.Errorf("the modem was pulled out: %w", hw.ErrLost)
		case <-time.After(time.Until(next)):
		}
		m.period(turn)
	}
}

func (m *fakeModem) period(turn hw.Turn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var in, out [modemFrame]int16
	m.says = m.says[copy(in[:], m.says):]
	turn.Take(in[:])
	turn.Fill(out[:])
	m.heard = append(m.heard, out[:]...)
}

func (m *fakeModem) say(x []int16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.says = append(m.says, x...)
}

// loudest is the loudest frame that it has been given since it was asked last.
func (m *fakeModem) loudest() (loudest int16) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.heard != nil {
		loudest = slices.Max(m.heard)
	}
	m.heard = nil
	return loudest
}

func (m *fakeModem) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-m.asked:
		if got != want {
			t.Errorf("the modem is asked to %s, not to %s", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("nobody asks the modem to %s", want)
	}
}

// office is a box whose line is made of two modems, and runs.
type office struct {
	*box
	d             *daemon
	caller, agent *fakeModem
	ended         <-chan error
	stop          func() error
}

func newOffice(t *testing.T) *office {
	t.Helper()
	x := &office{box: newBox(t, ""), caller: newFakeModem(), agent: newFakeModem()}
	l := &x.cfg.Lines[0]
	l.WAV, l.CallerModem, l.AgentModem = config.WAV{}, &config.Modem{Port: "/dev/caller"}, &config.Modem{Port: "/dev/agent"}
	l.Calls.Source = config.SourceModem
	l.AgentKeys = config.AgentKeys{Answer: "*5", HangUp: "*#9"}
	x.listen()
	made, err := New(x.cfg, "desk-1", x.deps())
	if err != nil {
		t.Fatal(err)
	}
	if made.device.Device != "/dev/caller and /dev/agent" || made.device.OneClock {
		t.Errorf("the line is %+v", made.device)
	}
	x.stop, x.ended = running(t, made)
	x.d = x.accept()
	hear(x.d, state("idle"))
	return x
}

func (x *office) deps() Deps {
	return Deps{
		Log:   slog.New(slog.NewTextHandler(&x.log, nil)),
		Today: func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) },
		openModem: func(c serial.Config) (modem, error) {
			return map[string]*fakeModem{"/dev/caller": x.caller, "/dev/agent": x.agent}[c.Port], nil
		},
	}
}

// inCall has a call begin, and the line armed if it shall be.
func (x *office) inCall(armed bool) {
	x.t.Helper()
	x.caller.events <- serial.Event{Kind: serial.Began}
	hear(x.d, func(m wire.Call) bool { return m.Edge == "call_began" })
	if !armed {
		return
	}
	if answer := x.d.ask(1, wire.Arm{ID: 1, Capture: "cap_a"}); answer != "" {
		x.t.Fatalf("not armed: %s", answer)
	}
}

// A call comes in on the caller's modem: the agent hears it ring, flattoned shows who calls, somebody answers; a card is keyed, and the caller
// hangs up. Nobody's number is in the log.
func TestACallByModem(t *testing.T) {
	const number = "+15550100"
	x := newOffice(t)
	if answer := x.d.ask(1, wire.Arm{ID: 1, Capture: "cap_a"}); !strings.Contains(answer, "no call") {
		t.Errorf("without a call the line answers %q", answer)
	}
	x.caller.events <- serial.Event{Kind: serial.Ringing}
	hear(x.d, func(m wire.Ringing) bool { return m == wire.Ringing{On: true} })
	x.caller.events <- serial.Event{Kind: serial.Ringing, Number: number}
	hear(x.d, func(m wire.Ringing) bool { return m == wire.Ringing{On: true, Number: number} })
	x.agent.loudest()
	time.Sleep(ringMS * time.Millisecond)
	if loudest := x.agent.loudest(); loudest < 500 {
		t.Errorf("the agent hears it ring with %d at the most", loudest)
	}
	if loudest := x.caller.loudest(); loudest != 0 {
		t.Errorf("the caller hears %d", loudest)
	}
	if answer := x.d.ask(2, wire.PickUp{ID: 2}); answer != "" {
		t.Error(answer)
	}
	x.caller.expect(t, "answer")
	x.caller.events <- serial.Event{Kind: serial.Began}
	hear(x.d, func(m wire.Ringing) bool { return m == wire.Ringing{} })
	hear(x.d, func(m wire.Call) bool { return m.Edge == "call_began" })
	if answer := x.d.ask(3, wire.Arm{ID: 3, Capture: "cap_a"}); answer != "" {
		t.Fatal(answer)
	}
	x.caller.say(keyed(visa))
	card := hear(x.d, any[wire.Card])
	if size := card.card[0]; int(size) != len(visa) || string(card.card[1:1+size]) != visa {
		t.Error("another card than was keyed")
	}
	if err := x.d.Send(wire.Stored{Capture: "cap_a"}); err != nil {
		t.Fatal(err)
	}
	hear(x.d, state("done"))
	x.caller.events <- serial.Event{Kind: serial.Ended}
	hear(x.d, func(m wire.Call) bool { return m.Edge == "call_ended" })
	if answer := x.d.ask(4, wire.CallOut{ID: 4, Number: number}); answer != "" {
		t.Error(answer)
	}
	x.caller.expect(t, "dial "+number)
	if answer := x.d.ask(5, wire.HangUp{ID: 5}); answer != "" {
		t.Error(answer)
	}
	x.caller.expect(t, "hang up")
	if err := x.stop(); err != nil {
		t.Error(err)
	}
	if strings.Contains(x.log.String(), number[1:]) {
		t.Error("the number is in the log")
	}
}

// A call that rings and is given up is no call; and a newly connected flattoned is told of one that rings.
func TestACallThatOnlyRings(t *testing.T) {
	x := newOffice(t)
	x.caller.events <- serial.Event{Kind: serial.Ringing, Number: "+15550100"}
	hear(x.d, any[wire.Ringing])
	x.d.hangUp()
	x.d = x.accept()
	hear(x.d, func(m wire.Ringing) bool { return m.On })
	x.caller.events <- serial.Event{Kind: serial.Ended}
	hear(x.d, func(m wire.Ringing) bool { return !m.On })
	x.caller.events <- serial.Event{Kind: serial.Began}
	if m := hear(x.d, any[wire.Call]).m; m != (wire.Call{Edge: "call_began"}) {
		t.Errorf("in between it tells %+v", m)
	}
	x.agent.loudest()
	time.Sleep(ringMS * time.Millisecond)
	if loudest := x.agent.loudest(); loudest > 100 {
		t.Errorf("it rings on with %d", loudest)
	}
}

// The agent takes a call and ends it by keys, and is told why where he can't. Whether flattoned is there makes no difference.
func TestTheAgentAnswersByKeys(t *testing.T) {
	x := newOffice(t)
	x.agent.say(keyed("*5"))
	x.caller.expect(t, "answer")
	hear(x.d, func(m wire.Asked) bool { return m == wire.Asked{For: wire.AskAnswer} })
	x.caller.refuse(errors.New("there is no call"))
	x.agent.say(keyed("*#9"))
	x.caller.expect(t, "hang up")
	hear(x.d, func(m wire.Asked) bool { return m == wire.Asked{For: wire.AskHangUp, Error: "there is no call"} })
	x.d.hangUp()
	x.agent.say(keyed("*5"))
	x.caller.expect(t, "answer")
}

// The agent's own call is taken at once, and its end is that of the caller's.
func TestTheAgentsCall(t *testing.T) {
	x := newOffice(t)
	x.agent.events <- serial.Event{Kind: serial.Ringing}
	x.agent.expect(t, "answer")
	x.agent.events <- serial.Event{Kind: serial.Began}
	x.agent.events <- serial.Event{Kind: serial.Ended} // there is nobody to hang up on
	x.agent.events <- serial.Event{Kind: serial.Ringing}
	x.agent.expect(t, "answer") // so that is over before the caller's call begins
	x.agent.events <- serial.Event{Kind: serial.Began}
	x.inCall(false)
	x.agent.events <- serial.Event{Kind: serial.Ended}
	x.caller.expect(t, "hang up")
	select {
	case asked := <-x.caller.asked:
		t.Errorf("the caller's modem is also asked to %s", asked)
	default:
	}
}

// An agent who calls in anew while a card is taken finds the line without one.
func TestTheAgentCallsInAnew(t *testing.T) {
	x := newOffice(t)
	x.inCall(true)
	hear(x.d, state("armed"))
	x.agent.events <- serial.Event{Kind: serial.Began}
	hear(x.d, func(m wire.State) bool {
		return m == wire.State{State: "void", Capture: "cap_a", Reason: "agent_off_hook"}
	})
}

// Whatever a modem suffers from, on either side, voids the card that is being taken, holds the line, and lets it take no other until it is mended.
func TestAModemThatIsBrokenBarsTheLine(t *testing.T) {
	for _, code := range []string{serial.Silent, serial.Refuses, serial.NoSound, serial.Deaf} {
		for _, side := range []string{"caller", "agent"} {
			t.Run(code+"/"+side, func(t *testing.T) {
				x := newOffice(t)
				broken := map[string]*fakeModem{"caller": x.caller, "agent": x.agent}[side]
				x.inCall(true)
				broken.events <- serial.Event{Kind: serial.Broken, Code: code, Err: errors.New("for a test")}
				hear(x.d, func(m wire.Bar) bool { return m == wire.Bar{Code: code, On: true} })
				hear(x.d, func(m wire.State) bool { return m.State == "void" && m.Reason == code })
				hear(x.d, func(m wire.State) bool { return m.State == "held" && m.Reason == code })
				if side == "caller" && (code == serial.Silent || code == serial.Refuses) {
					hear(x.d, func(m wire.Call) bool { return m.Edge == "call_presumed" })
				}
				broken.events <- serial.Event{Kind: serial.Mended}
				hear(x.d, func(m wire.Bar) bool { return m == wire.Bar{Code: code} })
				x.caller.events <- serial.Event{Kind: serial.Ended}
				x.inCall(true)
			})
		}
	}
}

// What both modems suffer from is over when both are mended; and one that suffers from something else is no longer barred by what was.
func TestBothModemsAreBroken(t *testing.T) {
	x := newOffice(t)
	for _, e := range []struct {
		of   *fakeModem
		told serial.Event
		bars []wire.Bar
	}{
		{x.caller, serial.Event{Kind: serial.Broken, Code: serial.Silent}, []wire.Bar{{Code: serial.Silent, On: true}}},
		{x.agent, serial.Event{Kind: serial.Broken, Code: serial.Silent}, nil},
		{x.caller, serial.Event{Kind: serial.Mended}, nil},
		{x.agent, serial.Event{Kind: serial.Broken, Code: serial.Deaf}, []wire.Bar{{Code: serial.Deaf, On: true}, {Code: serial.Silent}}},
		{x.agent, serial.Event{Kind: serial.Mended}, []wire.Bar{{Code: serial.Deaf}}},
	} {
		e.of.events <- e.told
		for _, want := range e.bars {
			if m := x.d.next().m; m != want {
				t.Errorf("it tells %+v, want %+v", m, want)
			}
		}
		for len(e.of.events) > 0 { // the two modems' events come in no order
			time.Sleep(time.Millisecond)
		}
	}
}

// A key that only the modem heard is missing: the number is keyed again.
func TestAKeyThatOnlyTheModemHeard(t *testing.T) {
	x := newOffice(t)
	x.inCall(true)
	x.caller.say(keyed(visa[:3]))
	hear(x.d, func(m wire.Key) bool { return m.Stars == 3 })
	time.Sleep(1500 * time.Millisecond)
	x.caller.events <- serial.Event{Kind: serial.KeyHeard}
	hear(x.d, func(m wire.Verdict) bool { return m.Code == "unclear_key" })
}

// A line that comes up in the middle of a call is held, until that call is over.
func TestAModemInTheMiddleOfACall(t *testing.T) {
	x := newOffice(t)
	x.caller.events <- serial.Event{Kind: serial.Joined}
	hear(x.d, func(m wire.State) bool { return m.State == "held" && m.Reason == "call_unknown" })
	x.caller.events <- serial.Event{Kind: serial.Ended}
	hear(x.d, state("idle"))
}

// A modem that is pulled out ends the process; the next one waits for it, and says so.
func TestAModemIsPulledOut(t *testing.T) {
	x := newOffice(t)
	x.inCall(true)
	close(x.caller.pulled)
	if err := <-x.ended; !errors.Is(err, hw.ErrLost) {
		t.Errorf("the line ends with %v", err)
	}
	x.d.hangUp()
	there := make(chan struct{})
	deps := x.deps()
	open := deps.openModem
	deps.openModem = func(c serial.Config) (modem, error) {
		select {
		case <-there:
			return open(c)
		default:
			return nil, &fs.PathError{Op: "open", Path: c.Port, Err: fs.ErrNotExist}
		}
	}
	opened := make(chan error, 1)
	go func() {
		l, err := NewOnceThere(context.Background(), x.cfg, "desk-1", deps)
		if l != nil {
			err = errors.Join(err, l.close())
		}
		opened <- err
	}()
	d := x.accept()
	if m := d.next().m; m != (wire.State{State: "held", Reason: "device_absent"}) {
		t.Errorf("it says %+v", m)
	}
	if answer := d.ask(1, wire.PickUp{ID: 1}); !strings.Contains(answer, "it waits for its modem") {
		t.Errorf("asked to answer, it says %q", answer)
	}
	close(there)
	if err := <-opened; err != nil {
		t.Error(err)
	}
}

func TestALineWithoutAModemHasNoTelephone(t *testing.T) {
	b := newBox(t, "")
	d, _ := b.armed()
	for id, m := range []wire.Message{wire.PickUp{ID: 10}, wire.CallOut{ID: 11, Number: "+15550100"}, wire.HangUp{ID: 12}} {
		if answer := d.ask(uint64(10+id), m); !strings.Contains(answer, "is no modem") {
			t.Errorf("to %T it answers %q", m, answer)
		}
	}
}

package line

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
	simulated "github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/serial"
)

// makes are the modems of each kind, with the profile for it.
var makes = map[string]simulated.Spec{
	"quectel-ec25": {Kind: simulated.Quectel}, "simcom-sim7600": {Kind: simulated.SIMCom, LatePCM: true}, "huawei": {Kind: simulated.Huawei},
	"v253": {Kind: simulated.V253, HybridEchoDB: 20},
}

// mobile is an office whose caller's side is a modem at real terminals.
type mobile struct {
	*office
	modem *simulated.Modem
}

func newMobile(t *testing.T, make string) *mobile {
	t.Helper()
	m := &mobile{office: &office{box: newBox(t, ""), agent: newFakeModem()}, modem: simulated.New(t, makes[make])}
	at, sound := m.modem.TTYs()
	l := &m.cfg.Lines[0]
	l.WAV, l.AgentModem, l.Calls.Source = config.WAV{}, &config.Modem{Port: "/dev/agent"}, config.SourceModem
	l.CallerModem = &config.Modem{Name: make, Profile: ours(t)[make], Port: at, SoundPort: sound}
	m.listen()
	return m
}

// deps open the caller's modem as any, and the agent's for the test.
func (m *mobile) deps() Deps {
	return Deps{Log: slog.New(slog.NewTextHandler(&m.log, nil)), Today: func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) },
		openModem: func(c serial.Config) (modem, error) {
			if c.Port == "/dev/agent" {
				return m.agent, nil
			}
			return serial.Open(c)
		}}
}

// run runs the line, which may be armed once there is a call.
func (m *mobile) run() (ended <-chan error, stop func()) {
	m.t.Helper()
	l, err := NewOnceThere(context.Background(), m.cfg, "desk-1", m.deps())
	if err != nil {
		m.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() {
		defer close(ran)
		ran <- l.Run(ctx)
	}()
	m.t.Cleanup(func() {
		cancel()
		<-ran
		if m.t.Failed() {
			m.t.Logf("the line's log:\n%s\nthe modem was told %q", m.log.String(), m.modem.Log())
		}
	})
	m.d = m.accept()
	hear(m.d, any[wire.State])
	return ran, cancel
}

// answered has somebody call, be answered, and the line armed.
func (m *mobile) answered() {
	m.t.Helper()
	m.up()
	m.modem.Ring("5550100")
	hear(m.d, func(w wire.Ringing) bool { return w.On && w.Number == "5550100" })
	if answer := m.d.ask(1, wire.PickUp{ID: 1}); answer != "" {
		m.t.Fatal(answer)
	}
	hear(m.d, func(w wire.Call) bool { return w.Edge == "call_began" })
	if answer := m.d.ask(2, wire.Arm{ID: 2, Capture: "cap_a"}); answer != "" {
		m.t.Fatal(answer)
	}
}

// up waits until the modem was told all that brings it up: some refuse that while they ring.
func (m *mobile) up() {
	m.t.Helper()
	for told, until := 0, time.Now().Add(patience); ; {
		time.Sleep(500 * time.Millisecond)
		now := len(m.modem.Log())
		if now > 2 && now == told {
			return
		}
		if told = now; time.Now().After(until) {
			m.t.Fatalf("the modem doesn't come up: %q", m.modem.Log())
		}
	}
}

// A call through each kind of modem, as its driver, its profile and the line make it: who calls is shown, the card that is keyed is the one that arrives, the
// agent hears none of it, the caller hears the agent, and is gone when he hangs up.
func TestCallsThroughModems(t *testing.T) {
	for make := range makes {
		t.Run(make, func(t *testing.T) {
			m := newMobile(t, make)
			_, stop := m.run()
			m.answered()
			m.agent.loudest()
			m.modem.Say(keyed(visa))
			m.agent.say(spoken())
			card := hear(m.d, any[wire.Card]).card
			if string(card[1:1+card[0]]) != visa {
				t.Error("another card than was keyed")
			}
			if loudest := m.agent.loudest(); loudest > 5000 {
				t.Errorf("the agent hears %d: a key is as loud as that", loudest)
			}
			m.heardTheAgent()
			m.modem.HangUp()
			hear(m.d, func(w wire.Call) bool { return w.Edge == "call_ended" })
			stop()
			if blames := m.modem.Blames(); len(blames) > 0 {
				t.Errorf("against the rules: %v", blames)
			}
		})
	}
}

// An agent's keys come back from a telephone line by the modem's hybrid, 20 dB weaker and some of its frames later: none is the caller's. Those of a
// sequence do what they are for, and any other ends the capture.
func TestTheHybridsEchoIsNoCaller(t *testing.T) {
	m := newMobile(t, "v253")
	m.cfg.Lines[0].AgentKeys.Cancel = "*#0"
	m.run()
	m.answered()
	until := func(want func(wire.Message) bool) {
		t.Helper()
		for {
			s := m.d.next()
			switch s.m.(type) {
			case wire.Key, wire.Card:
				t.Fatalf("the agent's keys come as %T", s.m)
			}
			if want(s.m) {
				return
			}
		}
	}
	m.agent.say(keyed("*#0"))
	until(func(w wire.Message) bool { return w == wire.Asked{For: wire.AskCancel} })
	time.Sleep(time.Second) // the echo of it is over
	m.agent.say(keyed("7"))
	until(func(w wire.Message) bool {
		return w == wire.State{State: "void", Capture: "cap_a", Reason: "legs_swapped_or_coupled"}
	})
	until(func(w wire.Message) bool {
		return w == wire.State{State: "held", Capture: "cap_a", Reason: "legs_swapped_or_coupled"}
	})
}

// Between two modems, the agent's of another kind: he calls the line once, is answered at once, and hears the caller whom he takes then; but no key. When he
// hangs up, so does the line.
func TestACallFromModemToModem(t *testing.T) {
	const agents = "v253"
	m := newMobile(t, "quectel-ec25")
	agent := simulated.New(t, makes[agents])
	at, _ := agent.TTYs()
	m.cfg.Lines[0].AgentModem = &config.Modem{Name: agents, Profile: ours(t)[agents], Port: at}
	m.run()
	m.up()
	agent.Ring("5550199")
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if call, sound := agent.Active(); call && sound {
			break
		}
		if time.Now().After(until) {
			t.Fatalf("the agent isn't answered: %q", agent.Log())
		}
	}
	m.answered()
	from := len(agent.Heard())
	m.modem.Say(keyed(visa))
	agent.Say(spoken())
	if card := hear(m.d, any[wire.Card]).card; string(card[1:1+card[0]]) != visa {
		t.Error("another card than was keyed")
	}
	if loudest := slices.Max(agent.Heard()[from:]); loudest > 5000 || loudest < 500 {
		t.Errorf("the agent hears %d at the most: a key is louder than 5000, and what stands for it than 500", loudest)
	}
	m.heardTheAgent()
	agent.HangUp()
	hear(m.d, func(w wire.Call) bool { return w.Edge == "call_ended" })
	if call, _ := m.modem.Active(); call {
		t.Error("the caller is still there")
	}
}

// A modem that is pulled out while a card is keyed ends the line's process. The next one waits for it, held; and is held as long as nobody knows what became
// of that card, until there is another call.
func TestAModemVanishesWhileACardIsKeyed(t *testing.T) {
	m := newMobile(t, "quectel-ec25")
	ended, _ := m.run()
	m.answered()
	m.modem.Say(keyed(visa[:6]))
	hear(m.d, func(w wire.Key) bool { return w.Stars == 4 })
	m.modem.Vanish()
	if err := <-ended; !errors.Is(err, hw.ErrLost) {
		t.Fatalf("the line ends with %v", err)
	}
	m.d.hangUp()
	if _, err := m.newModem(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opened again, its port says %v", err)
	}
	again := make(chan struct{})
	go func() {
		defer close(again)
		m.run()
	}()
	waits := m.accept()
	if w := waits.next().m; w != (wire.State{State: "held", Reason: "device_absent"}) {
		t.Errorf("it says %+v", w)
	}
	m.modem.Return()
	<-again
	if answer := m.d.ask(3, wire.Arm{ID: 3, Capture: "cap_b"}); !strings.Contains(answer, "is held") {
		t.Errorf("asked for another card, it says %q", answer)
	}
	m.up()
	m.modem.Ring("5550100")
	hear(m.d, any[wire.Ringing])
	if answer := m.d.ask(4, wire.PickUp{ID: 4}); answer != "" {
		t.Error(answer)
	}
	hear(m.d, state("idle"))
}

// newModem opens the caller's modem once more.
func (m *mobile) newModem() (modem, error) {
	cfg, err := modemConfig(*m.cfg.Lines[0].CallerModem, filepath.Join(m.dir, "other"))
	if err != nil {
		return nil, err
	}
	return serial.Open(cfg)
}

// spoken is half a second that is taken for no key: 250 Hz.
func spoken() []int16 {
	return slices.Repeat(slices.Concat(slices.Repeat([]int16{8000}, 16), slices.Repeat([]int16{-8000}, 16)), 125)
}

// heardTheAgent says whether the caller has heard what is spoken, but for its edges and a stall of a busy machine.
func (m *mobile) heardTheAgent() {
	m.t.Helper()
	loud := 0
	for _, x := range m.modem.Heard() {
		if x > 6000 || x < -6000 {
			loud++
		}
	}
	if loud < len(spoken())/2 {
		m.t.Errorf("of %d frames of the agent the caller hears %d", len(spoken()), loud)
	}
}

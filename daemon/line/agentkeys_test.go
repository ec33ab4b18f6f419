package line

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect/detecttest"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/wire"
)

// agentKeys are a line's options with what the agent may key.
const agentKeys = "agent_keys = { start = \"*#1\", cancel = \"*#0\" }"

// An agent who asks by keys, over and over, while the caller keys a number: between the caller's keys, and during every other one. They come
// back on the caller's leg. The card is the caller's, star by star; and the caller hears none of the agent's keys.
func TestAgentsKeysAreNotCaptured(t *testing.T) {
	for _, echo := range []struct{ delayMS, dB float64 }{{5, -10}, {15, -22}, {45, -18}, {90, -25}} {
		t.Run(fmt.Sprintf("%g ms, %g dB", echo.delayMS, echo.dB), func(t *testing.T) {
			const every = 8 * 500
			n := len(visa)
			caller, agent := make([]int16, (n+5)*every), make([]int16, (n+5)*every)
			press := func(x []int16, key byte, at int, dBm0 float64) {
				pair, _ := tone.Pair(key, dBm0, 0)
				for i, v := range tone.Append(nil, audio.Rate8k, 640, 8, pair[:]...) {
					x[at+i] += v
				}
			}
			pressed := 0
			ask := func(at int) {
				press(agent, "*#1"[pressed%3], at, -12)
				pressed++
			}
			for i := range n {
				at := (i + 1) * every
				press(caller, visa[i], at, -8)
				if i%2 == 1 {
					ask(at - 8*10)
				}
				ask(at + 8*230)
			}
			delay, gain := int(8*echo.delayMS), math.Pow(10, echo.dB/20)
			for i := delay; i < len(caller); i++ {
				caller[i] += int16(gain * float64(agent[i-delay]))
			}

			b := newBox(t, agentKeys)
			b.rerecord(caller, agent)
			d, stop := b.armed()
			stars, asked := 0, 0
			for stars < n {
				switch m := d.next().m.(type) {
				case wire.Key:
					if stars++; m.Stars != stars {
						t.Fatalf("at key %d the line shows %d stars", stars, m.Stars)
					}
				case wire.Asked:
					if asked++; m.For != wire.AskStart {
						t.Errorf("the agent asks for %s", m.For)
					}
				case wire.State:
					if m.State != "keying" && m.State != "armed" {
						t.Fatalf("at key %d the line is %+v", stars, m)
					}
				default:
					t.Fatalf("at key %d the line says %T", stars, m)
				}
			}
			if asked < n/3 {
				t.Errorf("the agent asks %d times, and keyed it %d times", asked, pressed/3)
			}
			card := hear(d, any[wire.Card])
			if size := card.card[0]; int(size) != n || string(card.card[1:1+size]) != visa {
				t.Error("card differs")
			}
			if err := stop(); err != nil {
				t.Error(err)
			}

			if n := b.keysHeard("caller-heard.wav"); n > 0 {
				t.Errorf("the caller hears %d keys of the agent's", n)
			}
		})
	}
}

// keysHeard is how many keys a receiver finds in what was heard.
func (b *box) keysHeard(name string) int {
	b.t.Helper()
	return len(detecttest.Keys(b.t, b.heard(name), audio.Rate8k))
}

func (b *box) heard(name string) []int16 {
	b.t.Helper()
	f, err := os.Open(b.path(name))
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	heard, _, err := wav.ReadAll(f)
	if err != nil {
		b.t.Fatal(err)
	}
	return heard
}

// rerecord replaces both legs' recordings.
func (b *box) rerecord(caller, agent []int16) {
	b.t.Helper()
	for name, x := range map[string][]int16{"caller.wav": caller, "agent.wav": agent} {
		os.Remove(b.path(name))
		b.record(name, x)
	}
}

// What makes a line's two legs suspicious while a card is taken: the whole card on the agent's leg, for the two are swapped; the caller on both, for
// they are coupled; and an agent who presses a key. Each ends the capture at once, and holds the line until somebody says so.
func TestLegsSwappedOrCoupled(t *testing.T) {
	quiet := make([]int16, 3*8000)
	rest := make([]int16, 300*8000) // the recording runs as fast as it can: a busy machine must have answered before the call ends
	var slowly []int16
	for i := range visa {
		slowly = append(slowly, keyed(visa[i:i+1])...)
	}
	for name, test := range map[string]struct {
		caller, agent []int16
		stars         int // at most
	}{
		"swapped":                    {make([]int16, len(keyed(visa))), keyed(visa), 0},
		"swapped, keyed slowly":      {make([]int16, len(slowly)), slowly, 0},
		"coupled":                    {keyed(visa), keyed(visa), 0},
		"coupled, by a long way":     {keyed(visa), append(make([]int16, 8*110), keyed(visa)...), 3},
		"the agent presses a key":    {append(keyed("42"), quiet...), append(make([]int16, 8*800), keyed("7")...), 2},
		"the agent begins to ask":    {quiet, append(keyed("*#"), quiet...), 0},
		"the agent asks for no such": {quiet, append(keyed("*#2"), quiet...), 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, agentKeys)
			b.rerecord(append(test.caller, rest...), append(test.agent, rest...))
			d, stop := b.armed()
			stars := 0
			for void := false; ; {
				s := d.next()
				if m, ok := s.m.(wire.Key); ok {
					stars = max(stars, m.Stars)
					continue
				}
				m, ok := s.m.(wire.State)
				if ok && (m.State == "armed" || m.State == "keying") {
					continue
				}
				want := wire.State{State: "void", Capture: "cap_a", Reason: "legs_swapped_or_coupled"}
				if void {
					want.State = "held"
				}
				if m != want {
					t.Fatalf("the line says %T %+v, want %+v", s.m, m, want)
				}
				if void {
					break
				}
				void = true
			}
			if stars > test.stars {
				t.Errorf("%d stars were shown", stars)
			}
			if answer := d.ask(2, wire.Arm{ID: 2, Capture: "cap_b"}); !strings.Contains(answer, "held") {
				t.Errorf("arming a line that is held is answered with %q", answer)
			}
			if answer := d.ask(3, wire.Acknowledge{ID: 3}); answer != "" {
				t.Errorf("not acknowledged: %s", answer)
			}
			hear(d, state("idle"))
			if err := stop(); err != nil {
				t.Error(err)
			}
			for leg, out := range map[string]string{"caller": "caller-heard.wav", "agent": "agent-heard.wav"} {
				if n := b.keysHeard(out); n > 0 {
					t.Errorf("the %s hears %d keys", leg, n)
				}
			}
			if !strings.HasPrefix(name, "swapped") { // and what the agent hears, on the caller's port, is one key's head
				return
			}
			heard := b.heard("caller-heard.wav")
			loud := func(v int16) bool { return v > 200 || v < -200 }
			first := slices.IndexFunc(heard, loud)
			slices.Reverse(heard)
			if n := len(heard) - first - slices.IndexFunc(heard, loud); first < 0 || n > 8*8 {
				t.Errorf("the card is heard for %d frames, from %d on", n, first)
			}
		})
	}
}

// An agent begins by keys, gives up by keys and begins again: the line asks each time, does what it is told, and takes the caller's card.
func TestAgentBeginsByKeys(t *testing.T) {
	at := func(seconds int, keys string) []int16 { return append(make([]int16, seconds*8000), keyed(keys)...) }
	agent := make([]int16, 18*8000)
	for seconds, keys := range map[int]string{2: "*#1", 6: "*#0", 10: "*#1"} {
		for i, v := range at(seconds, keys) {
			agent[i] += v
		}
	}
	b := newBox(t, agentKeys)
	b.cfg.Lines[0].WAV.Pace, b.cfg.Lines[0].WAV.WaitArmed = 4, false
	b.rerecord(at(14, visa), agent)
	b.listen()
	stop, _ := b.run()
	d := b.accept()
	hear(d, func(m wire.Call) bool { return m.Edge == "call_began" })
	for _, step := range []struct {
		asks  string
		does  wire.Message
		state string
	}{
		{wire.AskStart, wire.Arm{ID: 1, Capture: "cap_a"}, "armed"},
		{wire.AskCancel, wire.Cancel{ID: 2}, "void"},
		{wire.AskStart, wire.Arm{ID: 3, Capture: "cap_b"}, "armed"},
	} {
		if m := hear(d, any[wire.Asked]).m.(wire.Asked); m.For != step.asks {
			t.Fatalf("the agent asks for %s, want %s", m.For, step.asks)
		}
		if err := d.Send(step.does); err != nil {
			t.Fatal(err)
		}
		hear(d, state(step.state))
	}
	card := hear(d, any[wire.Card])
	if size := card.card[0]; card.m.(wire.Card).Capture != "cap_b" || int(size) != len(visa) || string(card.card[1:1+size]) != visa {
		t.Error("card differs")
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	// What asked for a start was heard, as all keys are on an idle line; what gave up was not.
	if n := b.keysHeard("caller-heard.wav"); n != 6 {
		t.Errorf("the caller hears %d keys of the agent's, and should hear 6", n)
	}
}

package line

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect/detecttest"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/wire"
)

// legs are a call's, in 8000 Hz, of so many seconds.
func legs(seconds int) (caller, agent []int16) {
	return make([]int16, seconds*8000), make([]int16, seconds*8000)
}

// keyOn adds keys to a leg, from a millisecond on, one in so many.
func keyOn(leg []int16, fromMS, everyMS int, keys string, dBm0 float64) (last int) {
	for i := range len(keys) {
		pair, _ := tone.Pair(keys[i], dBm0, 0)
		last = 8 * (fromMS + i*everyMS)
		for k, v := range tone.Append(nil, audio.Rate8k, 640, 8, pair[:]...) {
			leg[last+k] += v
		}
	}
	return last
}

// talk adds noise, which is told from any other sample by sample.
func talk(leg []int16) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range leg {
		leg[i] += int16(r.IntN(400) - 200)
	}
}

// mixIn adds a leg to another, later and louder or softer.
func mixIn(to, x []int16, delay int, dB float64) {
	gain := math.Pow(10, dB/20)
	for i := delay; i < len(to); i++ {
		to[i] += int16(gain * float64(x[i-delay]))
	}
}

// begins is where a call begins in what was heard of it, by a stretch of it.
func begins(t *testing.T, heard, said []int16, from, n int) int {
	t.Helper()
	for at := 0; at+n <= len(heard); at++ {
		if slices.Equal(heard[at:at+n], said[from:from+n]) {
			return at - from
		}
	}
	t.Fatal("what is said at first doesn't come through")
	return 0
}

// hearsFrom is from which frame of a call on it is heard as it was said, to the end, of which the delay may be cut off.
func hearsFrom(heard, said []int16, at int) int {
	from := min(len(said), len(heard)-at)
	for from > 0 && heard[at+from-1] == said[from-1] {
		from--
	}
	return from
}

// keysIn is what a receiver hears, and where.
func keysIn(t *testing.T, heard []int16) (keys string, at []int) {
	t.Helper()
	for _, e := range detecttest.Keys(t, heard, audio.Rate8k) {
		keys, at = keys+string(e.Digit.Reveal()), append(at, int(e.Start))
	}
	return keys, at
}

// An agent dials an emergency number on a line that is armed, that takes a card, and that is held, with the echo that a line has. 1.2 s after its last key began both legs
// are open, to the sample; the caller's side hears the number, which was kept from it, whole and once, but of a held line; and the line is barred until the call is over.
func TestAnEmergencyNumberOpensTheLegs(t *testing.T) {
	const seconds = 14
	for name, c := range map[string]struct {
		callersKeys, agentsKeys string // from the first second on
		says                    []wire.State
	}{
		"armed":  {"", "", []wire.State{{State: "armed", Capture: "cap_a"}, {State: "void", Capture: "cap_a", Reason: "emergency_call"}, {State: "idle"}}},
		"keying": {"4242", "", []wire.State{{State: "armed", Capture: "cap_a"}, {State: "keying", Capture: "cap_a"}, {State: "void", Capture: "cap_a", Reason: "emergency_call"}, {State: "idle"}}},
		"held": {"", "7", []wire.State{{State: "armed", Capture: "cap_a"}, {State: "void", Capture: "cap_a", Reason: "legs_swapped_or_coupled"},
			{State: "held", Capture: "cap_a", Reason: "legs_swapped_or_coupled"}, {State: "idle"}}},
	} {
		for _, number := range []string{"112", "911", "999", "000"} {
			for _, echo := range []float64{-60, -6} {
				t.Run(fmt.Sprintf("%s, %s, echo %g dB", name, number, echo), func(t *testing.T) {
					caller, agent := legs(seconds)
					keyOn(caller, 1000, 250, c.callersKeys, -10)
					keyOn(agent, 1000, 250, c.agentsKeys, -10)
					last := keyOn(agent, 5000, 300, number, -10)
					mixIn(caller, agent, 8*9, echo)
					talk(caller)
					talk(agent)
					b := newBox(t, "idle = \"pass\"")
					b.rerecord(caller, agent)
					d, stop := b.armed()
					d.kept = append([]said{{m: wire.State{State: "armed", Capture: "cap_a"}}}, d.kept...)
					barred := false
					for i := 0; i < len(c.says); {
						switch m := d.next().m.(type) {
						case wire.State:
							if m != c.says[i] {
								t.Fatalf("the line says %+v, want %+v", m, c.says[i])
							}
							i++
						case wire.Bar:
							barred = barred || m == wire.Bar{Code: "emergency_call", On: true}
						case wire.Card:
							t.Fatal("a card is taken")
						}
					}
					if !barred {
						hear(d, func(m wire.Bar) bool { return m == wire.Bar{Code: "emergency_call", On: true} })
					}
					hear(d, func(m wire.Bar) bool { return m == wire.Bar{Code: "emergency_call"} }) // the call has ended
					if err := stop(); err != nil {
						t.Error(err)
					}

					due := last + 8*1200
					heard, told := b.heard("agent-heard.wav"), b.heard("caller-heard.wav")
					from := hearsFrom(heard, caller, begins(t, heard, caller, 800, 800))
					t.Logf("the agent hears all from %d frames after the last key's onset on", from-last)
					if from > due+8*(20+7) { // a period, and audio/path's word
						t.Errorf("the agent hears the caller %d frames too late", from-due)
					}
					at := begins(t, told, agent, 800, 800)
					if from = hearsFrom(told, agent, at); from > due+8*(20+200*len(number)) { // which is mixed in
						t.Errorf("the caller's side hears the agent %d frames too late", from-due)
					}
					keys, when := keysIn(t, told[at:])
					if name == "held" { // where who dialled it isn't known
						if keys != "" {
							t.Errorf("the caller's side hears %d keys", len(keys))
						}
						return
					}
					if keys != number {
						t.Fatalf("the caller's side hears %d keys, and %d were dialled", len(keys), len(number))
					}
					t.Logf("the caller's side hears the number from %d frames after its last key's onset on", when[0]-last)
					if late := when[0] - due; late < -8*3 || late > 8*25 { // the onset is known to 2 ms
						t.Errorf("the number is keyed again %d frames too late", late)
					}
				})
			}
		}
	}
}

// A caller keys whole cards with emergency numbers in them, and his keys couple into the agent's leg, from barely to louder than they are: nothing opens the line, though
// he pauses as it suits an attacker; and no key of it is heard on either side.
func TestCoupledCardsOpenNoLine(t *testing.T) {
	for _, card := range []string{"4112911299900011", "5911120009991123"} {
		for _, dB := range []float64{6, 0, -6, -14, -22, -30, -40} {
			for _, pause := range []int{0, 2500} { // ms around each three keys
				t.Run(fmt.Sprintf("%.1s, %g dB, pauses of %d ms", card, dB, pause), func(t *testing.T) {
					caller, agent := legs(30)
					at := 3000
					for i := range len(card) {
						if i%3 == 1 && i < 13 {
							at += pause
						}
						keyOn(caller, at, 0, card[i:i+1], -14)
						at += 250
					}
					mixIn(agent, caller, 8*3, dB)
					d, stop, b := coupled(t, caller, agent)
					for ended := false; !ended; {
						switch m := d.next().m.(type) {
						case wire.State:
							if m.Reason == "emergency_call" {
								t.Fatal("the line is opened")
							}
						case wire.Bar:
							t.Fatalf("the line says %+v", m)
						case wire.Call:
							ended = m.Edge == "call_ended"
						}
					}
					if err := stop(); err != nil {
						t.Error(err)
					}
					for leg, out := range map[string]string{"caller": "caller-heard.wav", "agent": "agent-heard.wav"} {
						if keys, _ := keysIn(t, b.heard(out)); len(keys) > 0 {
							t.Errorf("the %s hears %d keys", leg, len(keys))
						}
					}
				})
			}
		}
	}
}

// A code that stands alone and is an emergency number is the caller's as long as it couples no louder than it is.
func TestACoupledCodeOpensNoLine(t *testing.T) {
	for _, code := range []string{"112", "911", "999", "000"} {
		for _, dB := range []float64{0, -6, -14, -22} {
			for _, delay := range []int{0, 3, 15} {
				t.Run(fmt.Sprintf("%.1s, %g dB, %d ms", code, dB, delay), func(t *testing.T) {
					caller, agent := legs(10)
					keyOn(caller, 4000, 300, code, -12)
					mixIn(agent, caller, 8*delay, dB)
					d, stop, _ := coupled(t, caller, agent)
					held := false
					for ended := false; !ended; {
						switch m := d.next().m.(type) {
						case wire.State:
							held = held || m.State == "held" && m.Reason == "legs_swapped_or_coupled"
						case wire.Bar:
							t.Fatalf("the line says %+v", m)
						case wire.Call:
							ended = m.Edge == "call_ended"
						}
					}
					if !held {
						t.Error("the line isn't held")
					}
					if err := stop(); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// coupled runs an armed line with a call.
func coupled(t *testing.T, caller, agent []int16) (*daemon, func() error, *box) {
	t.Helper()
	b := newBox(t, "idle = \"pass\"")
	b.rerecord(caller, agent)
	d, stop := b.armed()
	return d, stop, b
}

// A call that begins is open from its first frames, though the one before was armed when it ended, a tenth of a second ago, and its last key had just been pressed: who
// lifts the handset again and dials at once, dials.
func TestACallThatBeginsOpensTheLegs(t *testing.T) {
	caller, agent := legs(4)
	keyOn(caller, 3000, 200, "4242", -10)
	nextCaller, nextAgent := legs(5)
	talk(nextCaller)
	talk(nextAgent)
	const dialled = "112"
	keyOn(nextAgent, 150, 200, dialled, -10)
	b := newBox(t, "")
	b.rerecord(caller, agent)
	b.record("next-caller.wav", nextCaller)
	b.record("next-agent.wav", nextAgent)
	w := &b.cfg.Lines[0].WAV
	w.Pace, w.WaitArmed = 4, false
	w.CallerIn, w.AgentIn = append(w.CallerIn, b.path("next-caller.wav")), append(w.AgentIn, b.path("next-agent.wav"))
	d, stop := b.armed()
	hear(d, func(m wire.State) bool { return m == wire.State{State: "void", Capture: "cap_a", Reason: "call_ended"} })
	hear(d, func(m wire.Bar) bool { return m == wire.Bar{Code: "emergency_call", On: true} })
	hear(d, func(m wire.Call) bool { return m.Edge == "call_ended" })
	if err := stop(); err != nil {
		t.Error(err)
	}
	heard, told := b.heard("agent-heard.wav"), b.heard("caller-heard.wav")
	from := hearsFrom(heard, nextCaller, begins(t, heard, nextCaller, 8000, 800))
	t.Logf("the agent hears all from %d frames after the call's beginning on", from)
	if from > 8*(20+7) {
		t.Errorf("the agent hears the caller only from frame %d on", from)
	}
	at := begins(t, told, nextAgent, 8000, 800)
	if from = hearsFrom(told, nextAgent, at); from > 8*20 {
		t.Errorf("the caller's side hears the agent only from frame %d on", from)
	}
	if keys, _ := keysIn(t, told[at:]); keys != dialled {
		t.Errorf("the caller's side hears %d keys, and %d were dialled", len(keys), len(dialled))
	}
}

package e2e

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect/detecttest"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// TestTheNextCallersKeysJoinNothing: on each line A keys ten digits of a number and drops, and B, who is connected two seconds later or more on the same
// line, keys the rest. Whatever tells that A is gone, there is no card and no digit, and the agent is told. Where nothing does, what B keys becomes part of
// A's card: that is what a line without a source can't know, and how this test knows that it would see it.
func TestTheNextCallersKeysJoinNothing(t *testing.T) {
	const number, first = "4242424242424242", 10
	busy := []tone.Sine{{Hz: 480, DBm0: -20}, {Hz: 620, DBm0: -20}}
	lines := []*struct {
		name, calls string
		between     []int16
		cards       []*card.Card
	}{
		{name: "busy", calls: "silence_s = 0", between: sounds(300, nil, 500, busy, 500, nil, 500, busy, 500, nil, 2000, nil)},
		{name: "silence", calls: "silence_s = 3", between: sounds(6000, nil)},
		{name: "api", calls: `source = "api"`, between: sounds(6000, nil)},
		{name: "nothing", calls: "silence_s = 0", between: sounds(2000, nil)},
	}
	room := rand.New(rand.NewPCG(1, 2)) // about -43 dBm0
	var specs []card.Spec
	var boxes []box.Line
	for _, l := range lines {
		caller := sounds(10_000, nil) // time to arm every line, however busy the machine is
		for i := range caller {
			caller[i] = int16(room.NormFloat64() * 100)
		}
		keyed := func(keys string) {
			for i := range len(keys) {
				pair, _ := tone.Pair(keys[i], -10, 0)
				caller = append(caller, sounds(80, pair[:], 80, nil)...)
			}
		}
		keyed(number[:first])
		caller = append(caller, l.between...)
		keyed(number[first:])
		specs = append(specs, card.Spec{Name: l.name, Rate: 8000, Channels: 2, In: [][]int16{caller}})
		boxes = append(boxes, box.Line{Name: l.name, Sound: strings.ReplaceAll("caller = \"X\"\nagent = \"X\"\nagent_channel = 2\n[line.calls]\n", "X", l.name) + l.calls})
	}
	cards := card.New(t, specs...)
	r := newRig(t, box.Config{Profile: `fields = ["pan"]`, Lines: boxes})
	r.accept(t)
	r.start(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, l := range lines {
		code := control.CallPresumed
		if l.name == "api" {
			r.waitFor(t, "api", control.KindState, "idle")
			if _, err := r.client.Arm(ctx, l.name, ""); err == nil || !strings.Contains(err.Error(), "no call on the line") {
				t.Errorf("armed before there is a call: %v", err)
			}
			if err := r.client.CallBegan(ctx, l.name); err != nil {
				t.Fatal(err)
			}
			code = control.CallBegan
		}
		r.waitFor(t, l.name, control.KindCall, code)
		if l.name != "api" {
			if err := r.client.CallEnded(ctx, l.name); err == nil || !strings.Contains(err.Error(), `source = "api"`) {
				t.Errorf("%s is told of its calls: %v", l.name, err)
			}
		}
		if _, err := r.client.Arm(ctx, l.name, ""); err != nil {
			t.Fatal(err)
		}
	}
	r.wait(t, "A's last key", func(e control.Event) bool { return e.Line == "api" && e.Stars == first })
	if err := r.client.CallEnded(ctx, "api"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if err := r.client.CallBegan(ctx, "api"); err != nil {
		t.Fatal(err)
	}
	token := r.wait(t, "a card of two callers", kind("nothing", control.KindToken))
	if token.Last4 != number[len(number)-4:] {
		t.Error("not the card that the two have keyed")
	}
	for i, l := range lines {
		if l.name != "nothing" {
			void := r.waitFor(t, l.name, control.KindState, control.StateVoid)
			if void.Reason != "call_ended" {
				t.Errorf("%s: the agent is told %q", l.name, void.Reason)
			}
			r.wait(t, l.name+" is idle again", func(e control.Event) bool {
				return e.Line == l.name && e.Seq > void.Seq && e.State == control.StateIdle
			})
			r.mu.Lock()
			for _, e := range r.events {
				if e.Line == l.name && (e.Kind == control.KindToken || e.Kind == control.KindVerdict || e.Seq > void.Seq && e.Kind == control.KindKey) {
					t.Errorf("%s: after A was gone the line tells of a %s", l.name, e.Kind)
				}
			}
			r.mu.Unlock()
		}
		played := 8 * 5000 // from B's first key on, and long behind his last
		for want := len(specs[i].In[0]) + played; len(cards[i].Heard(2)) < want; {
			time.Sleep(100 * time.Millisecond)
		}
		if n := detecttest.Suspicious(t, cards[i].Heard(2), audio.Rate8k); n > 0 {
			t.Errorf("%s: %d ms of what the agent heard may be a key", l.name, n)
		}
	}
	tokens, err := r.client.Tokens(ctx, 10)
	if err != nil || len(tokens) != 1 {
		t.Errorf("%d tokens (%v), want the one", len(tokens), err)
	}
}

// sounds are pairs of a length in ms and tones, at 8 kHz.
func sounds(pairs ...any) (x []int16) {
	for i := 0; i < len(pairs); i += 2 {
		frames := 8 * pairs[i].(int)
		if tones, ok := pairs[i+1].([]tone.Sine); ok {
			x = tone.Append(x, audio.Rate8k, frames, 16, tones...)
		} else {
			x = append(x, make([]int16, frames)...)
		}
	}
	return x
}

// waitFor waits until a line is in a state, or has told a code.
func (r *rig) waitFor(t *testing.T, line string, k control.Kind, what string) control.Event {
	t.Helper()
	return r.wait(t, line+": "+what, func(e control.Event) bool {
		return e.Line == line && e.Kind == k && (e.State == what || e.Code == what)
	})
}

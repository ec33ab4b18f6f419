//go:build cgo

package line

import (
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/words"
	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
)

// TestWordsThroughASoundCard: the agent's channel plays both, and the caller's plays the agent all the while, bit for bit.
func TestWordsThroughASoundCard(t *testing.T) {
	x := newBench(t, config.SourceAPI)
	said := func(first string) func(uint64) wire.Message {
		return func(id uint64) wire.Message {
			return wire.Speak{ID: id, Language: "de", Words: [2]string{first, "Berg"}}
		}
	}
	speak := said("Mond")
	if answer := x.refuses(speak); !strings.HasSuffix(answer, ": untuned") {
		t.Errorf("an untuned line says %q", answer)
	}
	fingerprint, _ := x.cfg.Fingerprint(nil)
	if err := x.Send(wire.Accepted{Report: acceptancetest.Good("desk-1", fingerprint)}); err != nil {
		t.Fatal(err)
	}
	hear(x.daemon, barred(false))
	if answer := x.refuses(speak); answer != session.ErrNoCall.Error() {
		t.Errorf("without a call it says %q", answer)
	}
	x.does(calls("call_began"))
	if answer := x.refuses(said("neun")); answer == "" {
		t.Error("it speaks what is no word")
	}
	asked := len(x.card.Heard(1))
	x.does(speak)
	if answer := x.refuses(speak); answer != errSpeaking.Error() {
		t.Errorf("while it speaks: %q", answer)
	}
	from := asked
	for _, word := range []string{"Mond", "Berg"} {
		frames, err := words.Frames("de", word, audio.Rate8k)
		if err != nil {
			t.Fatal(err)
		}
		at := x.spoken(from, frames)
		if at < 0 {
			t.Fatalf("the agent doesn't hear %s", word)
		}
		from = at + len(frames)
	}
	x.plays(4000)
	x.hears(0, asked, len(x.card.Heard(1)))
	x.hears(1, from+100, from+3000)
	x.does(func(id uint64) wire.Message { return wire.Arm{ID: id, Capture: "cap_a"} })
	if answer := x.refuses(speak); answer != session.ErrBusy.Error() {
		t.Errorf("while a card is taken it says %q", answer)
	}
}

// spoken is where the agent's side hears frames, from a frame on; -1 if it doesn't soon.
func (x *bench) spoken(from int, frames []int16) int {
	x.t.Helper()
	for range 40 {
		x.plays(800)
		heard := x.card.Heard(2)
		for at := from; at+len(frames) <= len(heard); at++ {
			if heard[at+100] == frames[100] && slices.Equal(heard[at:at+len(frames)], frames) {
				return at
			}
		}
	}
	return -1
}

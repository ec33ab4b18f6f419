package line

import (
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/words"
)

// moon is the word as it is spoken at 8 kHz.
func moon(t *testing.T) []int16 {
	t.Helper()
	frames, err := words.Frames("en", "moon", audio.Rate8k)
	if err != nil {
		t.Fatal(err)
	}
	return frames
}

// TestWordsAreTheAgentsAlone: beside a line that says nothing, with a caller who keys, one that does differs in what the agent hears while it does, and in nothing else.
func TestWordsAreTheAgentsAlone(t *testing.T) {
	const period, begins = 24, 4800
	frames := moon(t)
	caller := keyed("42424242")
	agent := voice(0, len(caller))
	var toCaller, toAgent [2][]int16
	var stats [2]path.Stats
	for speaks := range 2 {
		b := newBridgeOver(t, path.Config{Rate: audio.Rate8k, Idle: mask.Idle}, true)
		for at := 0; at+period <= len(caller); at += period {
			if at == begins && speaks == 1 {
				if err := b.speech.say(frames); err != nil {
					t.Fatal(err)
				}
				if err := b.speech.say(frames); err != errSpeaking {
					t.Errorf("while it speaks: %v", err)
				}
			}
			c, a := b.period(caller[at:at+period], agent[at:at+period])
			toCaller[speaks], toAgent[speaks] = append(toCaller[speaks], c...), append(toAgent[speaks], a...)
		}
		stats[speaks] = b.path.Stats()
	}
	ends := begins + len(frames)
	switch {
	case !slices.Equal(toCaller[0], toCaller[1]):
		t.Error("the caller hears something of it")
	case stats[0] != stats[1]:
		t.Errorf("the path does something else: %+v, and %+v without", stats[1], stats[0])
	case !slices.Equal(toAgent[1][begins:ends], frames):
		t.Error("the agent doesn't hear the word, bit for bit")
	case !slices.Equal(toAgent[0][:begins], toAgent[1][:begins]) || !slices.Equal(toAgent[0][ends:], toAgent[1][ends:]):
		t.Error("the agent hears something else before or after it")
	case slices.Equal(toAgent[0][begins:ends], frames):
		t.Error("there was nothing to hear")
	}
}

// TestSpeakingAllocatesNothing on the device's thread.
func TestSpeakingAllocatesNothing(t *testing.T) {
	var s speech
	frames := make([]int16, 4000)
	out := make([]int16, 24)
	if err := s.say(frames); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { s.instead(out) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package suspicion_test

import (
	"math"
	"testing"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/proof/corpus"
	"github.com/flattone/flattone/proof/suspicion"
)

func TestSuspicion(t *testing.T) {
	u := &corpus.Unit{PCM: make([]int16, 8000), Events: []corpus.Event{
		{Key: '1', Start: 1003, End: 1803, Expect: corpus.Accept, Group: "sent"},
		{Key: '1', Start: 4000, End: 4800, Expect: corpus.Accept, Group: "silent"},
	}}
	sines, _ := tone.Pair('1', -10, 0)
	copy(u.PCM[1003:], tone.Append(nil, corpus.Rate, 800, 0, sines[:]...))
	s, err := suspicion.Unit(u, mask.Armed)
	if err != nil {
		t.Fatal(err)
	}
	if ms := s["sent"].MS; len(ms) != 1 || ms[0] < 1 || ms[0] > 10 {
		t.Errorf("a clear key is suspected after %v ms", ms)
	}
	if ms := s["silent"].MS; len(ms) != 1 || !math.IsInf(ms[0], 1) || s["silent"].Over(1000) != 1 {
		t.Errorf("a key that never sounds is suspected after %v ms", ms)
	}
}

package line

import (
	"math"
	"os"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/wire"
)

// A caller whose keys rise slowly, on a line with the shortest look-ahead: the line says that it is too short, and which would do,
// also to a flattoned that comes later.
func TestCodecPoor(t *testing.T) {
	slow := make([]int16, 1600)
	for i := range len(visa) {
		pair, _ := tone.Pair(visa[i], -10, 0)
		key := tone.Append(nil, audio.Rate8k, 800, 8, pair[:]...)
		for k := range min(len(key), 160) {
			key[k] = int16(float64(key[k]) * (0.5 - 0.5*math.Cos(math.Pi*float64(k+1)/160)))
		}
		slow = append(append(slow, key...), make([]int16, 2400)...)
	}
	b := newBox(t, "lookahead_ms = 10")
	os.Remove(b.path("caller.wav"))
	b.record("caller.wav", append(slow, make([]int16, 8000)...))
	d, stop := b.armed()
	want := wire.Codec{Code: "codec_poor", NeedsLookAheadMS: 20}
	if m := hear(d, any[wire.Codec]).m; m != want {
		t.Errorf("the line says %+v, want %+v", m, want)
	}
	hear(d, any[wire.Card])
	d.hangUp()
	if m := hear(b.accept(), any[wire.Codec]).m; m != want {
		t.Errorf("to a later flattoned the line says %+v, want %+v", m, want)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

//go:build cgo

package sound

import (
	"slices"
	"testing"
)

// noting notes what its turns are.
type noting struct {
	lost int
	took []int16
}

func (n *noting) Take(in []int16)  { n.took = slices.Clone(in) }
func (n *noting) Lost(frames int)  { n.lost += frames }
func (n *noting) Fill(out []int16) {}

func TestWhatAScaledDeviceLoses(t *testing.T) {
	n := &noting{}
	turn := scale(n, Config{Rate: 8000, DeviceRate: 48000, PeriodFrames: 144})
	turn.Take(slices.Repeat([]int16{16000}, 144))
	turn.Lost(144)
	if n.lost != 24 {
		t.Errorf("%d frames are lost of the line's", n.lost)
	}
	if turn.Take(make([]int16, 144)); slices.ContainsFunc(n.took, func(v int16) bool { return v != 0 }) {
		t.Error("what came before what was lost is heard after it")
	}
	if turn := scale(n, Config{Rate: 8000, PeriodFrames: 24}); turn != n {
		t.Error("a device at the line's rate is scaled")
	}
}

//go:build cgo

package sound

import (
	"github.com/flattone/flattone/audio/resample"
	"github.com/flattone/flattone/hw"
)

// scaled is a line's turn on a device that runs at a multiple of the line's rate. It delays each way by one and a half milliseconds.
type scaled struct {
	turn   hw.Turn
	by     int
	up     *resample.Up
	down   *resample.Down
	frames []int16 // a period at the line's rate
}

// scale is turn itself where the device runs at the line's rate.
func scale(turn hw.Turn, cfg Config) hw.Turn {
	by := cfg.multiple()
	if by == 1 {
		return turn
	}
	frames := cfg.PeriodFrames / by
	return &scaled{turn: turn, by: by, up: resample.NewUp(by, frames), down: resample.NewDown(by, frames), frames: make([]int16, frames)}
}

func (s *scaled) Take(in []int16) {
	s.down.Convert(s.frames, in)
	s.turn.Take(s.frames)
}

func (s *scaled) Lost(frames int) {
	s.down.Lost()
	s.turn.Lost(frames / s.by)
}

func (s *scaled) Fill(out []int16) {
	s.turn.Fill(s.frames)
	s.up.Convert(out, s.frames)
}

package level

import "sync/atomic"

// Still tells for how long a leg has had one and the same value: a converter that is connected to anything always has noise. It tells no key,
// for all of them move. One thread writes; Frames may be asked from anywhere.
type Still struct {
	last   int16
	frames atomic.Int64
}

// Write takes the next frames of the leg. It looks no further than the first that moves.
func (s *Still) Write(x []int16) {
	for _, v := range x {
		if v != s.last {
			s.last = x[len(x)-1]
			s.frames.Store(0)
			return
		}
	}
	s.frames.Add(int64(len(x)))
}

// Frames is for how many the leg has not moved, to a block.
func (s *Still) Frames() int64 { return s.frames.Load() }

package recording

import (
	"fmt"
	"sync/atomic"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/ring"
)

// ringSeconds is for how long the disk may stand still.
const ringSeconds = 4

// Tap lies on the thread of the agent's device: it copies what the device gives and, last of all, what the device is given. Nothing in it
// allocates, locks or waits. Take, Lost and Fill belong to that thread, all else to the Recorder.
type Tap struct {
	ring *ring.Ring // frames of two samples: left, right
	room []int16    // the turn under way
	// missed counts frames for which there was no room.
	missed atomic.Int64
}

// NewTap makes a Tap of a line at a rate.
func NewTap(rate audio.Rate) (*Tap, error) {
	r, err := ring.New(2 * ringSeconds * int(rate))
	if err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	return &Tap{ring: r}, nil
}

// Close wipes and frees. Neither the device nor the Recorder may use the Tap any more.
func (t *Tap) Close() error { return t.ring.Close() }

// Take copies what the device captured to the right.
func (t *Tap) Take(in []int16) {
	t.turn(len(in))
	for i := range len(t.room) / 2 {
		t.room[2*i+1] = in[i]
	}
}

// Lost puts silence where the device lost what it should have captured.
func (t *Tap) Lost(frames int) {
	t.turn(frames)
	for i := range len(t.room) / 2 {
		t.room[2*i+1] = 0
	}
}

// turn begins one of so many frames, for all of which there is room or for none.
func (t *Tap) turn(frames int) {
	if t.room = t.ring.Tail(2 * frames); len(t.room) < 2*frames {
		t.room = nil
	}
}

// Fill copies what the device is given to the left, and ends the turn.
func (t *Tap) Fill(out []int16) {
	if len(t.room) != 2*len(out) {
		t.missed.Add(int64(len(out)))
		return
	}
	for i, v := range out {
		t.room[2*i] = v
	}
	t.ring.Commit(len(t.room))
	t.ring.Judge(t.ring.Written())
	t.room = nil
}

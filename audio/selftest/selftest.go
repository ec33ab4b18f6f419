// Package selftest tests the sample path of a line with a key of its own: it goes through shadows of that path, which nobody hears,
// and must come out masked.
//
// A mask that fails in silence is the worst that can happen to a line. The shadows are made as the line's own path is, of the same code,
// tables and settings, so what is wrong with those is wrong with them:
//
//	speech-like sound ──▶ an idle shadow  ──▶ must come out bit for bit
//	a key in noise    ──▶ an armed shadow ──▶ none of it may come out, and it must be captured; before and long after, the noise bit for bit
//
// It promises that a round takes no more than the sound of a [Slot] at a time through the shadows, and, unless something has failed, allocates
// nothing. Which key is tested varies and is nobody's secret: it is of no card, and yet it is told to nobody, lest anybody takes it for one. It must
// never touch the line's own path.
package selftest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// What a round may find. Each is wrapped by nothing but what it says.
var (
	ErrBroken  = errors.New("the shadow of the sample path broke")
	ErrLeaks   = errors.New("some of a key came out of the shadow of the sample path")
	ErrMissed  = errors.New("a key was not captured as what it is")
	ErrMangles = errors.New("what is no key did not come out of the shadow of the sample path as it went in")
)

// Path is what is tested of a [path.Path].
type Path interface {
	SetGrade(mask.Grade)
	Write([]int16)
	Read([]int16)
	Next() (path.Event, bool)
	Broken() bool
	Stats() path.Stats
	Delay() int
	Close() error
}

// Test is a line's. One goroutine has it.
type Test struct {
	cfg  path.Config
	open func(path.Config) (Path, error)
	rand *rand.Rand
	slot int // of the round, that comes next

	idle, armed        Path // nil where they have to be made anew
	speech, spoken     []int16
	noise, said, heard []int16
	sounds             []int16 // the key's tone alone

	key      byte
	digit    audio.Digit
	from, to int // where it sounds, in frames of the round
	found    int // keys that were captured
	right    bool
}

// Slot is how much sound a Step takes.
const Slot = 100 * time.Millisecond

// Slots are a round: the key begins in the third, a run of masking is over a second after it on the grid of slots, and the longest look-ahead lies behind
// that and before the key.
const (
	slots       = 16
	keySlot     = 2
	speechSlots = 5
	keyTime     = 50 * time.Millisecond // of Q.24's least, 40 ms, and within the 60 ms after which its flat tone may sound
)

// New makes a test of a path of that config. Open makes a shadow, and makes it anew after one has failed.
func New(cfg path.Config, open func(path.Config) (Path, error), seed uint64) (*Test, error) {
	if !cfg.Rate.Supported() {
		return nil, fmt.Errorf("selftest: a rate of %v isn't supported: use 8000, 16000, 44100 or 48000", cfg.Rate)
	}
	t := &Test{cfg: cfg, open: open, rand: rand.New(rand.NewPCG(seed, 0))}
	n := t.frames(slots)
	t.speech, t.spoken = speech(cfg.Rate, t.frames(speechSlots)), make([]int16, t.frames(speechSlots))
	t.noise, t.said, t.heard = noise(t.frames(1)), make([]int16, n), make([]int16, n)
	t.sounds = make([]int16, 0, cfg.Rate.Frames(keyTime))
	return t, t.renew()
}

// frames of so many slots: whole ticks, as the mask's grid is of those.
func (t *Test) frames(slots int) int {
	return slots * int(Slot/time.Millisecond) * t.cfg.Rate.TickFrames()
}

// renew makes both shadows, if there are none.
func (t *Test) renew() (err error) {
	if t.idle != nil {
		return nil
	}
	if t.idle, err = t.open(t.cfg); err != nil {
		t.idle = nil
		return fmt.Errorf("selftest: %w", err)
	}
	if t.armed, err = t.open(t.cfg); err != nil {
		err = errors.Join(fmt.Errorf("selftest: %w", err), t.idle.Close())
		t.idle, t.armed = nil, nil
		return err
	}
	t.idle.SetGrade(mask.Idle)
	t.armed.SetGrade(mask.Armed)
	return nil
}

// Close wipes and frees the shadows.
func (t *Test) Close() error {
	if t.idle == nil {
		return nil
	}
	err := errors.Join(t.idle.Close(), t.armed.Close())
	t.idle, t.armed = nil, nil
	return err
}

// Step takes the next slot of a round. When the round is over it says what was found: nil, or one of the errors above. The next round has other
// shadows if anything was.
func (t *Test) Step() (over bool, err error) {
	if t.slot == 0 {
		if err := t.renew(); err != nil {
			return true, err
		}
		t.compose()
	}
	from, to := t.frames(t.slot), t.frames(t.slot+1)
	t.through(t.armed, t.said[from:to], t.heard[from:to])
	if t.slot < speechSlots {
		t.through(t.idle, t.speech[from:to], t.spoken[from:to])
	}
	t.listen()
	if t.slot++; t.slot < slots {
		return false, nil
	}
	t.slot = 0
	if err = t.judge(); err != nil {
		err = errors.Join(err, t.Close())
	}
	return true, err
}

// through takes sound through a shadow, in blocks as short as a device's.
func (t *Test) through(p Path, in, out []int16) {
	block := 10 * t.cfg.Rate.TickFrames()
	for at := 0; at < len(in); at += block {
		p.Write(in[at : at+block])
		p.Read(out[at : at+block])
	}
}

// compose lays a key somewhere into the noise.
func (t *Test) compose() {
	for at := 0; at < len(t.said); at += len(t.noise) {
		copy(t.said[at:], t.noise)
	}
	t.key = tone.Keys[t.rand.IntN(len(tone.Keys))]
	t.digit, _ = audio.NewDigit(t.key)
	t.from = t.frames(keySlot) + t.rand.IntN(t.frames(1))
	t.to = t.from + cap(t.sounds)
	t.found, t.right = 0, false
	sines, _ := tone.Pair(t.key, keyDBm0, 0)
	t.sounds = tone.Append(t.sounds[:0], t.cfg.Rate, cap(t.sounds), t.cfg.Rate.TickFrames(), sines[:]...)
	for i, v := range t.sounds {
		t.said[t.from+i] += v
	}
}

// listen takes what was captured.
func (t *Test) listen() {
	near := t.cfg.Rate.Frames(5 * time.Millisecond)
	for e, ok := t.armed.Next(); ok; e, ok = t.armed.Next() {
		switch e.Kind {
		case path.Key:
			t.found++
			start := int(e.Start)%t.frames(slots) - t.from
			t.right = e.Digit == t.digit && start >= -near && start <= near
		case path.Unclear:
			t.found++
			t.right = false
		}
	}
	for _, ok := t.idle.Next(); ok; _, ok = t.idle.Next() {
		t.found++ // there is none in it
	}
}

// judge says what was found.
func (t *Test) judge() error {
	for _, p := range []Path{t.idle, t.armed} {
		if p.Broken() || p.Stats().Faults > 0 {
			return ErrBroken
		}
	}
	delay := t.armed.Delay()
	heard := t.heard[delay:] // each frame of it opposite that of said
	sines, _ := tone.Pair(t.key, keyDBm0, 0)
	for _, s := range sines {
		if level(heard[t.from:t.to], t.cfg.Rate, s.Hz) > mostDBm0 {
			return ErrLeaks
		}
	}
	if t.found != 1 || !t.right {
		return ErrMissed
	}
	before, after := t.frames(1), t.frames(slots-2)+t.frames(1)/10 // where a mask ends it is cut in the midst of a tick
	same := slices.Equal(heard[:before], t.said[:before]) && slices.Equal(heard[after:], t.said[after:len(heard)]) &&
		slices.Equal(t.spoken[delay:], t.speech[:len(t.speech)-delay])
	if !same {
		return ErrMangles
	}
	return nil
}

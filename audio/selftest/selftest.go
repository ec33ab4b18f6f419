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

	idle, armed Path    // nil where they have to be made anew
	speech      []int16 // what the idle one is told,
	noise       []int16 // and the armed one, in each slot:
	sounds      []int16 // with a key's tone
	said, heard []int16 // in this slot
	left        []int16 // of the key

	key      byte
	digit    audio.Digit
	from, to int // where it sounds, in frames of the round
	found    int // keys that were captured
	right    bool
	mangled  bool
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
	n, key := t.frames(1), cfg.Rate.Frames(keyTime)
	t.speech, t.noise = speech(cfg.Rate, t.frames(speechSlots)), noise(n)
	t.said, t.heard = make([]int16, n), make([]int16, n)
	t.sounds, t.left = make([]int16, 0, key), make([]int16, key)
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
	t.sayKey()
	t.through(t.armed, t.said)
	t.hearKey()
	if t.slot < speechSlots {
		said := t.speech[t.frames(t.slot):t.frames(t.slot+1)]
		t.through(t.idle, said)
		t.hearSpeech()
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

// through takes a slot through a shadow, in blocks as short as a device's.
func (t *Test) through(p Path, said []int16) {
	block := 10 * t.cfg.Rate.TickFrames()
	for at := 0; at < len(said); at += block {
		p.Write(said[at : at+block])
		p.Read(t.heard[at : at+block])
	}
}

// compose chooses a key, and where it lies.
func (t *Test) compose() {
	t.key = tone.Keys[t.rand.IntN(len(tone.Keys))]
	t.digit, _ = audio.NewDigit(t.key)
	t.from = t.frames(keySlot) + t.rand.IntN(t.frames(1))
	t.to = t.from + cap(t.sounds)
	t.found, t.right, t.mangled = 0, false, false
	sines, _ := tone.Pair(t.key, keyDBm0, 0)
	t.sounds = tone.Append(t.sounds[:0], t.cfg.Rate, cap(t.sounds), t.cfg.Rate.TickFrames(), sines[:]...)
}

// sayKey is what the armed shadow is told in this slot: noise, and as much of the key as lies in it.
func (t *Test) sayKey() {
	copy(t.said, t.noise)
	first := t.frames(t.slot)
	for at := max(t.from, first); at < min(t.to, first+len(t.said)); at++ {
		t.said[at-first] += t.sounds[at-t.from]
	}
}

// hearKey takes what came out of it: what lies in the key's place, and whether the noise is as it was, long before the key and after all that it has masked.
// Where a mask ends it is cut in the midst of a tick.
func (t *Test) hearKey() {
	first := t.frames(t.slot) - t.armed.Delay()
	before, after := t.frames(1), t.frames(slots-2)+t.frames(1)/10
	for i, v := range t.heard {
		at := first + i // when that was said
		if at >= t.from && at < t.to {
			t.left[at-t.from] = v
		}
		if at >= 0 && at < before || at >= after {
			t.mangled = t.mangled || v != t.noise[at%len(t.noise)]
		}
	}
}

// hearSpeech takes what came out of the idle shadow.
func (t *Test) hearSpeech() {
	first := t.frames(t.slot) - t.idle.Delay()
	for i, v := range t.heard {
		if at := first + i; at >= 0 {
			t.mangled = t.mangled || v != t.speech[at]
		}
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
	sines, _ := tone.Pair(t.key, keyDBm0, 0)
	for _, s := range sines {
		if level(t.left, t.cfg.Rate, s.Hz) > mostDBm0 {
			return ErrLeaks
		}
	}
	switch {
	case t.found != 1 || !t.right:
		return ErrMissed
	case t.mangled:
		return ErrMangles
	}
	return nil
}

package tune

import (
	"errors"
	"sync/atomic"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/ring"
)

// Tap is the end of a tuning or a test that lies on the devices' threads: copies of what comes in on either leg, and what is played in
// the place of what would go out. It is made before any of that begins, and nothing in it allocates, locks or waits.
type Tap struct{ Caller, Agent *Leg }

// Leg is one side of a Tap. Take, Lost and Fill belong to the device's thread, all else to the tuning.
type Leg struct {
	ring *ring.Ring
	// lost counts the device's gaps, which keep their place, and missed the frames for which the tuning left no room.
	lost, missed atomic.Int64
	play         atomic.Pointer[play]
	shut         atomic.Bool
	echo         echo
}

// play is a sound that goes out, over and over for so many frames, and silence after it.
type play struct {
	sound  []int16
	frames int
	// loops: in the place of a sound, the leg's own comes back.
	loops bool
	at    int
	// began is the position of the leg's input, in the turn in which the sound began, that lies opposite its first frame; -1 before.
	began atomic.Int64
	// over: a turn began after the last frame, which has gone out.
	over atomic.Bool
}

// NewTap makes a Tap that keeps a leg for two seconds.
func NewTap(rate audio.Rate) (_ *Tap, err error) {
	t := &Tap{Caller: &Leg{}, Agent: &Leg{}}
	for _, l := range []*Leg{t.Caller, t.Agent} {
		if l.ring, err = ring.New(2 * int(rate)); err == nil {
			l.echo, err = newEcho(rate)
		}
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
	}
	return t, nil
}

// Close wipes and frees. Neither the devices nor the tuning may use the Tap any more.
func (t *Tap) Close() error {
	var errs []error
	for _, l := range []*Leg{t.Caller, t.Agent} {
		for _, r := range []*ring.Ring{l.ring, l.echo.ring} {
			if r != nil {
				errs = append(errs, r.Close())
			}
		}
	}
	return errors.Join(errs...)
}

// Shut has both legs given silence wherever nothing is played on them, or, shut no more, what they would be given without the Tap.
func (t *Tap) Shut(shut bool) {
	t.Caller.shut.Store(shut)
	t.Agent.shut.Store(shut)
}

// Take copies what the device captured.
func (l *Leg) Take(in []int16) {
	l.took(fill(l.ring, in), len(in))
	l.echo.take(l.play.Load(), in)
}

// Lost puts silence where the device lost what it should have captured.
func (l *Leg) Lost(frames int) {
	l.lost.Add(1)
	l.took(silence(l.ring, frames), frames)
	l.echo.lost(l.play.Load(), frames)
}

func (l *Leg) took(n, of int) {
	if n < of {
		l.missed.Add(int64(of - n))
	}
}

// Fill replaces what the device is to play, if a sound is to be heard.
func (l *Leg) Fill(out []int16) {
	p := l.play.Load()
	if p == nil {
		if l.shut.Load() {
			clear(out)
		}
		return
	}
	if p.loops && l.echo.of != p { // it begins with a turn in which something is taken for it
		clear(out)
		return
	}
	if p.at == 0 {
		p.began.Store(int64(l.ring.Written()) - int64(len(out)))
	}
	if p.at >= p.frames {
		p.over.Store(true)
	}
	rest := out[:max(0, min(len(out), p.frames-p.at))]
	clear(out[len(rest):])
	if p.loops {
		l.echo.fill(rest)
	} else {
		for i := range rest {
			rest[i] = p.sound[(p.at+i)%len(p.sound)]
		}
	}
	p.at += len(out)
}

// sound has a sound played from the next turn on, once; then silence until hush.
func (l *Leg) sound(x []int16) *play { return l.plays(&play{sound: x, frames: len(x)}) }

func (l *Leg) plays(p *play) *play {
	p.began.Store(-1)
	l.play.Store(p)
	return p
}

// hush gives the leg back to whoever filled it.
func (l *Leg) hush() { l.play.Store(nil) }

// forget drops what was captured up to now.
func (l *Leg) forget() {
	empty(l.ring)
	l.lost.Store(0)
	l.missed.Store(0)
}

// have is how many frames wait.
func (l *Leg) have() int { return filled(l.ring) }

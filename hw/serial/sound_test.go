package serial

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/serial/dle"
)

func noise(frames int) []int16 {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]int16, frames)
	for i := range x {
		x[i] = int16(r.Uint32()) | 1
	}
	return x
}

// through is what a modem's coding leaves of sound.
func (r *rig) through(x []int16) []int16 {
	c := dle.Coding(r.m.sound.coding.Load())
	b := make([]byte, len(x)*c.Width())
	c.Bytes(b, x)
	y := make([]int16, len(x))
	c.Samples(y, b)
	return y
}

// begins is where in what was heard the far party begins to speak.
func (r *rig) begins() int {
	r.t.Helper()
	heard, first := r.hears(), r.through(r.said[:400])
	for i := range heard {
		if i+len(first) <= len(heard) && slices.Equal(heard[i:i+len(first)], first) {
			return i
		}
	}
	r.t.Fatal("what the far party said first was not heard")
	return 0
}

// differ tells where two sounds do first.
func differ(x, y []int16) string {
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("at frame %d of %d and %d", i, len(x), len(y))
		}
	}
	return ""
}

// holdsTo checks that all that was said is heard, and that what the turns filled is played so many frames later, from one of the far party's positions to
// another, to the bit.
func (r *rig) holdsTo(base, later, from, to int) {
	r.t.Helper()
	heard := r.hears()[base:]
	if where := differ(heard[from:to], r.through(r.said[from:to])); where != "" {
		r.t.Errorf("what was heard isn't what was said %s behind %d", where, from)
	}
	filled := make([]int16, to-from)
	for i := range filled {
		filled[i] = count(base + from + i - later)
	}
	if where := differ(r.far.Heard()[from:to], r.through(filled)); where != "" {
		r.t.Errorf("what was played isn't what was filled %d frames before %s behind %d", later, where, from)
	}
}

// TestTenMinutes: all that is said is heard and all that is filled is played, to the bit and as late as at first, which is what comes at once; whatever
// the modem's clock.
func TestTenMinutes(t *testing.T) {
	minutes := 10
	if testing.Short() {
		minutes = 1
	}
	said := noise(8000 * 60 * minutes)
	for _, burst := range []int{1, 5} {
		for _, ppm := range []int{-200, 200} {
			t.Run(fmt.Sprintf("%d at once, %+d ppm", burst, ppm), func(t *testing.T) {
				bubble(t, modem.Spec{Burst: burst, PPM: ppm, In: said, Split: true}, func(t *testing.T, r *rig) {
					r.up()
					r.talk()
					time.Sleep(time.Duration(minutes) * time.Minute)
					later := 160 * burst
					r.holdsTo(r.begins(), later, later, len(r.said)-8000)
					if r.lacks() {
						t.Error("some was taken for lost")
					}
					if under, over := r.far.Xruns(); under+over > 0 {
						t.Errorf("%d times too little, %d times too much", under, over)
					}
				})
			})
		}
	}
}

// TestAStallIsForgotten: all that is said is heard, and within a second what is played is as late as before.
func TestAStallIsForgotten(t *testing.T) {
	said := noise(8000 * 20)
	for _, phase := range []time.Duration{0, 3, 10, 17} {
		t.Run(fmt.Sprint(phase), func(t *testing.T) {
			bubble(t, modem.Spec{In: said}, func(t *testing.T, r *rig) {
				r.up()
				r.talk()
				time.Sleep(5*time.Second + phase*time.Millisecond)
				stalled := len(r.far.Heard())
				r.far.StallFor(300 * time.Millisecond)
				time.Sleep(10 * time.Second)
				base, end := r.begins(), len(r.far.Heard())-320
				if where := differ(r.hears()[base:][:end], r.through(r.said[:end])); where != "" {
					t.Errorf("what was heard isn't what was said %s", where)
				}
				r.holdsTo(base, 160, 160, stalled-320)
				r.holdsTo(base, 160+r.moved(base, end), stalled+2400+8000, end)
				if by := r.moved(base, end); by < -8 || by > 8 {
					t.Errorf("what is played comes %d frames later than before", by)
				}
			})
		})
	}
}

// moved is by how many frames what is played is later than a block, at one of the far party's positions.
func (r *rig) moved(base, at int) int {
	r.t.Helper()
	by, ok := r.played(base, at)
	if !ok {
		r.t.Fatal("what is played was never filled")
	}
	return by
}

// played is moved, if a block that was filled is played whole there.
func (r *rig) played(base, at int) (by int, ok bool) {
	heard := r.far.Heard()[at-160 : at]
	for by := -400; by < 4000; by++ {
		filled := make([]int16, len(heard))
		for i := range filled {
			filled[i] = count(base + at - 160 + i - 160 - by)
		}
		if slices.Equal(heard, r.through(filled)) {
			return by, true
		}
	}
	return 0, false
}

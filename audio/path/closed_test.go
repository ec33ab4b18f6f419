package path_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/audio/tone"
)

// device plays a caller through a path, a period after the other, and keeps what the agent hears.
type device struct {
	*path.Path
	in, out []int16
}

const period = 40 // frames: 5 ms

func (d *device) write(frames int) {
	d.Write(d.in[:frames])
	d.in = d.in[frames:]
}

func (d *device) read(frames int) {
	out := make([]int16, frames)
	d.Read(out)
	d.out = append(d.out, out...)
}

// catchUp reads all that a reader in step would have read by now.
func (d *device) catchUp() { d.read(int(d.Position()) - len(d.out)) }

// fault is what may go wrong with a key sounding.
type fault struct {
	name   string
	stalls bool // the reader stands still before, for as long as the path has room
	do     func(d *device) error
	told   bool // as a fault
	heals  bool // what comes after is heard again
}

var faults = []fault{
	{"xrun", false, func(d *device) error {
		d.Lost(160)
		d.in = d.in[160:]
		d.read(160)
		return nil
	}, false, true},
	{"gap, of what the reader left no room for", true, func(d *device) error {
		d.write(800) // the rest of the key with it
		d.catchUp()
		return nil
	}, true, true},
	{"late block, asked for before it was judged", false, func(d *device) error {
		d.read(d.Delay() + 160)
		d.write(d.Delay() + 160)
		return nil
	}, true, true},
	{"late block, from a reader that stood still", true, func(d *device) error {
		d.catchUp()
		return nil
	}, false, true},
	{"detector panic", false, func(d *device) error { return d.BreakDetector() }, true, false},
	{"masker panic", false, func(d *device) error { return d.BreakMasker() }, true, false},
	{"clock jump ahead, which nobody told", false, func(d *device) error {
		d.in = d.in[160:]
		return nil
	}, false, true},
	{"clock jump back, which nobody told", false, func(d *device) error {
		d.Write(d.in[:160])
		d.read(160)
		return nil
	}, false, true},
	{"clock jump of ten seconds", false, func(d *device) error {
		d.Lost(80_000)
		d.catchUp()
		return nil
	}, true, true},
}

// An armed line fails closed: whatever goes wrong, and whenever with a key about to sound, sounding or about to end, no half
// millisecond of the key comes through.
func TestEveryFaultWhileAKeySoundsIsMasked(t *testing.T) {
	for _, lookAhead := range []time.Duration{shortest, usual} {
		room := roomOf(t, lookAhead)
		for _, f := range faults {
			for _, shield := range []mask.Shield{mask.Keys, mask.Run} {
				t.Run(fmt.Sprintf("%s/%v/%v", f.name, lookAhead, shield), func(t *testing.T) {
					cfg := path.Config{Rate: audio.Rate8k, LookAhead: lookAhead, Shield: shield}
					for i, at := range []float64{-20, -5, 0, 1, 2, 3, 5, 8, 12, 20, 40, 60, 70, 78} {
						if testing.Short() && i%4 != 0 {
							continue
						}
						n, heard := f.strike(t, cfg, mask.Armed, tone.Keys[i], at, room)
						if n > 0 {
							t.Errorf("%g ms after the onset: %d frames of the key came through", at, n)
						}
						if f.heals != (heard > 0) {
							t.Errorf("%g ms after the onset: of what comes after the key, %d frames were heard", at, heard)
						}
					}
					if n, _ := f.strike(t, cfg, mask.Pass, '5', 70, room); n < 240 {
						t.Errorf("on a line that masks nothing %d frames of a key came through, so this test sees nothing", n)
					}
				})
			}
		}
	}
}

// A gap is suspect by itself, with no key near: what was held when the reader left no room is masked, for it may be a key's head.
func TestAGapIsSuspect(t *testing.T) {
	const rate = audio.Rate8k
	room := roomOf(t, usual)
	p := open(t, path.Config{Rate: rate}, mask.Armed)
	d := device{Path: p, in: noise(9, room+8*1000, -30)}
	before := d.in[:room]
	d.write(room + 160)
	d.catchUp()
	d.write(d.Delay() + 160)
	d.catchUp()
	held := ms(rate, 28) // and the tick that is being decided, and the one that went out for it
	if n := found(before[room-held:], d.out); n > 0 {
		t.Errorf("%d frames before a gap came through", n)
	}
	if n := found(before[:room-2*held], d.out); n < room-2*held-4 {
		t.Errorf("of %d frames long before it only %d came through", room-2*held, n)
	}
}

// strike has a fault some milliseconds after the onset of a key, and tells how many frames of the key and of what came a second and
// a half after it were heard.
func (f *fault) strike(t *testing.T, cfg path.Config, grade mask.Grade, key byte, atMS float64, room int) (leaked, after int) {
	t.Helper()
	p := open(t, cfg, grade)
	onset, length := 4000, 640
	if f.stalls {
		onset += room
	}
	in := noise(5, onset+8*2500, -50)
	press(in, cfg.Rate, key, onset, length, -10, 2)
	d := device{Path: p, in: in}
	left := onset + ms(cfg.Rate, atMS) // until the fault
	for ; left >= period; left -= period {
		d.write(period)
		if !f.stalls || left > room {
			d.read(period)
		}
	}
	d.write(left)
	before := p.Stats().Faults
	if err := f.do(&d); err != nil {
		t.Fatal(err)
	}
	for len(d.in) >= period {
		d.write(period)
		d.read(period)
	}
	if told := p.Stats().Faults > before; told != f.told {
		t.Errorf("%g ms after the onset: a fault was counted: %v", atMS, told)
	}
	if p.Grade() < grade {
		t.Errorf("the line is %v after it", p.Grade())
	}
	return found(in[onset:onset+length], d.out), found(in[onset+8*1500:], d.out)
}

// roomOf is how many frames a path holds beside its delay, when nobody reads.
func roomOf(t *testing.T, lookAhead time.Duration) int {
	t.Helper()
	p := open(t, path.Config{Rate: audio.Rate8k, LookAhead: lookAhead}, mask.Armed)
	for p.Stats().Faults == 0 {
		p.Write(make([]int16, 1))
	}
	return int(p.Position())
}

// found counts the frames of x in stretches of half a millisecond that are anywhere in out.
func found(x, out []int16) (frames int) {
	type stretch [4]int16
	known := map[stretch]bool{}
	for i := 4; i <= len(x); i++ {
		known[stretch(x[i-4:i])] = true
	}
	for i := 4; i <= len(out); i++ {
		if known[stretch(out[i-4:i])] {
			frames++
		}
	}
	return frames
}

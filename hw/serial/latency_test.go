package serial

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/resample"
	"github.com/flattone/flattone/hw/hwtest/modem"
)

// leg is one direction of a line with two clocks: what one side takes the other fills, by the drift control.
type leg struct {
	mu      sync.Mutex
	waiting []int16
	written int64
	joint   *resample.Joint
}

func newLeg() *leg {
	l := &leg{}
	l.joint = resample.New(Rate, l)
	return l
}

func (l *leg) Position() audio.Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return audio.Position(l.written)
}

func (l *leg) Read(out []int16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = l.waiting[copy(out, l.waiting):]
}

func (l *leg) write(in []int16, now time.Duration) {
	l.mu.Lock()
	l.waiting = append(l.waiting, in...)
	l.written += int64(len(in))
	l.mu.Unlock()
	l.joint.Wrote(now)
}

// bridged is a modem's side of a line whose other side is a sound card, as package line joins them, without its path.
type bridged struct {
	down, up *leg
	began    time.Time
	first    atomic.Int64 // when the modem's sound first came
}

func (b *bridged) now() time.Duration { return time.Since(b.began) }

func (b *bridged) Take(in []int16) {
	if b.first.Load() == 0 && in[0] != 0 {
		b.first.Store(int64(b.now()))
	}
	b.down.write(in, b.now())
}
func (b *bridged) Lost(frames int)  { b.Take(make([]int16, frames)) }
func (b *bridged) Fill(out []int16) { b.up.joint.Read(out, b.now()) }

// clicks are apart by more than any latency, and by no whole number of anything. Between them nothing is 0, as it is while there is no call.
func clicks(frames int) []int16 {
	x := make([]int16, frames)
	for i := range x {
		x[i] = 0x100
		if i > 0 && i%apart == 0 {
			x[i] = 0x7f00
		}
	}
	return x
}

const apart = 7919

// peaks is where clicks are in what was heard.
func peaks(x []int16) (at []int) {
	for i := 1; i+1 < len(x); i++ {
		if x[i] > 12000 && x[i] >= x[i-1] && x[i] > x[i+1] {
			at = append(at, i)
		}
	}
	return at
}

// span is the least and the most of latencies.
type span struct{ least, most time.Duration }

func (s *span) add(d time.Duration) {
	if s.least == 0 || d < s.least {
		s.least = d
	}
	s.most = max(s.most, d)
}

// TestOneWay: from the caller at a modem to the agent at a sound card of 24 frames a period, and back, sound is late by less than 30 ms where the modem gives
// 20 ms at a time, and as late for ten minutes, whatever the modem's clock, and again a second after a stall of 300 ms. What comes at once adds its length.
func TestOneWay(t *testing.T) {
	minutes := 10
	if testing.Short() {
		minutes = 1
	}
	for _, c := range []struct {
		burst, ppm int
		most       time.Duration
	}{{1, -200, 30 * time.Millisecond}, {1, 200, 30 * time.Millisecond}, {5, 200, 125 * time.Millisecond}} {
		t.Run(fmt.Sprintf("%d at once, %+d ppm", c.burst, c.ppm), func(t *testing.T) {
			spec := modem.Spec{Burst: c.burst, PPM: c.ppm, In: clicks(8000 * 60 * (minutes + 1))}
			bubble(t, spec, func(t *testing.T, r *rig) { oneWay(t, r, spec, minutes, c.most) })
		})
	}
}

func oneWay(t *testing.T, r *rig, spec modem.Spec, minutes int, most time.Duration) {
	const period = 24
	b := &bridged{down: newLeg(), up: newLeg(), began: time.Now()}
	r.turn = b
	r.up()
	r.talk()
	said, heard := clicks(8000*60*(minutes+1)), []int16(nil)
	card := b.now()
	end := card + time.Duration(minutes)*time.Minute
	stall := card + time.Duration(minutes)*time.Minute/2
	for i := 0; b.now() < end; i++ {
		if now := b.now(); now >= stall {
			r.far.StallFor(300 * time.Millisecond)
			stall = end
		}
		time.Sleep(time.Until(b.began.Add(card + Rate.Duration(int64(i+1)*period))))
		b.up.write(said[i*period:(i+1)*period], b.now())
		heard = append(heard, make([]int16, period)...)
		b.down.joint.Read(heard[len(heard)-period:], b.now())
	}
	frame := float64(time.Second) / float64(Rate)
	first := time.Duration(b.first.Load()) - time.Duration(spec.Burst)*20*time.Millisecond
	byCard := func(i int) time.Duration { return card + time.Duration(float64(i)*frame) }
	byModem := func(i int) time.Duration {
		return first + time.Duration(float64(i)*frame/(1+float64(spec.PPM)*1e-6))
	}
	stalled := card + time.Duration(minutes)*time.Minute/2
	judged := func(at time.Duration) bool {
		return at > card+5*time.Second && (at < stalled-time.Second || at > stalled+1300*time.Millisecond)
	}
	check := func(direction string, at []int, spoken, heard func(int) time.Duration) {
		t.Helper()
		var late span
		n := 0
		for _, i := range at {
			when := heard(i)
			if !judged(when) {
				continue
			}
			for k := apart; ; k += apart { // the last click before
				if spoken(k+apart) > when {
					late.add(when - spoken(k))
					n++
					break
				}
			}
		}
		t.Logf("%s: %v to %v, of %d clicks", direction, late.least, late.most, n)
		if n < 50*minutes || late.most > most || late.most-late.least > 3*time.Millisecond {
			t.Errorf("%s sound is late by %v to %v, of %d clicks", direction, late.least, late.most, n)
		}
	}
	// What the card captured in a period is there at its end, and what it is given is played from there on.
	check("caller to agent", peaks(heard), byModem, func(i int) time.Duration { return byCard(i + period) })
	check("agent to caller", peaks(r.far.Heard()), byCard, byModem)
}

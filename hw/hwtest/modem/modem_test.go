package modem_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/modem"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func noise(samples int, seed uint64) []int16 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]int16, samples)
	for i := range x {
		x[i] = int16(r.Uint32())
	}
	return x
}

// coarse is what 8 bits leave of samples.
func coarse(x []int16) []int16 {
	x = slices.Clone(x)
	for i := range x {
		x[i] &^= 0xff
	}
	return x
}

// encoded is how sound goes over a family's wire, and decoded is what it was.
func (f manners) encoded(x []int16) (p []byte) {
	for _, v := range x {
		if f.kind != modem.V253 {
			p = append(p, byte(v), byte(uint16(v)>>8))
			continue
		}
		if p = append(p, byte(v>>8)+128); p[len(p)-1] == 0x10 {
			p = append(p, 0x10)
		}
	}
	return p
}

func afterSilence(x []int16) []int16 {
	for len(x) > 0 && x[0] == 0 {
		x = x[1:]
	}
	return x
}

// A call whose every sample is known: what the far party says comes in, and what is played goes out, at the place where it was played.
func TestCall(t *testing.T) {
	each(t, worlds, func(t *testing.T, w world, f manners) {
		const frame, frames = 160, 20
		said, played := noise(frames*frame, 1), noise(frames*frame, 2)
		h := f.bring(t, w, modem.Spec{In: said, Patient: true})
		h.begin(f)
		out := h.sound
		if out == nil {
			out = h.at
		}
		frameOf := func(x []int16, i int) []byte { return f.encoded(x[min(i*frame, len(x)):min((i+1)*frame, len(x))]) }
		for i := 0; len(afterSilence(h.m.Heard())) < frames*frame; i++ {
			want := frameOf(append(said, make([]int16, (i+1)*frame)...), i)
			if got := h.read(len(want)); !bytes.Equal(got, want) {
				t.Fatalf("frame %d isn't what the far party said", i)
			}
			if _, err := out.Write(frameOf(append(played, make([]int16, (i+1)*frame)...), i)); err != nil {
				t.Fatal(err)
			}
		}
		h.m.HangUp()
		if f.kind == modem.V253 {
			h.expect("\x10b")
			h.write("\x10^")
			h.expect("\x10\x03")
			h.expect("\r\nOK\r\n")
			h.do(f.hangUp)
		} else {
			h.expect(f.ended)
		}
		h.all(f.off)
		if call, sound := h.m.Active(); call || sound {
			t.Error("the call isn't over")
		}
		want := played
		if f.kind == modem.V253 {
			want = coarse(played)
		}
		heard := h.m.Heard()
		got := afterSilence(heard)
		const slack = 80 // of a patient modem
		if w.name == memory.name && len(heard)-len(got) != frame+slack {
			t.Errorf("what was played at once is heard at %d", len(heard)-len(got))
		}
		if !slices.Equal(got[:len(want)], want) {
			t.Error("the far party heard something else than was played")
		}
		if b := h.m.Blames(); len(b) > 0 {
			t.Error(b)
		}
	})
}

func TestDial(t *testing.T) {
	each(t, worlds[:1], func(t *testing.T, w world, f manners) {
		said := noise(1600, 1)
		h := f.bring(t, w, modem.Spec{In: said})
		h.all(f.before)
		h.do(f.dial)
		if f.kind == modem.Quectel {
			f.began = "^DSCI: 1,0,3,0,5550100,129"
		}
		h.sounds(f)
		if want := f.encoded(said); !bytes.Equal(h.read(len(want)), want) {
			t.Error("what came in isn't what the far party said")
		}
		for _, line := range h.m.Log() {
			if bytes.Contains([]byte(line), []byte("5550100")) {
				t.Error("a number is in the log")
			}
		}
	})
}

package modem_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio/g711"
	"github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/hwtest/wires"
)

// The clock gives 8 samples a millisecond of its own time, to the sample, over ten minutes, in transfers of a burst.
func TestClock(t *testing.T) {
	for _, ppm := range []int{-200, 0, 200} {
		synctest.Test(t, func(t *testing.T) {
			h := everyone[2].bring(t, memory, modem.Spec{PPM: ppm, Burst: 5})
			h.begin(everyone[2])
			begun := time.Now()
			const transfers = 6000 // ten minutes
			for range transfers {
				h.read(1600)
			}
			const nominal = 10 * time.Minute
			want := time.Duration(float64(nominal) / (1 + float64(ppm)*1e-6))
			if off := time.Since(begun) - want; off < 0 || off > 10*time.Microsecond {
				t.Errorf("%d ppm: it was off by %v", ppm, off)
			}
		})
	}
}

// What a modem plays is what there is at that instant: what comes in one frame's time is heard after it, if the FIFO was empty, and what is more waits its turn.
func TestFIFO(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := everyone[2]
		h := f.bring(t, memory, modem.Spec{FIFOFrames: 4})
		h.begin(f)
		h.read(320)
		synctest.Wait()
		played := noise(6*160, 1)
		h.sound.Write(f.encoded(played))
		time.Sleep(200 * time.Millisecond)
		want := append(make([]int16, 160), played[:4*160]...) // and what is over is lost
		want = append(want, make([]int16, 11*160-len(want))...)
		if got := h.m.Heard(); !slices.Equal(got, want) {
			t.Errorf("it heard something else in %d samples", len(got))
		}
		if under, over := h.m.Xruns(); under != 1 || over != 1 {
			t.Errorf("xruns: %d, %d", under, over)
		}
	})
}

// Samples may come in any pieces.
func TestOddPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := everyone[2]
		h := f.bring(t, memory, modem.Spec{})
		h.begin(f)
		played := noise(160, 1)
		p := f.encoded(played)
		for _, piece := range [][]byte{p[:1], p[1:4], p[4:7], p[7:]} {
			h.sound.Write(piece)
			synctest.Wait()
		}
		time.Sleep(100 * time.Millisecond)
		if got := h.m.Heard(); !slices.Equal(got[:160], played) {
			t.Error("it heard something else")
		}
	})
}

// A patient modem waits for a program that is late, and gives up in the end.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := everyone[2]
		h := f.bring(t, memory, modem.Spec{Patient: true})
		h.begin(f)
		h.read(320)
		played := noise(320, 1)
		h.sound.Write(f.encoded(played[:160]))
		time.Sleep(800 * time.Millisecond)
		h.sound.Write(f.encoded(played[160:]))
		time.Sleep(100 * time.Millisecond)
		if got := afterSilence(h.m.Heard()); !slices.Equal(got, played) {
			t.Errorf("there is a gap in %d samples", len(got))
		}
		time.Sleep(3 * time.Second)
		if under, _ := h.m.Xruns(); under != 1 {
			t.Errorf("it had nothing to play %d times", under)
		}
	})
}

func TestSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := everyone[2]
		h := f.bring(t, memory, modem.Spec{In: noise(8000, 1)})
		h.begin(f)
		h.read(320)
		first, second := h.m.Say(noise(160, 2)), h.m.Say(noise(160, 3))
		if first != 160 || second != 320 {
			t.Errorf("it says it at %d and %d", first, second)
		}
		want := f.encoded(slices.Concat(noise(160, 2), noise(160, 3), noise(8000, 1)[480:]))
		if !bytes.Equal(h.read(len(want)), want) {
			t.Error("it said something else")
		}
	})
}

// Of what a voice modem plays, some comes back.
func TestHybridEcho(t *testing.T) {
	in(t, modem.V253, modem.Spec{HybridEchoDB: 12.04}, func(t *testing.T, h *host, f manners) { // a quarter
		h.begin(f)
		h.read(160)
		h.write(string(f.encoded(slices.Repeat([]int16{0x4000}, 160))))
		if got := h.read(160); got[80] != 0x90 {
			t.Errorf("% x", got[80])
		}
	})
}

// Every code of the wire's table gets through the sound, where it was given, and takes nothing of it; and by itself before there is sound.
func TestCodes(t *testing.T) {
	in(t, modem.V253, modem.Spec{In: slices.Repeat([]int16{-0x7000, 0x1200}, 80000)}, func(t *testing.T, h *host, f manners) {
		for _, c := range wires.Codes {
			h.m.Code(c.Byte)
			h.expect(string([]byte{wires.DLE, c.Byte}))
		}
		h.begin(f)
		for _, c := range wires.Codes {
			h.m.Code(c.Byte)
			h.write("\x55") // which it plays, and then has nothing
			time.Sleep(20 * time.Millisecond)
		}
		var data, codes []byte
		for p := h.read(2*len(wires.Codes) + 160*len(wires.Codes)*3/2); len(p) > 1; p = p[1:] {
			if p[0] != wires.DLE {
				data = append(data, p[0])
				continue
			}
			if p = p[1:]; p[0] == wires.DLE {
				data = append(data, wires.DLE)
			} else {
				codes = append(codes, p[0])
			}
		}
		if want := bytes.Repeat([]byte{wires.DLE, 0x92}, len(data)); !bytes.Equal(data, want[:len(data)]) {
			t.Error("the sound isn't whole")
		}
		want := make([]byte, 0, len(wires.Codes))
		for _, c := range wires.Codes {
			want = append(want, c.Byte)
		}
		if got := bytes.ReplaceAll(codes, []byte("u"), nil); !bytes.HasPrefix(got, bytes.ReplaceAll(want, []byte("u"), nil)[:len(want)-8]) {
			t.Errorf("codes % x", codes)
		}
		if bytes.Count(codes, []byte("u")) < len(want)-8 {
			t.Error("it doesn't tell that it has nothing to play")
		}
	})
}

// A program's sound may have any code in it that is the modem's to understand.
func TestCodesFromTheProgram(t *testing.T) {
	in(t, modem.V253, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.begin(f)
		h.read(160)
		h.write("\x90\x10\x10\x91\x10\x1a\x92\x10z\x93")
		time.Sleep(100 * time.Millisecond)
		const d = -0x7000
		if got, want := afterSilence(h.m.Heard())[:7], []int16{0x1000, d, 0x1100, d, d, 0x1200, 0x1300}; !slices.Equal(got, want) {
			t.Errorf("it heard %x", got)
		}
		if b := h.m.Blames(); len(b) != 1 {
			t.Errorf("it blames %v", b)
		}
		h.write("\x10^AT\r") // what follows is a command
		h.expect("\x10\x03\r\nOK\r\n\r\nOK\r\n")
	})
}

// Formats of all makes, chosen by number.
func TestFormats(t *testing.T) {
	for _, table := range wires.Formats {
		for _, l := range table.Lines {
			synctest.Test(t, func(t *testing.T) {
				h := openMemory(t, modem.New(t, modem.Spec{Kind: modem.V253, Formats: table.Lines, In: slices.Repeat([]int16{0x1210}, 800)}))
				h.do("AT+FCLASS=8")
				if said := h.do("AT+VSM=?"); !strings.Contains(said, "\r\n"+l.Line+"\r\n") {
					t.Errorf("%s: it lists %q", table.Make, said)
				}
				choice, number := "AT+VSM=", strings.Trim(strings.SplitN(strings.TrimPrefix(l.Line, "+VSM: "), ",", 2)[0], " ")
				if l.Coding == wires.Unusable {
					h.ends(choice+number+",8000", "ERROR")
					return
				}
				h.ends(choice+number+",7200", "ERROR")
				h.do(choice + number + ",8000")
				h.m.Ring(wires.Number)
				h.do("AT+VLS=1")
				h.write("AT+VTR\r")
				h.expect("CONNECT\r\n")
				want := map[string]string{
					wires.Unsigned8: "\x92", wires.Signed8: "\x12", wires.Signed16: "\x10\x10\x12",
					wires.Mu: string([]byte{g711.EncodeMu(0x1210)}), wires.A: string([]byte{g711.EncodeA(0x1210)}),
				}[l.Coding]
				if got := string(h.read(len(want))); got != want {
					t.Errorf("%s: %s: % x", table.Make, l.Line, got)
				}
			})
		}
	}
}

package modem_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
)

// faults runs a test of a fault for all families, in memory, with a modem that is ready.
func faults(t *testing.T, s modem.Spec, body func(t *testing.T, h *host, f manners)) {
	each(t, []world{memory}, func(t *testing.T, w world, f manners) { body(t, f.bring(t, w, s), f) })
}

// drain is what the modem says until it is silent for a time-out.
func (h *host) drain() (said string) {
	h.t.Helper()
	buf := make([]byte, 4096)
	for {
		n, err := h.at.Read(buf)
		h.heard = append(h.heard, buf[:n]...)
		if err != nil {
			said = string(h.heard)
			h.heard = nil
			return said
		}
	}
}

func TestGarbage(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, _ manners) {
		h.m.Garbage(true)
		h.write("AT\r")
		said := h.drain()
		if said == "" || strings.Contains(said, "OK") || strings.Contains(said, "ERROR") {
			t.Errorf("it said %q", said)
		}
		h.m.Ring("5550100")
		if said := h.drain(); said == "" || strings.Contains(said, "RING") {
			t.Errorf("it said %q", said)
		}
		h.m.Garbage(false)
		h.do("AT")
	})
}

func TestMute(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, _ manners) {
		h.m.Mute(true)
		h.write("AT\r")
		h.m.Ring("5550100")
		if said := h.drain(); said != "" {
			t.Errorf("it said %q", said)
		}
		h.m.Mute(false)
		h.do("AT")
	})
}

func TestRefuse(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.m.Refuse("ATE")
		h.ends("ATE0", "ERROR")
		h.do("AT")
		h.m.Refuse()
		h.do("ATE0")
	})
}

func TestRingFlood(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.m.RingFlood(100 * time.Millisecond)
		ring := "RING"
		if f.kind == modem.V253 {
			ring = "\x10R"
		}
		if n := strings.Count(h.drain(), ring); n != 100 {
			t.Errorf("it rang %d times", n)
		}
		h.do("AT")
	})
}

func TestEndless(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, _ manners) {
		h.m.Endless(time.Second)
		if said := h.drain(); len(said) != 16000 || strings.ContainsAny(said, "\r\n") {
			t.Errorf("it said %d bytes", len(said))
		}
		h.do("AT")
	})
}

// A stalled modem's sound comes late, and whole; the one that is played has a gap.
func TestStall(t *testing.T) {
	said := noise(80*160, 1)
	faults(t, modem.Spec{In: said}, func(t *testing.T, h *host, f manners) {
		h.begin(f)
		h.read(len(f.encoded(said[:160])))
		begun := time.Now()
		h.m.StallFor(300 * time.Millisecond)
		rest := f.encoded(said[160:3200])
		if got := h.read(160); !bytes.Equal(got, rest[:160]) {
			t.Error("what comes after the stall isn't what was said in it")
		}
		if d := time.Since(begun); d != 300*time.Millisecond {
			t.Errorf("it stalled for %v", d)
		}
		backlog := len(f.encoded(said[160 : 160+300*8]))
		if got := h.read(backlog - 160); !bytes.Equal(got, rest[160:backlog]) {
			t.Error("what was said while it stalled isn't whole")
		}
		if d := time.Since(begun); d != 300*time.Millisecond {
			t.Errorf("the last of it came after %v", d)
		}
		if got := h.read(len(rest) - backlog); !bytes.Equal(got, rest[backlog:]) {
			t.Error("what comes then is something else")
		}
	})
}

func TestHalfRate(t *testing.T) {
	said := noise(80*160, 1)
	faults(t, modem.Spec{In: said}, func(t *testing.T, h *host, f manners) {
		h.m.HalfRate(true)
		h.begin(f)
		begun := time.Now()
		want := f.encoded(said[:1600])
		if got := h.read(len(want)); !bytes.Equal(got, want) {
			t.Error("it isn't what was said")
		}
		if d := time.Since(begun); d != 400*time.Millisecond {
			t.Errorf("200 ms of sound came in %v", d)
		}
		h.m.HalfRate(false)
		begun = time.Now()
		if want := f.encoded(said[1600:3200]); !bytes.Equal(h.read(len(want)), want) || time.Since(begun) != 200*time.Millisecond {
			t.Errorf("200 ms of sound came in %v then", time.Since(begun))
		}
	})
}

func TestStopReading(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.begin(f)
		port, out := modem.AT, h.at
		if h.sound != nil {
			port, out = modem.Sound, h.sound
		}
		h.m.StopReading(port)
		wrote := make(chan int)
		go func() {
			n, _ := out.Write(bytes.Repeat([]byte{0x55}, 10000))
			wrote <- n
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		select {
		case <-wrote:
			t.Error("it took all that it was given")
		default:
		}
		if f.kind != modem.V253 { // its port for commands is as it was
			h.do("AT")
		}
		h.m.Vanish()
		if n := <-wrote; n < 4096 || n > 4096+512 {
			t.Errorf("it took %d bytes", n)
		}
	})
}

// What the far party says may look like anything.
func TestTextInTheSound(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		const text = "\r\nNO CARRIER\r\n"
		h.begin(f)
		h.m.SayText(text)
		if got := h.read(1600); !bytes.Contains(got, []byte(text)) {
			t.Error("it isn't there")
		}
		if call, sound := h.m.Active(); !call || !sound {
			t.Error("it ended the call")
		}
	})
}

// With Split, a reader sees all there is, in pieces that keep to nothing.
func TestSplit(t *testing.T) {
	said := slices.Repeat([]int16{-0x7000, 0x1234}, 800) // of which half is a DLE, in 8 bits
	faults(t, modem.Spec{Split: true, In: said}, func(t *testing.T, h *host, f manners) {
		h.begin(f)
		from := h.sound
		if from == nil {
			from = h.at
		}
		want := f.encoded(said)
		got, odd := h.heard, 0
		if h.sound != nil {
			got = nil
		}
		for len(got) < len(want) {
			buf := make([]byte, 4096)
			n, _ := from.Read(buf)
			odd += n % 2
			got = append(got, buf[:n]...)
		}
		if !bytes.Equal(got[:len(want)], want) {
			t.Error("it isn't what was said")
		}
		if odd < 10 {
			t.Errorf("only %d pieces cut through samples", odd)
		}
	})
}

func TestEcho(t *testing.T) {
	each(t, []world{memory}, func(t *testing.T, w world, f manners) {
		h := w.open(t, modem.New(t, modem.Spec{Kind: f.kind, Echo: true}))
		if said := h.do("ATI"); !strings.HasPrefix(said, "ATI\r") {
			t.Errorf("it said %q", said)
		}
		h.do("ATE0")
		if said := h.do("ATI"); strings.Contains(said, "ATI") {
			t.Errorf("it said %q", said)
		}
		h.m.Vanish()
		h.m.Return()
		h.at, h.sound = h.m.Memory()
		time.Sleep(time.Second)
		h.drain()
		h.m.Refuse("ATE0")
		h.ends("ATE0", "ERROR")
		if said := h.do("AT"); said != "AT\r" {
			t.Errorf("it said %q", said)
		}
	})
}

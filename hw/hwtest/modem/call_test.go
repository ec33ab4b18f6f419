package modem_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
	"github.com/flattone/flattone/hw/hwtest/wires"
)

var makes = map[modem.Kind]string{modem.Quectel: wires.Quectel, modem.SIMCom: wires.SIMCom, modem.Huawei: wires.Huawei, modem.V253: wires.V253}

// What a modem says unasked in its calls is in the wire's table, as far as a program has to understand it; and all that the table has of that, it says.
func TestLinesAreOnTheWire(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		var said strings.Builder
		call := func() {
			h.all(f.before)
			h.m.Ring(wires.Number)
			time.Sleep(time.Second)
			h.write("AT+CLCC\r")
			said.WriteString(h.drain())
			h.write(f.answer + "\r")
			said.WriteString(h.drain())
			h.write("AT+CLCC\r")
			said.WriteString(h.drain())
			for _, c := range f.on {
				h.write(c + "\r")
				said.WriteString(h.drain())
			}
			h.m.Key('8', 100*time.Millisecond)
			time.Sleep(3 * time.Second)
			h.m.HangUp()
			said.WriteString(h.drain())
			h.all(f.off)
		}
		if f.kind == modem.V253 {
			h.do("AT+FCLASS=0")
			h.m.Ring(wires.Number)
		} else {
			call()
			h.write(f.dial + "\r")
			time.Sleep(3 * time.Second)
		}
		said.WriteString(h.drain())
		lines := strings.FieldsFunc(strings.ReplaceAll(said.String(), "5550100", wires.Number), func(r rune) bool { return r == '\r' || r == '\n' })
		means := map[string]bool{}
		for _, l := range lines {
			known := slices.ContainsFunc(wires.Results, func(r struct{ Line, Result string }) bool { return r.Line == l })
			for _, u := range wires.Unasked {
				if u.Make == makes[f.kind] && shape(u.Line) == shape(l) {
					known, means[u.Means] = true, true
				}
			}
			if !known {
				t.Errorf("the table doesn't have %q", l)
			}
		}
		for _, u := range wires.Unasked {
			if u.Make == makes[f.kind] && u.Means != wires.Other && !means[u.Means] {
				t.Errorf("it never says what means %s: %q", u.Means, lines)
			}
		}
	})
}

// shape is a line without what may differ: how long a call was, and how a number is written.
func shape(line string) string {
	line = regexp.MustCompile(`^(VOICE CALL: END: |\^CEND:1,)[0-9]+`).ReplaceAllString(line, "$1#")
	return strings.ReplaceAll(line, `0,0,"`, `0,0,0,"`)
}

// The sound of a call that was begun by a program before flows when the next one comes.
func TestCallActive(t *testing.T) {
	faults(t, modem.Spec{In: noise(1600, 1)}, func(t *testing.T, h *host, f manners) {
		h.m.CallActive("5550100")
		want := f.encoded(noise(1600, 1))
		if f.kind == modem.V253 { // in the first of its formats
			want = nil
			for _, v := range noise(1600, 1) {
				if want = append(want, byte(v>>8)); want[len(want)-1] == wires.DLE {
					want = append(want, wires.DLE)
				}
			}
		}
		if !bytes.Equal(h.read(len(want)), want) {
			t.Error("it isn't what was said")
		}
		if f.kind == modem.V253 {
			h.write("\x10^")
			h.expect("\x10\x03")
			return
		}
		if said := h.do("AT+CLCC"); !strings.Contains(said, `+CLCC: 1,1,0,0,0,"5550100",129`) {
			t.Errorf("it said %q", said)
		}
		if said := h.do("AT+CHUP"); !strings.Contains(said, f.ended) {
			t.Errorf("it said %q", said)
		}
	})
}

// A modem that was pulled out in a call comes back without it, and as new.
func TestVanishInACall(t *testing.T) {
	faults(t, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.begin(f)
		h.read(160)
		heard := len(h.m.Heard())
		if f.kind != modem.V253 {
			h.write("AT+CSQ\r") // it is gone before it answers
			synctest.Wait()
		}
		h.m.Vanish()
		h.m.Return()
		h.at, h.sound = h.m.Memory()
		h.heard, h.loud = nil, nil
		time.Sleep(time.Second)
		if said := h.drain(); strings.Contains(said, "OK") {
			t.Errorf("it said %q", said)
		}
		h.all(f.init)
		if call, sound := h.m.Active(); call || sound {
			t.Error("the call is still there")
		}
		h.begin(f)
		h.read(160)
		if got := len(h.m.Heard()); got < heard || got > heard+320 {
			t.Errorf("its clock went from %d to %d", heard, got)
		}
	})
}

// A module reports a key once, while it sounds, and only if it was asked to; a voice modem does until it is over. None reports what is too short.
func TestKeys(t *testing.T) {
	reports := map[modem.Kind]string{modem.Quectel: "\r\n+QTONEDET: 53\r\n", modem.SIMCom: "\r\n+RXDTMF: 5\r\n"}
	faults(t, modem.Spec{Keys: []modem.Key{{Key: '5', At: 8000, Samples: 1600}, {Key: '6', At: 16000, Samples: 300}}}, func(t *testing.T, h *host, f manners) {
		h.begin(f)
		h.expectSilence(f, 8000)
		if f.kind == modem.V253 {
			if got, want := codes(h.read(9000)), "/555~"; got != want { // and nothing of the second
				t.Errorf("it told %d codes", len(got))
			}
			return
		}
		if said := h.drain(); f.kind == modem.Huawei && strings.Contains(said, "5") {
			t.Error("it told something")
		} else if !strings.Contains(said, reports[f.kind]) {
			t.Error("it didn't tell")
		}
		time.Sleep(2 * time.Second)
		if said := h.drain(); said != "" {
			t.Error("it told again")
		}
	})
	t.Run("in the sound", func(t *testing.T) {
		in(t, modem.SIMCom, modem.Spec{}, func(t *testing.T, h *host, f manners) {
			h.do("AT+DDET=0")
			h.begin(f)
			h.read(160)
			h.m.Key('1', 100*time.Millisecond)
			if p := h.read(1600); bytes.Equal(p, make([]byte, 1600)) {
				t.Error("it can't be heard")
			}
			time.Sleep(time.Second)
			if said := h.drain(); strings.Contains(said, "RXDTMF") {
				t.Error("it told, and wasn't asked to")
			}
		})
	})
}

// expectSilence reads that many samples of silence.
func (h *host) expectSilence(f manners, samples int) {
	h.t.Helper()
	if want := f.encoded(make([]int16, samples)); !bytes.Equal(h.read(len(want)), want) {
		h.t.Error("it isn't silent")
	}
}

// codes are those in shielded sound.
func codes(p []byte) (codes string) {
	for i := 0; i+1 < len(p); i++ {
		if p[i] == wires.DLE {
			i++
			codes += string(p[i])
		}
	}
	return codes
}

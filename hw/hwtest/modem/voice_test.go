package modem_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
)

// A voice modem wants its commands in one order.
func TestVoiceOrder(t *testing.T) {
	in(t, modem.V253, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.do("AT&F")
		h.do("AT+FCLASS=0")
		for _, c := range []string{"AT+VLS=1", "AT+VSM=1,8000,0,0", "AT+VIT=0", "AT+VTR"} {
			h.ends(c, "ERROR")
		}
		h.do("AT+FCLASS=8")
		h.ends("AT+VTR=?", "ERROR")
		h.ends("AT+VTR", "ERROR")
		h.m.Ring("5550100")
		h.ends("ATA", "ERROR")
		h.ends("AT+VLS=2", "ERROR")
		h.do("AT+VLS=1")
		h.ends("AT+VTR", "ERROR") // in no format
		h.ends("AT+VSM=131,8000", "ERROR")
		h.ends("AT+VGR=256", "ERROR")
		h.do("AT+VSM=0,8000")
		h.ends("AT+FCLASS=0", "ERROR")
		h.ends("AT+VTR", "CONNECT")
	})
}

// IS-101 modems go off hook by another number, and some leave the sound by another code.
func TestVoiceOddities(t *testing.T) {
	said := slices.Repeat([]int16{0x7000}, 80000)
	in(t, modem.V253, modem.Spec{OffHook: 2, Leaves: 0x03, Gone: 'l', In: said}, func(t *testing.T, h *host, f manners) {
		f.answer = "AT+VLS=2"
		h.begin(f)
		h.m.HangUp()
		h.expect("\x10l")
		if silence := h.expect("\x10l"); silence != strings.Repeat("\x80", 16000) { // and goes on telling
			t.Errorf("a party that is gone says % x", silence[:16])
		}
		h.write("\x10^")
		h.expect("\x10l")
		h.write("\x10\x03")
		h.expect("\x10\x03\r\nOK\r\n")
		h.do("ATH")
		h.begin(f) // in less time than it would go on telling
		if codes := codes(h.read(40000)); codes != "" {
			t.Errorf("in the next call it tells %q", codes)
		}
		h.write("\x10\x03")
		h.expect("\x10\x03\r\nOK\r\n")
		h.do("ATH")
		time.Sleep(10 * time.Second)
		if said := h.drain(); said != "" {
			t.Errorf("on hook, it says %q", said)
		}
	})
}

// One that isn't told otherwise hangs up when it is told nothing, and takes silence for an end.
func TestVoiceTimers(t *testing.T) {
	in(t, modem.V253, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.m.Ring("5550100")
		h.do("AT+VLS=1")
		time.Sleep(time.Minute)
		h.do("AT+VLS=0")

		h.do("ATZ") // which forgets VIT, VSD and the class
		h.do("AT+FCLASS=8")
		h.do("AT+VSM=1,8000,0,0")
		h.m.Ring("5550100")
		h.do("AT+VLS=1")
		time.Sleep(9 * time.Second)
		h.do("AT")
		time.Sleep(9 * time.Second)
		h.ends("AT+VTR", "CONNECT")
		begun := time.Now()
		h.expect("\x10s")
		if d := time.Since(begun).Round(time.Second); d != 5*time.Second {
			t.Errorf("silence was an end after %v", d)
		}
		h.write("\x10^")
		h.expect("\r\nOK\r\n")
		time.Sleep(21 * time.Second)
		if call, _ := h.m.Active(); call {
			t.Error("it didn't hang up")
		}
		h.ends("AT+VTR", "ERROR")
	})
}

func TestVoiceBusy(t *testing.T) {
	in(t, modem.V253, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.write(f.dial + "\r")
		time.Sleep(time.Second)
		h.m.HangUp()
		h.expect("\r\nBUSY\r\n\x10b")
		h.do("ATH")
	})
}

// One that leaves the sound by itself says so as it does it when it is told to.
func TestDrop(t *testing.T) {
	in(t, modem.V253, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.begin(f)
		h.read(160)
		h.m.Drop()
		h.expect("\x10\x03\r\nNO CARRIER\r\n")
		if call, sound := h.m.Active(); call || sound {
			t.Error("the call isn't over")
		}
		h.begin(f)
	})
}

// A class-0 modem rings by a word, and dials only for data.
func TestClass0(t *testing.T) {
	in(t, modem.V253, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.do("AT+FCLASS=0")
		h.ends(f.dial, "NO CARRIER")
		h.m.Ring("5550100")
		if said := h.expect("NMBR = 5550100"); !strings.Contains(said, "RING") {
			t.Errorf("it said %q", said)
		}
	})
}

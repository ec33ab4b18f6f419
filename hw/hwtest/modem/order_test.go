package modem_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/hw/hwtest/modem"
)

// flows reports whether sound comes within half a second.
func (h *host) flows() bool {
	h.t.Helper()
	buf := make([]byte, 4096)
	for range 64 { // what is left of the call before, and no more
		if _, err := h.sound.Read(buf); err != nil {
			break
		}
	}
	time.Sleep(500 * time.Millisecond)
	_, sound := h.m.Active()
	n, _ := h.sound.Read(buf)
	if sound != (n > 0) {
		h.t.Errorf("sound %v, and %d bytes of it", sound, n)
	}
	return sound
}

// called answers a call, and says nothing about its sound.
func (h *host) called(f manners) {
	h.t.Helper()
	h.m.Ring("5550100")
	h.do(f.answer)
	h.expect(f.began)
}

func in(t *testing.T, k modem.Kind, s modem.Spec, body func(t *testing.T, h *host, f manners)) {
	synctest.Test(t, func(t *testing.T) {
		for _, f := range everyone {
			if f.kind == k {
				body(t, f.bring(t, memory, s), f)
			}
		}
	})
}

// A Quectel's sound has to be switched off and on before each call.
func TestQuectelOrder(t *testing.T) {
	for _, o := range []struct {
		name           string
		first, between []string // commands before the calls
		want           [2]bool
	}{
		{"as it should be", []string{"AT+QPCMV=0", "AT+QPCMV=1,0"}, []string{"AT+QPCMV=0", "AT+QPCMV=1,0"}, [2]bool{true, true}},
		{"never", nil, nil, [2]bool{false, false}},
		{"once", []string{"AT+QPCMV=1,0"}, nil, [2]bool{true, false}},
		{"on again without off", []string{"AT+QPCMV=1,0"}, []string{"AT+QPCMV=1,0"}, [2]bool{true, false}},
		{"off", []string{"AT+QPCMV=1,0"}, []string{"AT+QPCMV=0"}, [2]bool{true, false}},
	} {
		t.Run(o.name, func(t *testing.T) {
			in(t, modem.Quectel, modem.Spec{}, func(t *testing.T, h *host, f manners) {
				for i, commands := range [][]string{o.first, o.between} {
					h.all(commands)
					h.called(f)
					if got := h.flows(); got != o.want[i] {
						t.Errorf("call %d: sound %v", i, got)
					}
					if h.do("AT+QPCMV?"); o.want[i] {
						h.do("AT+QPCMV=1,0") // it is on
					}
					h.m.HangUp()
					h.expect(f.ended)
				}
			})
		})
	}
	t.Run("too late", func(t *testing.T) {
		in(t, modem.Quectel, modem.Spec{}, func(t *testing.T, h *host, f manners) {
			h.called(f)
			h.all(f.before)
			if h.flows() {
				t.Error("there is sound")
			}
		})
	})
}

// A SIMCom's sound is begun in a call, and ended after it.
func TestSIMComOrder(t *testing.T) {
	in(t, modem.SIMCom, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.ends("AT+CPCMREG=1", "ERROR")
		h.m.Ring("5550100")
		h.ends("AT+CPCMREG=1", "ERROR")
		h.do("ATA")
		h.expect(f.began)
		if h.flows() {
			t.Error("there is sound before it is asked for")
		}
		h.do("AT+CPCMREG=1")
		if !h.flows() {
			t.Error("there is no sound")
		}
		h.ends("AT+CPCMREG=1", "ERROR")
		h.ends("AT+CPCMREG=0", "ERROR")
		h.m.HangUp()
		h.expect("VOICE CALL: END: 00000")
		h.do("AT+CPCMREG=0,1")
		h.called(f)
		h.do("AT+CPCMREG=1")
		if !h.flows() {
			t.Error("there is no sound in the second call")
		}
	})
}

func TestSIMComLatePCM(t *testing.T) {
	in(t, modem.SIMCom, modem.Spec{LatePCM: true}, func(t *testing.T, h *host, f manners) {
		h.called(f)
		h.ends("AT+CPCMREG=1", "ERROR")
		h.do("AT+CPCMREG=1")
		if !h.flows() {
			t.Error("there is no sound")
		}
	})
}

// A SIMCom is half dead from a call on whose predecessor's sound wasn't ended, or when a test wants it so; only a reset helps.
func TestSIMComHalfDead(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		in(t, modem.SIMCom, modem.Spec{}, func(t *testing.T, h *host, f manners) {
			if wanted {
				h.m.HalfDead()
			} else {
				h.called(f)
				h.do("AT+CPCMREG=1")
				h.m.HangUp()
				h.expect(f.ended)
			}
			h.called(f)
			h.ends("AT+CPCMREG=1", "ERROR")
			h.ends("AT+CPCMREG=1", "ERROR")
			h.do("AT+CPCMREG=1")
			if h.flows() {
				t.Error("there is sound")
			}
			h.do("AT+CRESET")
			time.Sleep(time.Second)
			if _, err := h.m.Open(modem.AT); err == nil {
				t.Error("the port is still there")
			}
			time.Sleep(4 * time.Second)
			at, sound := h.m.Memory()
			defer at.Close()
			defer sound.Close()
			h.at, h.sound = at, sound
			h.expect("PB DONE")
			h.all(f.init)
			h.begin(f)
			if !h.flows() {
				t.Error("there is no sound after a reset")
			}
		})
	}
}

// At 16 kHz each sample is there twice: twice the bytes.
func TestSIMComWide(t *testing.T) {
	in(t, modem.SIMCom, modem.Spec{In: noise(160, 1)}, func(t *testing.T, h *host, f manners) {
		h.do("AT+CPCMFRM=1")
		h.begin(f)
		want := f.encoded(noise(160, 1))
		for i, got := 0, h.read(640); i < 640; i++ {
			if got[i] != want[i/4*2+i%2] {
				t.Fatalf("byte %d is another", i)
			}
		}
		h.ends("AT+CPCMFRM=0", "ERROR")
	})
}

// A Huawei's sound is asked for after the call was answered or dialled.
func TestHuaweiOrder(t *testing.T) {
	in(t, modem.Huawei, modem.Spec{}, func(t *testing.T, h *host, f manners) {
		h.ends("AT^DDSETEX=2", "ERROR")
		h.m.Ring("5550100")
		h.ends("AT^DDSETEX=2", "ERROR")
		h.do("ATA")
		h.do("AT^DDSETEX=2")
		h.expect(f.began)
		if !h.flows() {
			t.Error("there is no sound")
		}
		h.m.HangUp()
		h.expect("^CEND:1,1,29,16")
		h.called(f)
		if h.flows() {
			t.Error("there is sound that wasn't asked for")
		}
	})
}

// A call that nobody answers, from either side, is over as each family tells.
func TestCallThatIsGivenUp(t *testing.T) {
	faults(t, modem.Spec{Busy: true}, func(t *testing.T, h *host, f manners) {
		h.m.Ring("5550100")
		time.Sleep(time.Second)
		h.m.HangUp()
		h.drain()
		h.m.Ring("5550100") // which is another call
		time.Sleep(7 * time.Second)
		h.m.HangUp()
		said := h.drain()
		ring := "RING"
		if f.kind == modem.V253 {
			ring = "\x10R"
		}
		if n := strings.Count(said, ring); n != 2 {
			t.Errorf("it rang %d times", n)
		}
		want := map[modem.Kind]string{modem.Quectel: "NO CARRIER", modem.SIMCom: "NO CARRIER", modem.Huawei: "^CEND:1,0,"}
		if !strings.Contains(said, want[f.kind]) {
			t.Errorf("it said %q", said)
		}
		time.Sleep(30 * time.Second)
		if said := h.drain(); said != "" {
			t.Errorf("it said %q when all was over", said)
		}
		h.do(f.dial)
		if f.kind == modem.V253 {
			h.expect("\x10b")
		} else {
			h.expect("BUSY")
		}
	})
}

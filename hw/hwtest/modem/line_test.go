package modem_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/hw/hwtest/modem"
)

// What a program should never do is refused, and known.
func TestLines(t *testing.T) {
	for _, l := range []struct{ name, typed, said, blame string }{
		{"in order", "AT\r", "\r\nOK\r\n", ""},
		{"in small letters", "ate0\r", "\r\nOK\r\n", ""},
		{"several commands", "ATE0V1+CMEE=0;+CLIP=1\r", "\r\nOK\r\n", ""},
		{"up to the first that is refused", "ATE0+NONE;+CLIP=1\r", "\r\nERROR\r\n", ""},
		{"in mixed letters", "At\r", "\r\nERROR\r\n", ""},
		{"without AT", "E0\r", "\r\nERROR\r\n", ""},
		{"empty", "\r", "\r\nERROR\r\n", ""},
		{"not ended", "AT", "", ""},
		{"ended by a line feed", "AT\n", "", ""},
		{"ended by both", "AT\r\nAT\r", "\r\nERROR\r\n\r\nOK\r\n", "printed"},
		{"unknown", "AT+NONE\r", "\r\nERROR\r\n", ""},
		{"too long", "AT" + strings.Repeat("E0", 40) + "\r", "\r\nERROR\r\n", "too long"},
		{"before the answer", "ATE0\rAT\r", "\r\nERROR\r\n\r\nOK\r\n", "before was answered"},
		{"not printed", "AT\x00\r", "\r\nERROR\r\n", "printed"},
	} {
		t.Run(l.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := openMemory(t, modem.New(t, modem.Spec{Kind: modem.SIMCom}))
				h.write(l.typed)
				if said := h.drain(); said != l.said {
					t.Errorf("it said %q", said)
				}
				if b := strings.Join(h.m.Blames(), "; "); b == "" != (l.blame == "") || !strings.Contains(b, l.blame) {
					t.Errorf("it blames: %s", b)
				}
			})
		})
	}
}

func TestErrorsAsNumbersAndWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openMemory(t, modem.New(t, modem.Spec{Kind: modem.Huawei}))
		h.ends("AT^DDSETEX=2", "ERROR")
		h.do("AT+CMEE=1")
		h.ends("AT^DDSETEX=2", "+CME ERROR: 3")
		h.do("AT+CMEE=2")
		h.ends("AT^DDSETEX=2", "+CME ERROR: operation not allowed")
	})
}

func TestNumbersAreNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := openMemory(t, modem.New(t, modem.Spec{Kind: modem.Huawei}))
		h.do("ATD+15550100;")
		if got := strings.Join(h.m.Log(), " "); got != "ATD+########;" {
			t.Error(got)
		}
	})
}

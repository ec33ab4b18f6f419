package modem_test

import (
	"testing"

	"github.com/flattone/flattone/hw/hwtest/modem"
)

// manners is how a family is spoken to.
type manners struct {
	kind         modem.Kind
	init, before []string
	answer       string
	began        string
	on           []string
	off          []string // after the sound, before hanging up
	hangUp       string
	ended        string
	dial         string
}

var everyone = []manners{
	{kind: modem.Quectel, init: []string{"ATE0", "AT+CMEE=0", "AT+CLIP=1", "AT^DSCI=1", "AT+QTONEDET=1"}, before: []string{"AT+QPCMV=0", "AT+QPCMV=1,0"},
		answer: "ATA", began: "^DSCI: 1,1,3,0,5550100,129", hangUp: "AT+CHUP", ended: "^DSCI: 1,1,6,", dial: "ATD5550100;"},
	{kind: modem.SIMCom, init: []string{"ATE0", "AT+CLIP=1", "AT+CPCMFRM=0", "AT+DDET=1"}, answer: "ATA", began: "VOICE CALL: BEGIN",
		on: []string{"AT+CPCMREG=1"}, off: []string{"AT+CPCMREG=0,1"}, hangUp: "AT+CHUP", ended: "VOICE CALL: END: ", dial: "ATD5550100;"},
	{kind: modem.Huawei, init: []string{"ATE0", "AT+CLIP=1"}, answer: "ATA", began: "^CONN:1,0", on: []string{"AT^DDSETEX=2"}, hangUp: "AT+CHUP", ended: "^CEND:1,",
		dial: "ATD5550100;"},
	{kind: modem.V253, init: []string{"ATE0", "AT+VCID=1", "AT+FCLASS=8", "AT+VSM=1,8000,0,0", "AT+VSD=128,0", "AT+VIT=0"}, answer: "AT+VLS=1",
		hangUp: "ATH", dial: "ATDT5550100"},
}

// each runs a test for all families, in all worlds.
func each(t *testing.T, in []world, body func(t *testing.T, w world, f manners)) {
	for _, w := range in {
		for _, f := range everyone {
			t.Run(f.kind.String()+" in "+w.name, func(t *testing.T) {
				w.run(t, func(t *testing.T) { body(t, w, f) })
			})
		}
	}
}

// bring makes a modem that is ready.
func (f manners) bring(t *testing.T, w world, s modem.Spec) *host {
	t.Helper()
	s.Kind = f.kind
	h := w.open(t, modem.New(t, s))
	h.all(f.init)
	return h
}

func (h *host) all(commands []string) {
	h.t.Helper()
	for _, c := range commands {
		h.do(c)
	}
}

// begin answers a call, up to its sound.
func (h *host) begin(f manners) {
	h.t.Helper()
	h.all(f.before)
	h.m.Ring("5550100")
	if f.kind == modem.V253 {
		h.expect("\x10R")
	} else {
		h.expect("RING")
	}
	h.expect("5550100")
	h.do(f.answer)
	h.sounds(f)
}

// sounds begins the sound of a call.
func (h *host) sounds(f manners) {
	h.t.Helper()
	if f.began != "" {
		h.expect(f.began)
	}
	h.all(f.on)
	if f.kind == modem.V253 {
		h.write("AT+VTR\r")
		h.expect("\r\nCONNECT\r\n")
	}
}

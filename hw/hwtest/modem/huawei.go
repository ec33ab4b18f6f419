package modem

import (
	"fmt"
	"time"
)

// huawei is a dongle. Its sound is asked for in each call, once that was answered or dialled.
type huawei struct {
	module
	answering bool // ATA was given, and the call isn't active yet
	asked     bool // for sound
}

func (*huawei) boots() []string { return []string{"^BOOT:12345678,0,0,0,73"} }
func (*huawei) chatter() string { return "^RSSI:18" }

func (h *huawei) commands() commands {
	return commands{
		"^U2DIAG=0": ok, "^CURC=0": ok,
		"^CVOICE?": h.says("^CVOICE:0,8000,16,20"), "^CVOICE=0": ok,
		"^DDSETEX=2": func(string) result {
			if !h.answered() {
				return refused
			}
			h.asked = true
			h.reflow()
			return done
		},
	}
}

// answered reports whether there is a call that isn't only ringing here.
func (h *huawei) answered() bool {
	return h.call.state == active || h.call.state == dialling || h.answering
}

func (h *huawei) answers() result {
	h.answering = true
	return h.module.answers()
}

func (h *huawei) dials(number string) result {
	r := h.module.dials(number)
	h.say("^ORIG:1,0")
	return r
}

func (h *huawei) began() {
	h.since, h.answering = time.Now(), false
	if h.call.outgoing {
		h.say("^CONF:1")
	}
	h.say("^CONN:1,0")
}

func (h *huawei) ended(was call, _ bool) {
	h.asked, h.answering = false, false
	h.say(fmt.Sprintf("^CEND:1,%d,29,16", h.seconds(was)))
}

func (h *huawei) resume() { h.since, h.asked = time.Now(), true }

func (h *huawei) hears() bool { return h.call.state == active && h.asked }

// key: a dongle doesn't tell.
func (*huawei) key(byte, stage) {}

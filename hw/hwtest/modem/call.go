package modem

import (
	"regexp"
	"time"
)

// A call's states:
//
//	      ┌──Ring──▶ ringing ──ATA──┐
//	idle ─┤                         ├─▶ active ──ATH or HangUp──▶ idle
//	      └──ATD───▶ dialling ──────┘
//
// A call that is given up while it rings, or finds nobody, is idle at once.
type state int

const (
	idle state = iota
	ringing
	dialling
	active
)

// clcc is the state as +CLCC has it (TS 27.007, 7.18).
func (s state) clcc() int {
	switch s {
	case dialling:
		return 3 // alerting
	case ringing:
		return 4
	}
	return 0
}

// call is the call that the modem has.
type call struct {
	state    state
	outgoing bool
	number   string
	nth      int // of all, so that what was begun for one isn't done to the next
}

// direction is 0 for outgoing, as modules have it.
func (c call) direction() int {
	if c.outgoing {
		return 0
	}
	return 1
}

// Ring has somebody call.
func (m *Modem) Ring(number string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catchUp()
	if m.call.state != idle {
		m.t.Error("the modem has a call already")
		return
	}
	m.call = call{state: ringing, number: number, nth: m.call.nth + 1}
	m.ring(0)
}

// ring rings for the n-th time, and goes on. mu is held.
func (m *Modem) ring(n int) {
	m.family.rings(n)
	m.during(m.family.ringsEvery(), ringing, func() { m.ring(n + 1) })
}

// during does something later if the call is then still in that state. mu is held.
func (m *Modem) during(d time.Duration, s state, do func()) {
	nth := m.call.nth
	m.after(d, func() {
		if m.call.nth == nth && m.call.state == s {
			do()
		}
	})
}

// pickUp is ATA. mu is held.
func (m *Modem) pickUp() result {
	if m.call.state != ringing {
		return "NO CARRIER"
	}
	return m.family.answers()
}

// dialled are the numbers that a modem takes, with how it is to dial them.
var dialled = regexp.MustCompile(`^[TP]?([0-9*#+]{1,32})(;?)$`)

// dial is ATD. mu is held.
func (m *Modem) dial(given string) result {
	n := dialled.FindStringSubmatch(given)
	if n == nil || m.call.state != idle {
		return refused
	}
	if (n[2] == "") != (m.spec.Kind == V253) {
		return "NO CARRIER" // without a semicolon a module makes a call for data
	}
	return m.family.dials(n[1])
}

// becomeActive is when both can speak. mu is held.
func (m *Modem) becomeActive() {
	m.call.state = active
	m.family.began()
	m.reflow()
}

// putDown is ATH. mu is held.
func (m *Modem) putDown() result {
	if m.call.state != idle {
		m.endCall(false)
	}
	return done
}

// endCall ends a call. mu is held.
func (m *Modem) endCall(remote bool) {
	was := m.call
	m.call.state = idle
	m.family.ended(was, remote)
	m.reflow()
}

// HangUp has the far party hang up, or give up.
func (m *Modem) HangUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catchUp()
	if m.call.state == idle {
		m.t.Error("there is no call to hang up")
		return
	}
	m.endCall(true)
}

// CallActive puts the modem into a call that was answered, and whose sound was begun, by a program before.
func (m *Modem) CallActive(number string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.call = call{state: active, number: number, nth: m.call.nth + 1}
	m.family.resume()
	m.reflow()
}

// Active reports whether there is a call that was answered, and whether its sound flows.
func (m *Modem) Active() (call, sound bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.call.state == active, m.flowing
}

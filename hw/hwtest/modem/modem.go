// Package modem gives tests the modems that carry a call's sound over a serial port, on machines that have none: three families of mobile
// modules, which have a port for commands and one for sound, and V.253 voice modems, on whose one port both go.
//
// A modem's far party says what a test gives it, and what it hears is known to the sample, on the modem's own clock. A program reaches the modem by terminals
// ([Modem.TTYs]), at the machine's pace; or by ports in memory ([Modem.Memory]), in a testing/synctest bubble, where ten minutes take seconds.
//
// It is stricter than the devices: what one of them might put up with, depending on its firmware, is refused here, or kills the sound in silence as it does
// there. Faults come when the test says so. It promises that a modem is gone when its test is over; and that no key that it reports gets into what it logs.
//
// What the devices do is known from drivers in use, chan_dongle (Huawei), asterisk-chan-quectel with its SIMCom branch, and mgetty's for voice modems; and from
// ITU-T V.250 and V.253. Their times are shorter here.
package modem

import (
	"sync"
	"testing"
	"time"
)

// Modem is one modem.
type Modem struct {
	t       testing.TB
	spec    Spec
	dir     string // for terminals: it goes after them
	serving sync.WaitGroup

	mu     sync.Mutex // guards all below
	socket socket
	ports  map[string]plug
	over   bool
	log    []string
	blames []string
	faults faults

	// As it is since it was switched on: see begin.
	power    int // how often it was
	booting  bool
	family   family
	settings settings
	line     line
	call     call

	soundcard
}

// settings are what commands of every family set.
type settings struct {
	echo, callerID, keys bool
	errors               int // +CMEE
}

// New makes a modem, which is there once its ports are asked for.
func New(t testing.TB, spec Spec) *Modem {
	t.Helper()
	if spec.Kind < Quectel || spec.Kind > V253 {
		t.Fatalf("there is no modem of kind %d", spec.Kind)
	}
	m := &Modem{t: t, spec: spec.filled(), dir: t.TempDir(), ports: make(map[string]plug), faults: faults{deaf: make(map[string]chan struct{})}}
	m.soundcard.said = append(m.soundcard.said, spec.In...)
	m.schedule(spec.Keys)
	m.begin()
	t.Cleanup(m.end)
	return m
}

// begin makes the modem as it is when it is switched on. mu is held.
func (m *Modem) begin() {
	m.stopSound()
	m.readAgain()
	m.power++
	m.booting = false
	m.line, m.call = line{}, call{}
	m.reset()
}

// reset makes everything that commands set as it is at first. mu is held.
func (m *Modem) reset() {
	m.settings = settings{echo: m.spec.Echo}
	m.family = families[m.spec.Kind](m)
}

func (m *Modem) end() {
	m.mu.Lock()
	m.over = true
	m.unplug()
	m.mu.Unlock()
	m.serving.Wait()
}

// after does something later, unless the modem is then no longer what it is. mu is held, then as now.
func (m *Modem) after(d time.Duration, do func()) {
	power := m.power
	time.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.power == power && !m.over {
			m.catchUp()
			do()
		}
	})
}

// Log is what the modem was told, a command line each, with a # for each digit of a number that it was to dial.
func (m *Modem) Log() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.log...)
}

// Blames are what no program should do to a modem, as far as this one did it: a second command before the first is answered, a line that is too long or ends
// wrongly, a stray DLE in the sound.
func (m *Modem) Blames() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.blames...)
}

func (m *Modem) blame(what string) { m.blames = append(m.blames, what) }

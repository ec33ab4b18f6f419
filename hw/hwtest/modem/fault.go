package modem

import (
	"math/rand/v2"
	"strings"
	"time"
)

// faults are what is wrong with the modem, whatever commands it gets.
type faults struct {
	garbage, mute bool
	refuses       []string
	deaf          map[string]chan struct{} // by port; closed when it reads again
}

func (m *Modem) fault(set func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catchUp()
	set()
}

// Garbage has the modem understand nothing and say nothing but noise by its port for commands, as at a wrong speed.
func (m *Modem) Garbage(on bool) { m.fault(func() { m.faults.garbage = on }) }

// Mute has the modem do nothing that it is told, nor say anything.
func (m *Modem) Mute(on bool) { m.fault(func() { m.faults.mute = on }) }

// Refuse has the modem answer ERROR to the commands that begin so, without their AT; and with none, to none.
func (m *Modem) Refuse(commands ...string) { m.fault(func() { m.faults.refuses = commands }) }

// refuses reports whether the test wants a command refused.
func (f faults) refuse(command string) bool {
	for _, begin := range f.refuses {
		if strings.HasPrefix(command, strings.TrimPrefix(begin, "AT")) {
			return true
		}
	}
	return false
}

// RingFlood has the modem tell every millisecond for that long that it rings, without a call.
func (m *Modem) RingFlood(d time.Duration) {
	m.fault(func() { m.again(d, func() { m.family.rings(1) }) })
}

// Endless has the modem send text without the end of a line by its port for commands, for that long, 16 kB a second.
func (m *Modem) Endless(d time.Duration) {
	m.fault(func() { m.again(d, func() { m.send(AT, []byte("+RSSI: 99,99,99,")) }) })
}

// again does something every millisecond for that long. mu is held.
func (m *Modem) again(d time.Duration, do func()) {
	if d > 0 {
		do()
		m.after(time.Millisecond, func() { m.again(d-time.Millisecond, do) })
	}
}

// HalfRate has the modem's clock go at half its speed, or again at the whole.
func (m *Modem) HalfRate(on bool) {
	m.fault(func() {
		m.clock.slower = 1
		if on {
			m.clock.slower = 2
		}
		m.clock.set(m.n)
	})
}

// StallFor has the modem send no sound for that long, and then at once what was said meanwhile. It has to be less than half a second, or some is lost.
func (m *Modem) StallFor(d time.Duration) { m.fault(func() { m.stalled = time.Now().Add(d) }) }

// StopReading has the modem no more read what comes by a port.
func (m *Modem) StopReading(port string) {
	m.fault(func() {
		if m.faults.deaf[port] == nil {
			m.faults.deaf[port] = make(chan struct{})
		}
	})
}

// ReadAgain has it read everything again, which it also does when it comes back.
func (m *Modem) ReadAgain() { m.fault(m.readAgain) }

func (m *Modem) readAgain() {
	for port, deaf := range m.faults.deaf {
		close(deaf)
		delete(m.faults.deaf, port)
	}
}

// HalfDead has a SIMCom's sound half dead: it is begun late, and isn't there, until the module is reset.
func (m *Modem) HalfDead() { m.fault(func() { m.family.(*simcom).half = true }) }

// SayText has the far party say what is text on the wire: NO CARRIER, for example, in the middle of the sound. The number of bytes must be a whole one of samples.
func (m *Modem) SayText(text string) {
	m.mu.Lock()
	f := linear
	if v, ok := m.family.(*voice); ok {
		f = v.format
	}
	m.mu.Unlock()
	x, _ := f.samples(nil, []byte(text))
	m.Say(x)
}

// Code has a V253 modem tell something by a code, where it can: within the sound, or in class 8.
func (m *Modem) Code(c byte) { m.fault(func() { m.family.(*voice).code(c) }) }

// Drop has a V253 modem leave the sound and hang up by itself.
func (m *Modem) Drop() {
	m.fault(func() {
		v := m.family.(*voice)
		v.leave("NO CARRIER")
		v.onHook("")
	})
}

// Vanish takes the modem's ports away, and its power.
func (m *Modem) Vanish() { m.fault(m.unplug) }

// Return gives them back, under the same names. The modem begins anew, and understands nothing at first.
func (m *Modem) Return() { m.fault(m.back) }

// bootsFor is how long a modem takes to understand commands. Real ones take up to twenty seconds.
const bootsFor = 500 * time.Millisecond

// back is Return. mu is held.
func (m *Modem) back() {
	if len(m.ports) > 0 {
		m.t.Error("the modem is there")
		return
	}
	m.plugIn()
	m.booting = true
	m.after(bootsFor, func() {
		m.booting = false
		m.say(m.family.boots()...)
	})
}

// noise is what comes of a line that can't be understood.
func noise(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rand.Int())
	}
	return p
}

package modem

import (
	"math"
	"time"

	"github.com/flattone/flattone/audio"
)

const dle, etx = 0x10, 0x03

// patience is for how long a patient modem's clock stands still for a program.
const patience = time.Second

// soundcard is the modem's sound. Its positions are samples of its clock, which runs while sound flows: the far party says sample n when it hears sample n.
type soundcard struct {
	flowing bool
	flow    int // how often it did
	clock   clock
	n       int64 // the next sample
	edge    int64 // where what is sent next ends
	out     []byte
	whole   int // how much of out is for sending

	said   []int16
	saidTo int64 // up to which Say has said something
	heard  []int16
	events []event

	fifo     []int16
	spoken   bool          // the program has played something since the sound flows
	hungry   bool          // it has nothing to play
	full     bool          // it has more than it can keep
	waited   time.Duration // for it, since it last came
	stalled  time.Time     // until then nothing is sent
	under    int
	overfull int
}

// frames is how many samples are sent at a time.
func (m *Modem) frames() int64 { return int64(m.spec.Frame/time.Millisecond) * 8 * int64(m.spec.Burst) }

// reflow begins or ends the sound, whichever is due. mu is held.
func (m *Modem) reflow() {
	switch hears := m.family.hears(); {
	case hears && !m.flowing:
		m.flowing, m.spoken, m.hungry, m.full, m.waited = true, false, false, false, 0
		m.fifo, m.out = m.fifo[:0], m.out[:0]
		m.whole = 0
		m.flow++
		m.clock = clock{ppm: int64(m.spec.PPM), slower: max(m.clock.slower, 1)}
		m.clock.set(m.n)
		m.edge = m.n + m.frames()
		m.tick(m.flow)
	case !hears:
		m.stopSound()
	}
}

func (m *Modem) stopSound() { m.flowing = false }

// tick sends what is due, and comes again. mu is held.
func (m *Modem) tick(flow int) {
	if m.over || !m.flowing || m.flow != flow {
		return
	}
	m.catchUp()
	next := max(m.clock.until(m.edge), time.Until(m.stalled), time.Microsecond)
	time.AfterFunc(next, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.tick(flow)
	})
}

// catchUp is what the modem's clock has done since it was last asked. mu is held.
func (m *Modem) catchUp() {
	if !m.flowing {
		return
	}
	due := m.due()
	for m.flowing && m.edge <= due {
		m.advance(m.edge)
		m.edge += m.frames()
		m.whole = len(m.out)
		m.transfer()
	}
	if m.flowing {
		m.advance(due)
	}
	m.transfer()
}

// due is the sample that is due now. A patient modem's clock stands still where there is nothing to play.
func (m *Modem) due() int64 {
	due := m.clock.due()
	short := due - m.n - int64(len(m.fifo))
	if !m.spec.Patient || !m.spoken || short <= 0 || m.waited > patience {
		return due
	}
	m.waited += audio.Rate8k.Duration(short)
	m.clock.set(due - short)
	return due - short
}

// transfer sends what is whole, unless the port is stalled: then all that there is goes when that is over.
func (m *Modem) transfer() {
	if whole := m.whole; whole > 0 && !time.Now().Before(m.stalled) {
		m.send(m.soundPort(), m.out[:whole])
		m.out = m.out[:copy(m.out, m.out[whole:])]
		m.whole = 0
	}
}

func (m *Modem) soundPort() string {
	if m.spec.Kind == V253 {
		return AT
	}
	return Sound
}

// advance lets both parties speak up to a sample. mu is held.
func (m *Modem) advance(to int64) {
	for m.flowing && m.n < to {
		next := to
		if len(m.events) > 0 {
			next = min(next, max(m.events[0].at, m.n))
		}
		m.exchange(int(next - m.n))
		if len(m.events) > 0 && m.events[0].at <= m.n {
			e := m.events[0]
			m.events = m.events[1:]
			m.family.key(e.key, e.stage)
		}
	}
}

// exchange lets both parties speak for that many samples.
func (m *Modem) exchange(samples int) {
	gain := 0.0
	if m.spec.HybridEchoDB > 0 {
		gain = math.Pow(10, -m.spec.HybridEchoDB/20)
	}
	for range samples {
		heard, said := int16(0), 0
		if len(m.fifo) > 0 {
			heard, m.fifo, m.hungry, m.waited = m.fifo[0], m.fifo[1:], false, 0
		} else if m.spoken && !m.hungry {
			m.hungry = true
			m.under++
			m.family.underran()
		}
		if m.call.state == active && m.n < int64(len(m.said)) {
			said = int(m.said[m.n])
		}
		said += int(math.Round(gain * float64(heard)))
		m.heard = append(m.heard, heard)
		m.out = m.family.bytes(m.out, int16(max(math.MinInt16, min(math.MaxInt16, said))))
		m.n++
	}
}

// play takes what the program plays. mu is held.
func (m *Modem) play(p []int16) {
	if len(p) == 0 {
		return
	}
	m.spoken = true
	room := m.spec.FIFOFrames*int(m.spec.Frame/time.Millisecond)*8 - len(m.fifo)
	full := len(p) > room
	if full {
		p = p[:room]
		if !m.full {
			m.overfull++
			m.family.overran()
		}
	}
	m.full = full
	m.fifo = append(m.fifo, p...)
}

// Heard is what the far party has heard, on the modem's clock: 0 where the program played nothing.
func (m *Modem) Heard() []int16 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catchUp()
	return append([]int16(nil), m.heard...)
}

// Say has the far party say x from now on, or after what it was last given so; in the place of what In has there. It answers where that is.
func (m *Modem) Say(x []int16) (at int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catchUp()
	at = max(m.n, m.saidTo)
	m.saidTo = at + int64(len(x))
	m.lengthen(m.saidTo)
	copy(m.said[at:], x)
	return at
}

// lengthen makes room for something to be said up to a sample.
func (m *Modem) lengthen(to int64) {
	if short := to - int64(len(m.said)); short > 0 {
		m.said = append(m.said, make([]int16, short)...)
	}
}

// Xruns is how often the modem had nothing to play, once the program had begun to, and how often it had more than it can keep.
func (m *Modem) Xruns() (under, over int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catchUp()
	return m.under, m.overfull
}

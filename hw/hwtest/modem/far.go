package modem

import (
	"math"
	"time"
)

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
	if m.spec.Patient && !m.spoken {
		m.fifo = append(m.fifo, make([]int16, slack)...)
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

package modem

import (
	"time"

	"github.com/flattone/flattone/audio"
)

const (
	// patience is for how long a patient modem's clock stands still for a program.
	patience = time.Second
	// slack is the silence that a patient modem plays first. A program that answers each frame as it comes is always a little late, and the clock would
	// stand a little each time, as no crystal does.
	slack = 8 * 10
)

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

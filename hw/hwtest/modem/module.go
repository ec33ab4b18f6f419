package modem

import (
	"fmt"
	"time"
)

// module is what the families of mobile modules have in common.
type module struct {
	*Modem
	odd   []byte // a byte that is half a sample
	since time.Time
}

// connects is how long a call that was answered takes to be active.
const connects = 100 * time.Millisecond

func (m *module) rings(int) {
	m.say("RING")
	if m.settings.callerID {
		m.say(fmt.Sprintf(`+CLIP: "%s",129,,,,0`, m.call.number))
	}
}

func (*module) ringsEvery() time.Duration { return 5 * time.Second }

func (m *module) answers() result {
	m.odd = nil
	m.during(connects, ringing, m.becomeActive)
	return done
}

func (m *module) dials(number string) result {
	m.odd = nil
	m.call = call{state: dialling, outgoing: true, number: number, nth: m.call.nth + 1}
	if m.spec.Busy {
		m.during(m.spec.AnswersAfter, dialling, func() {
			m.endCall(true)
			m.say("BUSY")
		})
	} else {
		m.during(m.spec.AnswersAfter, dialling, m.becomeActive)
	}
	return done
}

// seconds is how long a call was active.
func (m *module) seconds(was call) int {
	if was.state != active {
		return 0
	}
	return int(time.Since(m.since) / time.Second)
}

func (*module) bytes(dst []byte, sample int16) []byte { return linear.bytes(dst, sample) }

func (m *module) samples(p []byte) (x []int16) {
	x, m.odd = linear.samples(nil, append(m.odd, p...))
	return x
}

func (*module) underran() {}
func (*module) overran()  {}

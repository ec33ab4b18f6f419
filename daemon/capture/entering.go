package capture

import "time"

// blurReach is how long after an unclear key, in an empty field, a digit is taken to follow it: then the
// field lacks its first one. Later, the unclear key was the caller's voice.
const blurReach = 5 * time.Second

// enter takes a key into the field.
func (m *Machine) enter(key byte) {
	t := m.text(m.field)
	had := t.Len()
	again := key == '*' && m.now-m.starAt <= m.profile.Restart
	m.starAt = never
	switch {
	case key == '#':
		// On an empty field it ends nothing: it is the # of the field before, which ended by itself, or that
		// key still held.
		if had > 0 {
			m.end()
		}
	case key == '*':
		if again {
			t.Clear()
			m.guard.begin()
		} else {
			t.DropLast()
			m.starAt = m.now
		}
		if t.Len() != had {
			m.stars()
		}
	case had == 0 && m.now-m.blurAt <= blurReach:
		m.refuse(m.field, judgement{code: UnclearKey})
	default:
		m.digit(key)
	}
}

func (m *Machine) digit(key byte) {
	if j := m.judge(m.field); j.full {
		if m.field == PAN {
			j.code = TooLong
		}
		m.refuse(m.field, j) // it would have ended by itself, had it been good
		return
	}
	if err := m.text(m.field).Append(key); err != nil {
		m.abandon(Fault) // there is room, and it is a digit: only a closed machine gets here
		return
	}
	m.stars()
	if m.judge(m.field).certain {
		m.end()
	}
}

// end judges the field.
func (m *Machine) end() {
	j := m.judge(m.field)
	if j.code != OK {
		m.refuse(m.field, j)
		return
	}
	m.take(m.field, j)
}

// take keeps a good field and goes on to the next.
func (m *Machine) take(f Field, j judgement) {
	m.taken[f] = true
	v := Event{Kind: Verdict, Field: f, Code: OK, Length: m.text(f).Len(), Tries: m.tries[f]}
	switch f {
	case PAN:
		m.brand = j.brand
		v.Brand, v.Last4 = j.brand, m.last4()
	case Expiry:
		m.shorten()
	}
	m.say(v)
	// A CVV that was keyed before the number was known was taken for its length under any brand.
	if m.taken[CVV] {
		if c := m.judge(CVV); c.code != OK {
			m.refuse(CVV, c)
			return
		}
	}
	for _, next := range m.profile.Fields {
		if !m.taken[next] {
			m.open(next)
			return
		}
	}
	m.finish()
}

// shorten brings a date to MMYY, the form in which cards are kept: MM, then the last two of the year.
func (m *Machine) shorten() {
	t := m.card.Expiry
	if d := t.Reveal(); len(d) == 6 {
		copy(d[2:4], d[4:6])
		t.DropLast()
		t.DropLast()
	}
}

// open makes f the field that keys go to.
func (m *Machine) open(f Field) {
	m.state, m.field = entering, f
	m.blurAt = never
	m.guard.begin()
	m.wait()
	m.stars()
}

// refuse wipes a field, to be keyed again once the caller has stopped.
func (m *Machine) refuse(f Field, j judgement) {
	n := m.text(f).Len()
	m.text(f).Clear()
	m.taken[f] = false
	m.tries[f]++
	v := Event{Kind: Verdict, Field: f, Code: j.code, Length: n, Tries: m.tries[f]}
	if j.code == BrandNotAccepted {
		v.Brand = j.brand
	}
	m.say(v)
	if m.tries[f] >= m.profile.Tries {
		m.abandon(TooManyTries)
		return
	}
	m.state, m.field = swallowing, f
}

// reopen ends the swallowing.
func (m *Machine) reopen() { m.open(m.field) }

// abandon wipes everything, for good.
func (m *Machine) abandon(code Code) {
	m.card.Destroy()
	*m.guard = guard{}
	m.state = void
	m.say(Event{Kind: Void, Code: code})
}

// finish says what may be told of the card, which waits to be taken.
func (m *Machine) finish() {
	*m.guard = guard{}
	m.state = complete
	e := Event{Kind: Complete, Brand: m.brand, Last4: m.last4()}
	e.ExpiryMonth, e.ExpiryYear, _ = expiryOf(m.card.Expiry.Reveal())
	m.say(e)
}

// last4 may be told of a card number that was taken: PCI DSS v4.0.1, requirement 3.4.1.
func (m *Machine) last4() string {
	pan := m.card.PAN.Reveal()
	return string(pan[max(0, len(pan)-4):])
}

func (m *Machine) stars() {
	m.say(Event{Kind: Stars, Field: m.field, Stars: m.text(m.field).Len()})
}

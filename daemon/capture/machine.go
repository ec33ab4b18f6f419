package capture

import (
	"fmt"
	"math"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/secret"
)

// Machine takes one card, field by field.
//
//	                     +--- good: next field ---+
//	                     v                        |
//	  New ---------> entering --- field ends ---> judged --- good, the last one ---> complete
//	                 ^   |                        |
//	                 |   | one digit too many,    | bad
//	                 |   | unclear key            |
//	      1.5 s      |   v                        |
//	     of quiet    +- swallowing <--------------+   Again, from entering too
//	                     |
//	                     +--- refused too often --> void
//
//	any of them but complete --- time-out, End --> void
//
// A field ends with #, by itself where nothing could follow, or with 3 s of quiet where it could be complete.
// Void and complete are final, and say nothing more. Void is the safe state: the card is wiped.
//
// Time is the line's audio time, as a duration from the first frame. It never goes backwards: what is late
// counts as happening now. A Machine is not safe for concurrent use. The events that a method answers with
// are valid until the next call.
type Machine struct {
	profile Profile
	today   time.Time
	card    *secret.Card
	state   state
	field   Field
	taken   [CVV + 1]bool // fields that were judged good
	tries   [CVV + 1]int  // refusals of each
	brand   Brand         // of the number, once taken
	guard   *guard        // in locked memory: it knows the last key
	free    func() error  // gives that back

	begun   time.Duration
	now     time.Duration
	keyAt   time.Duration // when the last key sounded
	waitAt  time.Duration // since when the next key is waited for
	starAt  time.Duration // when the last key was a *
	blurAt  time.Duration // when a key was unclear before any was clear
	spokeAt time.Duration // until when the caller last spoke
	againAt time.Duration // when a field was last to be keyed anew
	sounds  bool          // a key sounds now
	keyed   bool          // there was a key
	warned  bool          // of this wait
	pending []Event
}

type state uint8

const (
	entering state = iota + 1
	swallowing
	complete
	void
)

const never = time.Duration(math.MinInt64 / 2)

// New readies a machine for the first field at the time begun. Expiry is judged against today. Close it
// on every way out.
func New(p Profile, today time.Time, begun time.Duration) (*Machine, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	card, err := secret.NewCard()
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	p = p.withDefaults()
	g, free, err := locked.New[guard]()
	if err != nil {
		card.Destroy()
		return nil, fmt.Errorf("capture: %w", err)
	}
	g.fixed = p.SameKeyGuard
	return &Machine{
		profile: p, today: today, card: card,
		state: entering, field: p.Fields[0], guard: g, free: free,
		begun: begun, now: begun, keyAt: begun, waitAt: begun, starAt: never, blurAt: never, spokeAt: never, againAt: never,
	}, nil
}

// Close wipes what is left. The machine then says nothing more.
func (m *Machine) Close() {
	m.card.Destroy()
	if m.guard != nil {
		m.guard = nil
		m.free()
	}
	m.state = void
}

// Take hands the complete card over: it is the caller's to destroy. It is nil before Complete, and a second
// time.
func (m *Machine) Take() *secret.Card {
	if m.state != complete || m.card.PAN == nil {
		return nil
	}
	c := m.card
	m.card = new(secret.Card)
	return c
}

// Key tells that a key began to sound.
func (m *Machine) Key(d audio.Digit, at time.Duration) []Event {
	if !m.live(at) || d.IsNone() {
		return m.pending
	}
	key := d.Reveal()
	if key >= 'A' {
		m.say(Event{Kind: Warning, Code: KeyIgnored})
		return m.pending
	}
	verdict := m.guard.hear(d, m.now-m.keyAt)
	m.sounded()
	m.sounds = true
	if m.state != entering || verdict == bounce {
		return m.pending
	}
	switch keyed := m.text(m.field).Len() > 0; {
	case verdict == doubled:
		m.refuse(m.field, judgement{code: KeysDoubled})
	case verdict == mistaken && keyed: // some of the field was left out
		m.refuse(m.field, judgement{code: UnclearKey})
	default:
		m.enter(key)
	}
	return m.pending
}

// KeyEnd tells that the key last told of ended.
func (m *Machine) KeyEnd(at time.Duration) []Event {
	if m.live(at) && m.sounds {
		m.sounded()
	}
	return m.pending
}

// Unclear tells that a key may have been pressed, and that nobody can say which.
func (m *Machine) Unclear(at time.Duration) []Event {
	if !m.live(at) {
		return m.pending
	}
	switch {
	case m.state == swallowing:
		m.sounded()
	case m.text(m.field).Len() > 0:
		m.sounded()
		m.refuse(m.field, judgement{code: UnclearKey})
	default:
		// Before the first digit this may as well have been the caller's voice: see enter.
		m.blurAt = m.now
		m.say(Event{Kind: Warning, Code: UnclearKey})
	}
	return m.pending
}

// Speech tells that the caller spoke until at: whoever speaks isn't gone, and isn't done with a field.
func (m *Machine) Speech(at time.Duration) []Event {
	if m.live(at) {
		m.spokeAt = max(m.spokeAt, at)
		if at > m.waitAt {
			m.waitAt, m.warned = at, false
		}
	}
	return m.pending
}

// MoreTime begins all waiting again.
func (m *Machine) MoreTime(at time.Duration) []Event {
	if m.live(at) {
		m.begun = m.now
		m.wait()
	}
	return m.pending
}

// Tick lets time pass up to at.
func (m *Machine) Tick(at time.Duration) []Event {
	m.live(at)
	return m.pending
}

// End gives the capture up for the reason code.
func (m *Machine) End(code Code) []Event {
	m.pending = m.pending[:0]
	if m.state < complete {
		m.abandon(code)
	}
	return m.pending
}

// live begins a method: it drops the last one's events, lets time pass up to at, and reports whether there is
// still something to capture.
func (m *Machine) live(at time.Duration) bool {
	m.pending = m.pending[:0]
	for m.state < complete {
		due, act := m.due()
		if due > at {
			break
		}
		m.now = max(m.now, due)
		act(m)
	}
	m.now = max(m.now, at)
	return m.state < complete
}

// due is what happens next if nobody does anything, and when.
func (m *Machine) due() (at time.Duration, act func(*Machine)) {
	at, act = max(m.begun+m.profile.OverallTimeout, m.spokeAt+m.profile.QuietEnd), (*Machine).overall
	first := func(t time.Duration, a func(*Machine)) {
		if t <= at {
			at, act = t, a
		}
	}
	switch {
	case m.sounds:
	case m.state == swallowing:
		first(max(m.keyAt, m.againAt)+m.profile.RefusalQuiet, (*Machine).reopen)
	default:
		if m.keyed {
			first(m.waitAt+m.profile.KeyTimeout, (*Machine).silent)
			if !m.warned {
				first(m.waitAt+m.profile.KeyWarning, (*Machine).warn)
			}
		}
		if m.text(m.field).Len() > 0 && m.judge(m.field).ripe {
			first(max(m.keyAt, m.spokeAt)+m.profile.QuietEnd, (*Machine).end)
		}
	}
	return at, act
}

func (m *Machine) overall() { m.abandon(TimeoutOverall) }

func (m *Machine) silent() { m.abandon(TimeoutBetweenKeys) }

func (m *Machine) warn() {
	m.warned = true
	m.say(Event{Kind: Warning, Code: KeyWaiting})
}

// sounded notes that a key sounded until now.
func (m *Machine) sounded() {
	m.keyAt, m.sounds, m.keyed = m.now, false, true
	m.wait()
}

// wait begins the wait for the next key again.
func (m *Machine) wait() { m.waitAt, m.warned = m.now, false }

func (m *Machine) say(e Event) { m.pending = append(m.pending, e) }

// text is where a field's digits are kept.
func (m *Machine) text(f Field) *secret.Text {
	switch f {
	case PAN:
		return m.card.PAN
	case Expiry:
		return m.card.Expiry
	default:
		return m.card.CVV.Text
	}
}

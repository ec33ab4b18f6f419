package session

import (
	"fmt"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/secret"
)

// State is where a line stands.
type State string

// The states of a line.
const (
	Idle   State = "idle"   // no capture
	Armed  State = "armed"  // waiting for the first key
	Keying State = "keying" // the caller is keying, or the complete card isn't stored yet
	Done   State = "done"   // the card is stored; masking ends late
	Void   State = "void"   // the capture ended without a card; masking ends late
	Held   State = "held"   // closed: the state of the call is not known, or the path broke
	Tuning State = "tuning" // closed: an installer measures the line
	// Testing: closed, and one leg plays what a technician wants to hear.
	Testing State = "testing"
)

// call is the state of the session, and belongs to its goroutine.
//
//	         Arm               first star             Stored
//	idle ----------> armed ------------------> keying --------> done --+
//	 ^ ^               |                         |                     |
//	 | |               |  time-out, refused too often, call edge,      |
//	 | |               |  fault, Cancel, NotStored, no answer          |
//	 | |               +-----------+-------------+                     |
//	 | |                           v                                   |
//	 | +------ path settled ----- void                                 |
//	 +-------- path settled -------------------------------------------+
//
//	start with a mark; a call joined in the middle; sound that stands while a card is keyed ----> held
//	held ---- call edge, or Acknowledge and 3 s of audio without suspicion ----> idle
//	any of them but tuning, and a call begins or the agent dials an emergency number ----> open at once: see open
//	idle ---- Tune ----> tuning ---- Tuned ----> idle
//	idle, and no call ---- Test ----> testing ---- Tested, a call edge, a bar ----> idle; or as from idle: armed, held
//	armed or keying, and something about the line stands in the way from now on ----> held
//	armed or keying, and a stray key on the agent's leg ----> held
//	idle, and the path or its self-test failed, where the owner chose so ----> still idle, but a wire: see rewire
//	any other of them whose path broke ----> held, and the session ends: its successor comes up held
//
// Held is the fail-closed state: the path is closed. Grades: idle has Idle, armed and keying have Armed, done
// and void have Idle with the masker's tail of Armed, held, tuning and testing have Closed. The mark is set from before armed until
// idle; tuning and testing have none, for nothing is keyed in them that counts.
type call struct {
	*Session
	state  State
	reason capture.Code
	inCall bool
	// presumed: nobody tells of calls, or not now, so there may be one, or another, at any time.
	presumed bool
	toned    bool           // that the network spoke was told of the capture
	at       audio.Position // followed so far
	calm     audio.Position // up to here it wasn't, or nobody knows: where the session began, or the agent keyed on a held line
	acked    bool
	faults   int64 // of the path, when last looked at
	broken   bool  // the path is: the session ends
	wired    bool  // the caller passes as he is: see rewire
	codec    codec
	cover    cover
	asks     asks
	numbers  numbers
	opened   bool // without the masker's tail, since it was armed or held
	witness  witness
	strayed  audio.Position        // where a stray key on the agent's leg is a fault, none if there wasn't one
	bars     map[capture.Code]bool // all true
	endTest  func()                // while testing

	id       string // of the capture
	machine  *capture.Machine
	profile  string
	armedAt  audio.Position
	stillAt  audio.Position // from where on silence counts
	closedAt audio.Position // where a field was closed, none if the path knows it open
	lowered  audio.Position // where the grade was lowered to Idle

	// next is an event whose slot is still to come: the keys behind it wait in the path's queue. It lies in
	// locked memory while the session runs.
	next    *path.Event
	waiting bool
	free    func() error

	card     *secret.Card // complete, and not stored yet
	handed   HandOver
	deadline *time.Timer
	again    *time.Timer
}

const (
	none = audio.Position(-1)
	// calmFor without suspicion lets an acknowledged line go.
	calmFor = 3 * time.Second
	// keyDelay is how long after its beginning a key is reported at the latest: the capture's clock stays so
	// far behind the line's, lest a time-out overtake a key.
	keyDelay = 200 * time.Millisecond
	// settleFor is the least that armed masking lasts after it was lowered, and fieldShut how long a field
	// stays closed between two, so that the path's next tick sees it.
	settleFor = time.Second
	fieldShut = 5 * time.Millisecond
	// unwatchedMost is for how long a line may be armed on which nobody would tell that the call has ended and the next begun.
	unwatchedMost = 3 * time.Minute
	// keySounds is for how long after its slot a key may still sound.
	keySounds = time.Second
	// retryAfter a failure that isn't final the card is handed over again.
	retryAfter = time.Second
)

func (c *call) init(s *Session) {
	c.Session = s
	c.at = s.deps.Path.Position()
	c.calm, c.lowered = c.at, c.at
	c.faults = s.deps.Path.Stats().Faults
	c.closedAt = none
	c.witness = witness{ours: none, alone: none}
	c.deadline, c.again = time.NewTimer(time.Hour), time.NewTimer(time.Hour)
	c.deadline.Stop()
	c.again.Stop()
	c.state, c.bars = Idle, map[capture.Code]bool{}
	if s.mark.found() {
		c.state, c.reason = Held, capture.LineRestarted
	}
	s.deps.Path.SetGrade(c.state.grade())
	s.deps.Path.OpenField(false)
}

// grade is what the path is set to in a state.
func (s State) grade() mask.Grade {
	switch s {
	case Idle, Done, Void:
		return mask.Idle
	case Armed, Keying:
		return mask.Armed
	}
	return mask.Closed
}

// begin runs on the session's goroutine before everything else.
func (c *call) begin() error {
	var err error
	if c.next, c.free, err = locked.New[path.Event](); err != nil {
		c.deps.Path.SetGrade(mask.Closed)
		return fmt.Errorf("session: %w", err)
	}
	c.deps.Observer.State(c.state, "", c.reason)
	for _, code := range c.cfg.Bars {
		c.bar(code, true)
	}
	return nil
}

// quit wipes everything when the session ends.
func (c *call) quit() {
	if c.state != Idle {
		c.deps.Path.SetGrade(mask.Closed)
	}
	c.wipe()
	c.free()
}

// wipe forgets all that was keyed.
func (c *call) wipe() {
	if c.machine != nil {
		c.machine.Close()
		c.machine = nil
	}
	if c.card != nil {
		c.card.Destroy()
		c.card = nil
	}
	c.deadline.Stop()
	c.again.Stop()
}

// enter goes to a state, and tells.
func (c *call) enter(s State, reason capture.Code) {
	if c.state == Testing {
		c.endTest()
	}
	c.state, c.reason = s, reason
	c.deps.Path.SetGrade(s.grade())
	if s != Armed && s != Keying {
		c.deps.Path.OpenField(false)
		c.closedAt = none
	}
	if s.grade() == mask.Idle {
		c.lowered = c.deps.Path.Position()
	}
	if s == Idle {
		c.id, c.profile = "", ""
	}
	c.deps.Observer.State(s, c.id, reason)
	c.rewire()
}

// capturing reports whether keys count.
func (c *call) capturing() bool { return c.machine != nil }

// time is a position as the capture reckons it.
func (c *call) time(p audio.Position) time.Duration { return c.cfg.Rate.Duration(int64(p)) }

// frames is a duration on the line's clock.
func (c *call) frames(d time.Duration) audio.Position {
	return audio.Position(c.cfg.Rate.Frames(d))
}

// clock is the capture's time: late enough for every key before it to have been told.
func (c *call) clock() time.Duration {
	at := c.at - c.frames(keyDelay)
	if c.waiting {
		at = min(at, c.next.Start)
	}
	return c.time(max(at, c.armedAt))
}

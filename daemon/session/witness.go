package session

import (
	"time"

	"github.com/flattone/flattone/audio"
)

// witness is what another ear on the line says of keys, such as a modem's own, beside what is heard here.
type witness struct {
	ours  audio.Position // where the newest key begins that was heard here, on either leg: the agent's come back from a hybrid
	alone audio.Position // where it heard one for which there is none here so far, none if there is no such
}

// aboutNow is how far a witness's word and the key that it is about may lie apart.
const aboutNow = time.Second

// Witnessed tells that another ear heard a key just now. If none is heard here within a second of that, what is being keyed lacks one: it is
// unclear, and keyed again. No witness ever adds a key, or says which it was.
func (s *Session) Witnessed() error {
	return s.do(func() {
		c := &s.call
		w, at := &c.witness, c.deps.Path.Position()
		if c.capturing() && w.alone == none && !near(w.ours, at, c.frames(aboutNow)) {
			w.alone = at
		}
	})
}

// here takes a key that was heard here.
func (w *witness) here(begins, about audio.Position) {
	w.ours = max(w.ours, begins)
	if near(w.alone, begins, about) {
		w.alone = none
	}
}

// judgeWitness has the field keyed again once no key can come any more that the witness might have meant.
func (c *call) judgeWitness() {
	if w := &c.witness; w.alone != none && c.at >= c.onGrid(w.alone+c.frames(aboutNow+keyDelay)) {
		w.alone = none
		c.tell(c.machine.Unclear(c.clock()))
	}
}

// near reports whether b lies about where a does, if there is an a.
func near(a, b, about audio.Position) bool { return a != none && max(a-b, b-a) <= about }

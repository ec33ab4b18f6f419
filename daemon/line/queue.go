package line

import (
	"sync"

	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/wire"
)

// queue is what waits to be sent on one connection, so that nobody who has something to say waits for flattoned: the
// device's thread is among them. Putting into it is safe for concurrent use; one goroutine sends.
//
// Its length bounds how far behind flattoned may be. Levels are told again soon, so they are left out from half of it
// on.
type queue struct {
	mu     sync.Mutex
	waits  chan outgoing
	closed bool
}

// outgoing is a message, with the card where it is a wire.Card.
type outgoing struct {
	message wire.Message
	card    *secret.Card // ours: destroyed once it is sent
}

// queueLength is some ten seconds of a line at its most talkative.
const queueLength = 256

func newQueue() *queue { return &queue{waits: make(chan outgoing, queueLength)} }

// put adds a message and takes over its card. It reports false if there is no room: the connection is of no more use.
func (q *queue) put(o outgoing) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, level := o.message.(wire.Meters)
	room := len(q.waits) < queueLength
	if q.closed || !room || level && len(q.waits) >= queueLength/2 {
		o.destroy()
		return q.closed || room || level
	}
	q.waits <- o
	return true
}

// close has send come to its end; what is put from now on is left out.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.closed {
		q.closed = true
		close(q.waits)
	}
}

// send sends what is in the queue until it is closed and empty. After a failure it sends nothing more; the connection
// is then closed, as its owner notices.
func (q *queue) send(c *wire.Conn) {
	var failed error
	for o := range q.waits {
		switch {
		case failed != nil:
		case o.card != nil:
			failed = c.SendCard(o.message.(wire.Card), o.card)
		default:
			failed = c.Send(o.message)
		}
		o.destroy()
	}
}

func (o outgoing) destroy() {
	if o.card != nil {
		o.card.Destroy()
	}
}

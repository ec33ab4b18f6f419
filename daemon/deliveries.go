package daemon

import (
	"slices"
	"sync"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/upstream"
)

// deliveries tells the feed of every token and of its way upstream, in the order in which people expect it. Upstream
// may be done with a token before Seal has returned; what it says is then kept back until the token is told.
//
//	sealing --queued--> sealing, upstream will be told --sealed--> token, pending --delivered--> forgotten
//	   +-------------------------- sealed: the card was stored before --> token, forgotten
//	   +-------------------------- failed --> forgotten
type deliveries struct {
	feed *control.Feed

	mu sync.Mutex
	// open are the captures being sealed, and those whose token upstream doesn't have yet.
	open map[string]*delivery
}

type delivery struct {
	line string
	// queued are the destinations that are to be told and weren't yet. A card that comes a second time isn't told a second time.
	queued []string
	// token is what it was sealed under, "" until Seal has returned.
	token string
	early []control.Event
}

func newDeliveries(feed *control.Feed) *deliveries {
	return &deliveries{feed: feed, open: map[string]*delivery{}}
}

// sealing notes on which line a capture was that is about to be sealed.
func (d *deliveries) sealing(capture, line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[capture] == nil {
		d.open[capture] = &delivery{line: line}
	}
}

// queued notes that upstream will be told, if the transaction succeeds that this is called in.
func (d *deliveries) queued(capture, to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.open[capture]; c != nil && !slices.Contains(c.queued, to) { // the transaction may be begun more than once
		c.queued = append(c.queued, to)
	}
}

// sealed tells of a token: e is its event.
func (d *deliveries) sealed(e control.Event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e.Kind = control.KindToken
	d.feed.Publish(e)
	c := d.open[e.Capture]
	if c == nil || c.token != "" {
		return
	}
	c.token = e.Token
	for _, to := range slices.Clone(c.queued) {
		d.tell(c, control.Event{Capture: e.Capture, Destination: to, Delivery: control.DeliveryPending})
	}
	for _, e := range c.early {
		d.tell(c, e)
	}
	c.early = nil
	if len(c.queued) == 0 {
		delete(d.open, e.Capture)
	}
}

// failed forgets a capture that was not sealed.
func (d *deliveries) failed(capture string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.open[capture]; c != nil && c.token == "" {
		delete(d.open, capture)
	}
}

// tried tells what became of an attempt to tell upstream. Of a capture from before flattoned started the line isn't
// known here.
func (d *deliveries) tried(a upstream.Delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := control.Event{Capture: a.Key, Destination: a.To, Delivery: control.DeliveryDelivered}
	switch {
	case a.Dead:
		e.Delivery, e.Reason = control.DeliveryDead, a.Reason
	case !a.Delivered:
		e.Delivery, e.Reason = control.DeliveryRetrying, a.Reason
	}
	switch c := d.open[a.Key]; {
	case c == nil:
		d.tell(&delivery{}, e)
	case c.token == "":
		c.early = append(c.early, e)
	default:
		d.tell(c, e)
	}
}

// tell publishes what became of a delivery. The caller holds mu.
func (d *deliveries) tell(c *delivery, e control.Event) {
	e.Kind, e.Line, e.Token = control.KindDelivery, c.line, c.token
	d.feed.Publish(e)
	if e.Delivery != control.DeliveryDelivered && e.Delivery != control.DeliveryDead { // what a technician does later is not of this call
		return
	}
	if c.queued = slices.DeleteFunc(c.queued, func(to string) bool { return to == e.Destination }); len(c.queued) == 0 {
		delete(d.open, e.Capture)
	}
}

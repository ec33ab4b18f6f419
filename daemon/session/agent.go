package session

import (
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
)

// faultGrid is on what a key becomes a fault, as stars are shown on that of the flat tones: a stray one of the agent's, which is the caller's if
// the two legs are swapped, and one that only another ear heard. So the moment tells nothing of which it was.
const faultGrid = 100 * time.Millisecond

// onGrid is the next moment of that grid after a position.
func (c *call) onGrid(at audio.Position) audio.Position {
	grid := c.frames(faultGrid)
	return at/grid*grid + grid
}

// agentKeyed takes a key of the agent's leg. It is never one of the card's: it may ask for something or call for help, or else means, while a card is
// taken, that the caller is on that leg, or is heard on both. A held line isn't quiet while there are any.
func (c *call) agentKeyed(e *path.Event) {
	late := c.asks.expire(e.Start)
	ask, stray := c.asks.take(e.Digit, e.Start)
	dialling, also := c.numbers.take(e, !c.opened && c.deps.Path.Grade() >= mask.Armed)
	if late || also || stray && !dialling { // which no number goes on after a sequence's keys
		c.stray(e)
	}
	if c.state == Held {
		c.calm = c.at
	}
	if ask != "" {
		c.deps.Observer.Asked(ask)
	}
}

// callerKeyed takes a key of the caller's: then no number that the agent keys stands alone.
func (c *call) callerKeyed(e *path.Event) {
	if c.numbers.spoil(e.Start) {
		c.stray(e)
	}
}

// stray notes that a key on the agent's leg was a fault, as an event shows.
func (c *call) stray(e *path.Event) {
	if c.wanted(e) && c.strayed == none {
		c.strayed = c.onGrid(e.Start + c.frames(keyDelay))
	}
}

// watchAgent ends a capture whose legs are swapped or coupled, as far as that is known by now.
func (c *call) watchAgent() {
	now := c.at - c.frames(keyDelay)
	if late, also := c.asks.expire(now), c.numbers.expire(now); (late || also) && c.strayed == none {
		c.strayed = c.at
	}
	if c.strayed != none && c.at >= c.strayed {
		c.hold(capture.LegsSwapped) // masked and told, even where the mark can't be written
	}
}

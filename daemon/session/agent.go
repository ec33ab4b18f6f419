package session

import (
	"time"

	"github.com/flattone/flattone/audio"
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

// agentKeyed takes a key of the agent's leg. It is never one of the card's: it may ask for something, or else means, while a card is
// taken, that the caller is on that leg, or is heard on both. A held line isn't quiet while there are any.
func (c *call) agentKeyed(e *path.Event) {
	ask, stray := c.asks.take(e.Digit, e.Start)
	if stray && c.wanted(e) && c.strayed == none {
		c.strayed = c.onGrid(e.Start + c.frames(keyDelay))
	}
	if c.state == Held {
		c.calm = c.at
	}
	if ask != "" {
		c.deps.Observer.Asked(ask)
	}
}

// watchAgent ends a capture whose legs are swapped or coupled, as far as that is known by now.
func (c *call) watchAgent() {
	if c.asks.expire(c.at-c.frames(keyDelay)) && c.strayed == none {
		c.strayed = c.at
	}
	if c.strayed != none && c.at >= c.strayed {
		c.hold(capture.LegsSwapped) // masked and told, even where the mark can't be written
	}
}

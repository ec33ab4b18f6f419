package line

import (
	"errors"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/progress"
)

// ears listen on both legs of a live line, as they come in, for what tells of calls where nobody else does. A recorded line has none.
type ears struct{ callers, agents *progress.Listener }

func newEars(rate audio.Rate) (*ears, error) {
	callers, err := progress.New(rate)
	agents, err2 := progress.New(rate)
	return &ears{callers, agents}, errors.Join(err, err2)
}

// network is where a tone of the network was heard last, on either leg: it grows while one sounds.
func (e *ears) network() audio.Position { return e.callers.Heard() + e.agents.Heard() }

// silent is for how many frames both legs have been silent by now.
func (e *ears) silent() int64 { return min(e.callers.Silent(), e.agents.Silent()) }

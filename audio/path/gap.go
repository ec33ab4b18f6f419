package path

import (
	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
)

// gap follows what never arrived. A key that a gap may have cut is unclear, whatever was heard of it: what is left of one may be taken for two, and two
// for one.
//
//	a key sounds ----> a gap longer than gapMost --> unclear
//	                   a gap longer than gapMost --> a key sounds, or is found to have begun there --> unclear
type gap struct {
	ticks  int  // of the gap under way
	cut    bool // a key sounded when it began
	strict int  // ticks of strict suspicion, one after another
	held   bool // in the tick before this one
	// The last long one.
	from, upto audio.Position
}

const (
	gapMost  = 20 // ms: a shorter hole in a key is bridged
	gapReach = 15 // ms after a long gap within which a key that is suspected, or is found to begin, may have begun in it
	gapSure  = 6  // ms of strict suspicion that may be a key's
)

// next takes a tick that begins at a position, and reports whether a key was cut, as soon as that shows.
func (g *gap) next(lost bool, v *detect.Verdict, at audio.Position, tick int) (cut bool) {
	sounds := g.held || g.strict >= gapSure // before it
	g.held = v.Held
	if g.strict++; !v.Strict {
		g.strict = 0
	}
	if !lost {
		g.ticks = 0
		return g.strict == gapSure && g.hides(at, tick)
	}
	if g.ticks == 0 {
		g.cut = sounds
	}
	if g.ticks++; g.ticks > gapMost {
		g.from, g.upto = at-audio.Position((g.ticks-1)*tick), at+audio.Position(tick)
		cut, g.cut = g.cut, false
	}
	return cut
}

// hides reports whether a key that is found to begin at a position may have begun in the last long gap.
func (g *gap) hides(start audio.Position, tick int) bool {
	return g.upto > 0 && start >= g.from && start <= g.upto+audio.Position(gapReach*tick)
}

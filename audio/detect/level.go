package detect

import "github.com/flattone/flattone/audio"

// level finds edges: where quiet ends abruptly. It sees energy alone.
type level struct {
	history [16]float32 // mean square of the last ticks
	at      int
	rises   [8]int64 // the last abrupt rises, one past their ticks' numbers; 0 for none
	rise    int
}

const (
	edgeRise  = 6    // 8 dB over the loudest of the ticks before
	edgeFloor = 400  // mean square below which nothing is an edge: about -64 dBm0
	edgeCalm  = 5200 // and above which nothing was quiet before it: about -50 dBm0 of hiss. Such a rise is no edge.
	edgeQuiet = 8    // ticks that must have been quieter, and that a rise rules out another
	edgeNear  = 5    // ticks between a rise and the onset found from the tone
)

// push takes the power of one tick: that of the difference over an eighth of a millisecond, which takes away DC and
// hum and leaves every DTMF frequency within 7 dB.
func (l *level) push(power float32) (edge bool) {
	// The tick just before may hold the first few frames of what this one is full of.
	before := l.history[(l.at-2)&15]
	if power > edgeFloor && power > edgeRise*before {
		edge = l.rose(power)
	}
	l.history[l.at&15] = power
	l.at++
	return edge
}

// rose notes a rise, of a power that is high enough over that of two ticks before, if it is so over all that counts. It reports whether
// it was out of quiet: an edge.
func (l *level) rose(power float32) (edge bool) {
	var before float32
	for k := 2; k < 2+edgeQuiet; k++ {
		before = max(before, l.history[(l.at-k)&15])
	}
	now := int64(l.at) + 1
	if power <= edgeRise*before || now-l.rises[(l.rise-1)&7] <= edgeQuiet {
		return false
	}
	l.rises[l.rise&7] = now
	l.rise++
	return before < edgeCalm
}

// onset is the rise, in frames, within edgeNear ticks of an onset found otherwise; or else that onset itself.
// An onset found from a tone depends on which key it is, if only by a fraction of a millisecond; a rise
// doesn't, or far less often.
func (l *level) onset(p *plan, at audio.Position) audio.Position {
	best, distance := at, audio.Position(edgeNear*p.tick)
	for _, e := range l.rises {
		rise := audio.Position((e - 1) * int64(p.tick))
		if d := max(rise-at, at-rise); e > 0 && d <= distance {
			best, distance = rise, d
		}
	}
	return best
}

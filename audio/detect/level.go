package detect

import "github.com/flattone/flattone/audio"

// level finds where the level rises abruptly. It hears how far the samples swing, and no tone: the greatest of a tick's
// differences, squared, tells of the first frame or two of a key, whichever key it is, where the tick's power needs half of it to
// be there, and more of one key than of another.
type level struct {
	history [16]float32 // peaks of the last ticks
	at      int64
	rises   [8]int64 // the last rises, one past their ticks' numbers; 0 for none
	rise    int
	edge    int64 // the last edge, likewise,
	burst   int64 // and the last that may have begun a burst
}

const (
	riseOver  = 3     // 5 dB over the greatest of the peaks before: a rise,
	burstOver = 4     // 6 dB: it may begin a burst,
	edgeOver  = 6     // and 8 dB: an edge
	riseFloor = 2000  // peak below which nothing rises: that of noise of -64 dBm0, about
	calmMost  = 18000 // and up to which it was calm before: of hiss of -50 dBm0
	quietFor  = 8     // ticks that must have been quieter, and in which one rules out another of its kind
	riseLasts = 2     // ticks in which a rise does
	edgeNear  = 5     // ticks between a rise and the onset found from the tone
)

// push takes the peak of a tick: the greatest square of a difference over an eighth of a millisecond, which takes away DC and
// hum and leaves every DTMF frequency within 7 dB. It tells whether that is an edge, and whether it may begin a burst out of calm.
func (l *level) push(peak float32) (edge, burst bool) {
	// The tick just before may hold the first few frames of what this one is full of.
	if peak > riseFloor && peak > riseOver*l.history[(l.at-2)&15] {
		edge, burst = l.rose(peak)
	}
	l.history[l.at&15] = peak
	l.at++
	return edge, burst
}

// rose takes a peak that is high enough over that of two ticks before. It is a rise if it is so over all that count.
func (l *level) rose(peak float32) (edge, burst bool) {
	var before float32
	for k := int64(2); k < 2+quietFor; k++ {
		if before = max(before, l.history[(l.at-k)&15]); peak <= riseOver*before {
			return false, false
		}
	}
	now := l.at + 1
	if now-l.rises[(l.rise-1)&7] > riseLasts {
		l.rises[l.rise&7] = now
		l.rise++
	}
	if peak > edgeOver*before && now-l.edge > quietFor {
		l.edge, edge = now, true
	}
	if peak > burstOver*before && before < calmMost && now-l.burst > quietFor {
		l.burst, burst = now, true
	}
	return edge, burst
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

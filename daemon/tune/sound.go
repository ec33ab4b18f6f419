package tune

import (
	"github.com/flattone/flattone/audio/probe"
	"github.com/flattone/flattone/audio/ring"
)

// sound plays the probe on a leg, the other being silent, until it was heard out without a gap: what comes back of it on the same leg, from the
// frame on that lies opposite its first, and on the other, from about there.
func (t *tuner) sound(l *listener, to, from *Leg) (back, through probe.Echo, ok bool) {
	defer to.hush()
	defer from.hush()
	same, other := t.heard[0], t.heard[1]
	for {
		empty(same)
		empty(other)
		from.sound(nil)
		p := to.sound(t.probe.Sound())
		l.afresh()
		lost := false
		for !lost && (filled(same) < t.probe.Frames() || filled(other) < t.probe.Frames()) {
			at := int64(to.ring.Read()) + int64(l.taken) // of what comes next
			x, y, ok := l.next()
			if !ok {
				return back, through, false
			}
			if to == t.deps.Tap.Agent {
				x, y = y, x
			}
			if began := p.began.Load(); began >= 0 {
				if filled(same) == 0 && at > began { // of the turn in which it began some was handed out before that was known: too soon for an echo
					fill(same, make([]int16, at-began))
				}
				fill(same, x[min(len(x), int(max(0, began-at))):])
			}
			fill(other, y)
			lost = l.gap() || l.torn()
		}
		if !lost {
			return t.probe.Find(same.Head(t.probe.Frames())), t.probe.Find(other.Head(t.probe.Frames())), true
		}
	}
}

// fill adds to a recording as much as there is room for, and answers how much.
func fill(r *ring.Ring, x []int16) int {
	n := copy(r.Tail(len(x)), x)
	r.Commit(n)
	r.Judge(r.Written())
	return n
}

// silence is fill with so many frames of it.
func silence(r *ring.Ring, frames int) int {
	room := r.Tail(frames)
	clear(room)
	r.Commit(len(room))
	r.Judge(r.Written())
	return len(room)
}

// filled is how much of it there is.
func filled(r *ring.Ring) int { return int(r.Judged() - r.Read()) }

func empty(r *ring.Ring) {
	for filled(r) > 0 {
		r.Release(filled(r))
	}
}

package session

import (
	"fmt"
	"slices"
	"time"

	"github.com/flattone/flattone/audio"
)

// Ask is what an agent may ask for by keys.
type Ask string

// What may be asked for.
const (
	AskStart  Ask = "start"   // a capture
	AskCancel Ask = "cancel"  // its end
	AskAnswer Ask = "answer"  // the call that rings
	AskHangUp Ask = "hang_up" // the end of the call
)

// asks follows the agent's keys for the sequences that ask for something. A sequence may begin in the midst of keys that came to
// nothing, and none of them lies within another. It remembers how far each of them has come, and no key.
type asks struct {
	of       []sequence
	keyed    int            // so many keys may yet become one
	last     audio.Position // where the newest of them began
	patience audio.Position
}

// sequence is what has to be keyed for an ask.
type sequence struct {
	ask   Ask
	keys  []audio.Digit
	keyed int // so many of them were, last
}

// askGap is the longest from the beginning of a sequence's key to that of the next.
const askGap = 2 * time.Second

func newAsks(keys map[Ask]string, rate audio.Rate) (asks, error) {
	a := asks{patience: audio.Position(rate.Frames(askGap))}
	for _, ask := range []Ask{AskStart, AskCancel, AskAnswer, AskHangUp} {
		q := sequence{ask: ask}
		for _, k := range []byte(keys[ask]) {
			d, ok := audio.NewDigit(k)
			if !ok {
				return asks{}, fmt.Errorf("session: the keys to %s have %q, which is none: use 0-9, *, # and A-D", ask, k)
			}
			q.keys = append(q.keys, d)
		}
		if len(q.keys) > 0 {
			a.of = append(a.of, q)
		}
	}
	return a, nil
}

// take takes the next key. It answers with what is thereby asked for, if anything, and whether a key, this or one before it, turned
// out to be of no sequence.
func (a *asks) take(d audio.Digit, at audio.Position) (ask Ask, stray bool) {
	stray = a.expire(at)
	most := 0
	for i := range a.of {
		q := &a.of[i]
		q.keyed = q.after(d)
		if most = max(most, q.keyed); q.keyed == len(q.keys) {
			ask = q.ask
		}
	}
	stray = stray || most <= a.keyed
	if a.keyed, a.last = most, at; ask != "" {
		a.reset()
	}
	return ask, stray
}

// after is how many of the keys were the last to be keyed once d is, too.
func (q *sequence) after(d audio.Digit) int {
	for n := q.keyed; n >= 0; n-- {
		if q.keys[n] == d && slices.Equal(q.keys[:n], q.keys[q.keyed-n:q.keyed]) {
			return n + 1
		}
	}
	return 0
}

// expire reports whether keys come to nothing because the next hasn't begun by now.
func (a *asks) expire(now audio.Position) bool {
	late := a.keyed > 0 && now-a.last > a.patience
	if late {
		a.reset()
	}
	return late
}

// reset forgets what was keyed.
func (a *asks) reset() {
	a.keyed = 0
	for i := range a.of {
		a.of[i].keyed = 0
	}
}

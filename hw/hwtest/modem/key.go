package modem

import (
	"slices"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// Key is a key that the far party keys, from a sample on, for so many.
type Key struct {
	Key     byte
	At      int64
	Samples int
}

// stage is how far a key is, as a modem tells.
type stage int

const (
	heardKey stage = iota // it is sure that it is one
	stillKey
	overKey
)

// event is what a modem will tell of a key.
type event struct {
	at    int64
	key   byte
	stage stage
}

const (
	// sureAfter is how long a modem listens to a key until it is sure. Q.24 has it take what lasts 40 ms.
	sureAfter = 8 * 40
	// repeats is how often a voice modem tells that a key is still held.
	repeats = 8 * 70
)

// Key has the far party key something for a while from now on, into what else it says.
func (m *Modem) Key(key byte, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.catchUp()
	pair, ok := tone.Pair(key, -10, 2)
	if !ok {
		m.t.Error("there is no such key")
		return
	}
	x := tone.Append(nil, audio.Rate8k, audio.Rate8k.Frames(d), 0, pair[:]...)
	m.lengthen(m.n + int64(len(x)))
	for i, v := range x {
		m.said[m.n+int64(i)] += v
	}
	m.schedule([]Key{{Key: key, At: m.n, Samples: len(x)}})
}

// schedule has the modem tell of keys. mu is held.
func (m *Modem) schedule(keys []Key) {
	for _, k := range keys {
		if k.Samples < sureAfter {
			continue
		}
		end := k.At + int64(k.Samples)
		for at, s := k.At+sureAfter, heardKey; at < end; at, s = at+repeats, stillKey {
			m.events = append(m.events, event{at, k.Key, s})
		}
		m.events = append(m.events, event{end, k.Key, overKey})
	}
	slices.SortStableFunc(m.events, func(a, b event) int { return int(a.at - b.at) })
}

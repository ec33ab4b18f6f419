package clients

import (
	"sync"
	"time"
)

// Who is turned away gets an entry in the audit log each time, until there are too many: then one a second, with how many there were besides. Anybody who can send
// something here could else fill the disk with an entry for each.
const (
	entriesAtOnce = 60
	entryEvery    = time.Second
)

// door counts who was turned away.
type door struct {
	mu    sync.Mutex
	known map[string]*turned // by client; those of the configuration alone come here
}

type turned struct {
	room int // entries that may be written now
	at   time.Time
	more int // who got none since the last
}

func newDoor() *door { return &door{known: map[string]*turned{}} }

// enter reports whether somebody's being turned away is to be entered, and how many weren't before.
func (d *door) enter(client string, now time.Time) (more int, is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t := d.known[client]
	if t == nil {
		t = &turned{room: entriesAtOnce, at: now}
		d.known[client] = t
	}
	if gone := now.Sub(t.at) / entryEvery; gone > 0 {
		t.room, t.at = min(entriesAtOnce, t.room+int(min(gone, entriesAtOnce))), now
	}
	if t.room == 0 {
		t.more++
		return 0, false
	}
	t.room--
	more, t.more = t.more, 0
	return more, true
}

package sound

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// nodes is where the kernel puts a sound card's device nodes.
const nodes = "/dev/snd"

const (
	// changeLook is how often the nodes are looked for where the machine has none, and changeMost how long they are watched without a change: a card
	// that is there may also be given back by another program.
	changeLook = 500 * time.Millisecond
	changeMost = 10 * time.Second
)

// Changes notices that a sound card may have come or gone, without touching PortAudio, whose look at the cards opens each of them.
type Changes struct {
	fd     int // inotify's
	folder string
}

// Watch notices changes from now on, also while nobody waits for one, and that a file of a folder was replaced.
func Watch(folder string) (*Changes, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("sound: watch for cards: %w", err)
	}
	c := &Changes{fd, folder}
	c.look()
	return c, nil
}

// look watches whatever there is by now, and says for how long that will do.
func (c *Changes) look() time.Duration {
	unix.InotifyAddWatch(c.fd, c.folder, unix.IN_MOVED_TO) // else it is seen late
	if _, err := unix.InotifyAddWatch(c.fd, nodes, unix.IN_CREATE|unix.IN_DELETE|unix.IN_ATTRIB); err != nil {
		return changeLook
	}
	return changeMost
}

// Next returns when something has changed since it last did, some time has passed, or ctx ends.
func (c *Changes) Next(ctx context.Context) {
	const step = 100 * time.Millisecond
	var event [4096]byte
	for until := time.Now().Add(c.look()); time.Now().Before(until); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(step):
		}
		if n, _ := unix.Read(c.fd, event[:]); n > 0 {
			return
		}
	}
}

// Close ends it.
func (c *Changes) Close() { unix.Close(c.fd) }

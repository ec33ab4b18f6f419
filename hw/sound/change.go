package sound

import (
	"context"
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

// Change returns when a sound card may have come or gone, or ctx ends. It doesn't touch PortAudio, whose look at the cards opens each of them.
func Change(ctx context.Context) {
	wait := changeLook
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err == nil {
		defer unix.Close(fd)
		if _, err = unix.InotifyAddWatch(fd, nodes, unix.IN_CREATE|unix.IN_DELETE|unix.IN_ATTRIB); err == nil {
			wait = changeMost
		}
	}
	const step = 100 * time.Millisecond
	var event [4096]byte
	for until := time.Now().Add(wait); time.Now().Before(until); {
		select {
		case <-ctx.Done():
			return
		case <-time.After(step):
		}
		if n, _ := unix.Read(fd, event[:]); err == nil && n > 0 {
			return
		}
	}
}

// Package fleet has many boxes tell one server of NATS JetStream, and counts what it costs: docs/fleet.md.
//
// A box here is what of flattoned has to do with telling: the outbox (daemon/upstream) with its own store, a SQLite file that is flushed as
// every box's is, and its own sender and connection (daemon/upstream/jetstream). None of it is a stand-in. They share a process, so that a
// thousand fit on one machine; the server has another, so that each one's time is its own. What is left out is what happens before
// an event: calls, vault, audit log.
package fleet

import (
	"context"
	"flag"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

var (
	boxes   = flag.Int("boxes", 20, "how many boxes there are")
	cards   = flag.Int("cards", 10, "how many cards each takes while the network is away, two events each")
	away    = flag.Duration("away", time.Second, "how long it is away")
	maxWait = flag.Duration("max-wait", time.Second, "the most that a box waits before it tries again; five minutes by default in a box")
	flushed = flag.Bool("flushed", false, "the server flushes each message before it acknowledges it")
)

func TestMain(m *testing.M) {
	natstest.Main()
	m.Run()
}

// TestFleet: what a day's events cost while all is well; and when the server was away, and all boxes have something to tell as it comes back, that
// all of it arrives, once, in the order of its keys, and how long that takes.
func TestFleet(t *testing.T) {
	server := natstest.NewProcess(t, *flushed)
	stream := server.Stream("FLATTONE", "flattone.>")
	begun := time.Now()
	fleet := newFleet(t, server.URL(), *boxes)
	t.Logf("%d boxes are up after %.1f s", *boxes, time.Since(begun).Seconds())
	waitFor(t, "all boxes connected", func() bool { return server.Figures().Connections >= *boxes })

	few := max(1, *cards/10)
	before := measure(t, server, stream)
	fleet.take(t, few)
	waitFor(t, "a few cards told", func() bool { return told(t, stream) == 2**boxes*few })
	steady := measure(t, server, stream).since(before)
	t.Log(steady.row("all is well", 2**boxes*few))

	server.Kill()
	fleet.take(t, *cards)
	time.Sleep(*away)
	server.Start()
	back := time.Now()
	before = measure(t, server, stream)
	all := 2 * *boxes * (few + *cards)
	var first, half time.Duration
	herd, connected := 0, 0
	for second := back; told(t, stream) < all; time.Sleep(50 * time.Millisecond) {
		switch n := told(t, stream); {
		case first == 0 && n > 2**boxes*few:
			first = time.Since(back)
		case half == 0 && n > 2**boxes*few+*boxes**cards:
			half = time.Since(back)
		}
		if time.Since(second) >= time.Second {
			now := int(server.Figures().TotalConnections)
			herd, connected, second = max(herd, now-connected), now, time.Now()
		}
	}
	whole := time.Since(back)
	after := measure(t, server, stream).since(before)
	t.Log(after.row("the network is back", all-2**boxes*few))
	t.Logf("back: first event after %.1f s, half of them after %.1f, all after %.1f; at most %d boxes connected within a second; %.0f events/s",
		first.Seconds(), half.Seconds(), whole.Seconds(), max(herd, int(server.Figures().TotalConnections)-connected), float64(all-2**boxes*few)/whole.Seconds())
	t.Logf("the server then has %d MB of memory, the boxes %d kB of heap each", server.Figures().Mem>>20, heap()>>10/uint64(*boxes))
	inOrder(t, stream, *boxes, few+*cards)
}

// figures are what has been spent so far.
type figures struct {
	boxes, server time.Duration // of a core
	in, out       int64         // bytes of messages, to the server and from it
	stored        uint64        // bytes, in the stream's files
}

func measure(t *testing.T, server *natstest.Process, stream jetstream.Stream) figures {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	info, err := stream.Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	v := server.Figures()
	return figures{time.Duration(u.Utime.Nano() + u.Stime.Nano()), server.CPU(), v.InBytes, v.OutBytes, info.State.Bytes}
}

func (f figures) since(b figures) figures {
	return figures{f.boxes - b.boxes, f.server - b.server, f.in - b.in, f.out - b.out, f.stored - b.stored}
}

func (f figures) row(what string, events int) string {
	n := time.Duration(events)
	return fmt.Sprintf("%-20s %7d events: a box %v of a core an event, the server %v; %d bytes to it, %d from it, %d in its files",
		what, events, (f.boxes / n).Round(time.Microsecond), (f.server / n).Round(time.Microsecond), f.in/int64(events), f.out/int64(events), f.stored/uint64(events))
}

// patience bounds a wait for what must happen.
const patience = 15 * time.Minute

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("no end of waiting for: %s", what)
		}
	}
}

// told is how many events the stream has; none while it can't be asked.
func told(t *testing.T, stream jetstream.Stream) int {
	t.Helper()
	info, err := stream.Info(context.Background())
	if err != nil {
		return 0
	}
	return int(info.State.Msgs)
}

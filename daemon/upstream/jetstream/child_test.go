package jetstream

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

var (
	many  = flag.Int("events", 10_000, "how many events the memory is measured over")
	kills = flag.Int("kills", 3, "how often the server is killed")
)

// A server in a process of its own, which can be killed, and whose memory is its own.
const (
	serveUntilKilled = "FLATTONE_TEST_NATS_DIR"
	serveAt          = "FLATTONE_TEST_NATS_PORT"
	serveLazily      = "FLATTONE_TEST_NATS_LAZY" // as a server is by default: it acknowledges before it flushes
)

func serveForever(dir, port string) {
	o := natstest.Options(dir)
	fmt.Sscan(port, &o.Port)
	o.SyncAlways = os.Getenv(serveLazily) == ""
	s, err := server.NewServer(o)
	if err != nil {
		panic(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		panic("the NATS server doesn't start")
	}
	fmt.Println(s.Addr().String())
	os.Stdin.Read(make([]byte, 1)) // to the end of the test, if nobody kills it
	os.Exit(0)
}

// child is such a server; it has its address and its files again when it is started again.
type child struct {
	t       testing.TB
	dir     string
	address string
	env     []string
	cmd     *exec.Cmd
}

func newChild(t testing.TB, env ...string) *child {
	c := &child{t: t, dir: t.TempDir(), address: "127.0.0.1:-1", env: env}
	c.start()
	t.Cleanup(c.kill)
	return c
}

func (c *child) start() {
	c.t.Helper()
	c.cmd = exec.Command(os.Args[0])
	c.cmd.Env = append(append(os.Environ(), c.env...), serveUntilKilled+"="+c.dir, serveAt+"="+c.address[strings.LastIndex(c.address, ":")+1:])
	c.cmd.Stderr = os.Stderr
	if _, err := c.cmd.StdinPipe(); err != nil {
		c.t.Fatal(err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	c.address = strings.TrimSpace(line)
}

// kill is kill -9.
func (c *child) kill() {
	c.cmd.Process.Kill()
	c.cmd.Wait()
}

func (c *child) stream(name string, subjects ...string) jetstream.Stream {
	c.t.Helper()
	conn, err := nats.Connect("nats://"+c.address, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(conn.Close)
	streams, err := jetstream.New(conn)
	if err != nil {
		c.t.Fatal(err)
	}
	stream, err := streams.CreateOrUpdateStream(c.t.Context(), jetstream.StreamConfig{Name: name, Subjects: subjects, Storage: jetstream.FileStorage})
	if err != nil {
		c.t.Fatal(err)
	}
	return stream
}

func (c *child) sender() *Sender {
	return newSender(c.t, nil, func(cfg *Config) { cfg.Servers = []string{"nats://" + c.address} })
}

// A server that is killed keeps what it acknowledged, and each key's events in order, once each.
func TestServerKilled(t *testing.T) {
	c := newChild(t)
	stream := c.stream("S", "flattone.>")
	s := c.sender()
	const keys = 8
	stop := make(chan struct{})
	counts := make([]int, keys)
	var all sync.WaitGroup
	for k := range keys {
		all.Go(func() {
			for ; ; counts[k]++ {
				select {
				case <-stop:
					return
				default:
					deliver(t, s, event(fmt.Sprintf("evt_%d_%d", k, counts[k]), fmt.Sprint(k)))
				}
			}
		})
	}
	for range *kills {
		time.Sleep(rand.N(300 * time.Millisecond))
		c.kill()
		c.start()
		deliver(t, s, event("evt_witness", "witness"))
	}
	close(stop)
	all.Wait()
	next := make([]int, keys)
	for _, id := range ids(kept(t, stream)) {
		var k, n int
		if id == "evt_witness" {
			continue
		}
		if _, err := fmt.Sscanf(id, "evt_%d_%d", &k, &n); err != nil || next[k] != n {
			t.Fatalf("%s comes where %d of its key should", id, next[k])
		}
		next[k]++
	}
	equal(t, "kept of each key", next, counts)
}

// Nothing of an event stays behind once it is delivered.
func TestMemoryIsFlat(t *testing.T) {
	c := newChild(t, serveLazily+"=1")
	c.stream("S", "flattone.>")
	s := c.sender()
	send := func(from, to int) int64 {
		var all sync.WaitGroup
		for w := range 16 {
			all.Go(func() {
				for n := from + w; n < to; n += 16 {
					deliver(t, s, event(fmt.Sprint("evt_", n), fmt.Sprint(w)))
				}
			})
		}
		all.Wait()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	warm := *many / 10
	before := send(0, warm)
	after := send(warm, *many)
	t.Logf("%d kB after %d events, %d kB after %d", before>>10, warm, after>>10, *many)
	if grown := after - before; grown > 16*int64(*many-warm) {
		t.Errorf("%d events left %d bytes", *many-warm, grown)
	}
}

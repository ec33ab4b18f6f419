package natstest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// What a test binary that is to be a server finds in its environment.
const (
	folder = "FLATTONE_TEST_NATS_DIR"
	place  = "FLATTONE_TEST_NATS_PORT"
	lazily = "FLATTONE_TEST_NATS_LAZY"
)

// Main makes a server of a test binary that a [Process] has started, and never comes back then. It is the first thing in TestMain.
func Main() {
	dir := os.Getenv(folder)
	if dir == "" {
		return
	}
	o := Options(dir)
	fmt.Sscan(os.Getenv(place), &o.Port)
	o.SyncAlways = os.Getenv(lazily) == ""
	o.HTTPHost, o.HTTPPort = "127.0.0.1", server.RANDOM_PORT
	s, err := server.NewServer(o)
	if err != nil {
		panic(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		panic("the NATS server doesn't start")
	}
	fmt.Println(s.Addr(), s.MonitorAddr())
	os.Stdin.Read(make([]byte, 1)) // to the end of the test, if nobody kills it
	os.Exit(0)
}

// Process is a server in a process of its own, which can be killed, and whose memory and time are its own. It is for one goroutine.
type Process struct {
	t       testing.TB
	dir     string
	env     []string
	cmd     *exec.Cmd
	address string
	monitor string
}

// NewProcess starts a server: one that flushes each message before it acknowledges it or, as a server is by default, later.
func NewProcess(t testing.TB, flushed bool) *Process {
	t.Helper()
	p := &Process{t: t, dir: t.TempDir(), address: "127.0.0.1:-1"}
	if !flushed {
		p.env = append(p.env, lazily+"=1")
	}
	p.Start()
	t.Cleanup(p.Kill)
	return p
}

// Start starts a server that was killed, where it was.
func (p *Process) Start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(append(os.Environ(), p.env...), folder+"="+p.dir, place+"="+p.address[strings.LastIndex(p.address, ":")+1:])
	p.cmd.Stderr = os.Stderr
	if _, err := p.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := fmt.Sscan(line, &p.address, &p.monitor); err != nil {
		p.t.Fatal(err)
	}
}

// Kill is kill -9, as often as it is called.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// URL is where it is.
func (p *Process) URL() string { return "nats://" + p.address }

// Figures are what the server says of itself.
func (p *Process) Figures() (v server.Varz) {
	p.t.Helper()
	answer, err := http.Get("http://" + p.monitor + "/varz")
	if err == nil {
		defer answer.Body.Close()
		err = json.NewDecoder(answer.Body).Decode(&v)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// CPU is the time that it has computed since it started.
func (p *Process) CPU() time.Duration {
	p.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	// proc_pid_stat(5): the 14th and 15th field, in ticks of 10 ms; the second may have blanks in it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var user, system time.Duration
	fmt.Sscan(fields[11], &user)
	fmt.Sscan(fields[12], &system)
	return (user + system) * 10 * time.Millisecond
}

// Stream makes a stream in a file, and a connection of the test's own to it, which comes back when the server does.
func (p *Process) Stream(name string, subjects ...string) jetstream.Stream {
	p.t.Helper()
	conn, err := nats.Connect(p.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(conn.Close)
	streams, err := jetstream.New(conn)
	if err != nil {
		p.t.Fatal(err)
	}
	stream, err := streams.CreateStream(p.t.Context(), jetstream.StreamConfig{Name: name, Subjects: subjects, Storage: jetstream.FileStorage, Duplicates: 24 * time.Hour})
	if err != nil {
		p.t.Fatal(err)
	}
	return stream
}

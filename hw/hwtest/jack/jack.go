// Package jack gives tests sound devices on a JACK server of their own, which PortAudio reaches through another of its interfaces than cards: the programs in
// hw/hwtest/jvdev and Debian's jackd, started and steered from Go.
//
// All devices of a server share its clock. The server waits for each program that plays, however late that is, so what they capture and play is known to
// the frame; and it can go as fast as the machine does. It needs no sound hardware, ends with the test or the test's process, and has nothing to do with
// a server that runs on the machine.
package jack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/native"
)

// Spec is a server to be started, with its devices.
type Spec struct {
	Rate, PeriodFrames int
	Devices            []Device
}

// Device is a mono device.
type Device struct {
	// Name is what JACK and PortAudio call it.
	Name string
	// In is what it captures from the moment when the first device of the server began; silence after its end.
	In []int16
}

// Server is a JACK server. Its methods are for one goroutine.
type Server struct {
	t       testing.TB
	spec    Spec
	name    string
	dir     string
	jackd   *process
	devices *process
	orders  io.WriteCloser
}

var servers atomic.Int64

// New starts a server, and makes it the one that this process and its children find, until the test is over.
func New(t testing.TB, spec Spec) *Server {
	t.Helper()
	s := &Server{t: t, spec: spec, name: fmt.Sprintf("flattone-%d-%d", os.Getpid(), servers.Add(1)), dir: t.TempDir()}
	for _, d := range spec.Devices {
		b := make([]byte, 0, 2*len(d.In))
		for _, v := range d.In {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
		if err := os.WriteFile(filepath.Join(s.dir, d.Name+".in"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// In a program with C in it, Go's environment is C's as well.
	t.Setenv("JACK_DEFAULT_SERVER", s.name)
	t.Setenv("JACK_NO_START_SERVER", "1")
	t.Setenv("JACK_NO_AUDIO_RESERVATION", "1")
	t.Cleanup(s.stop)
	s.Start()
	return s
}

// Start starts a server that was killed anew. Its devices begin from the beginning.
func (s *Server) Start() {
	s.t.Helper()
	jvdev := native.Build(s.t, "jvdev", "jackd2 libjack-jackd2-dev", "-ljack", "-lm")
	// -S: it waits for its clients.
	s.jackd = start(s.t, exec.Command("jackd", "-n", s.name, "-m", "-S", "-t", "5000", "-d", "dummy",
		"-r", fmt.Sprint(s.spec.Rate), "-p", fmt.Sprint(s.spec.PeriodFrames), "-C", "1", "-P", "1"))
	cmd := exec.Command(jvdev, s.name, s.dir)
	for _, d := range s.spec.Devices {
		cmd.Args = append(cmd.Args, d.Name)
	}
	orders, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.orders, s.devices = orders, start(s.t, cmd)
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "ready\n" {
		s.t.Fatalf("the JACK server or its devices don't run: %v\n%s\n%s", err, s.devices.end(syscall.SIGKILL), s.jackd.end(syscall.SIGTERM))
	}
}

// Freewheel makes the server go as fast as it can, and when asked again, in real time.
func (s *Server) Freewheel() {
	if _, err := s.orders.Write([]byte("\n")); err != nil {
		s.t.Error(err)
	}
}

// Kill ends the server as a crash would, and its devices with it.
func (s *Server) Kill() {
	s.jackd.end(syscall.SIGKILL)
	s.devices.end(syscall.SIGKILL)
}

// stop ends the server in order. One that was killed is started once more for that: JACK has room for eight servers a machine, and gives no dead one's back.
func (s *Server) stop() {
	if !s.jackd.Runs() {
		s.Start()
	}
	s.orders.Close()
	<-s.devices.Gone()
	s.jackd.end(syscall.SIGTERM)
	left, _ := filepath.Glob("/dev/shm/jack_sem.*_" + s.name + "_*") // of clients that died; the pattern is good
	for _, file := range left {
		os.Remove(file)
	}
}

// Frames is how many frames a device has been given to play since the first device began.
func (s *Server) Frames(device string) int {
	s.t.Helper()
	info, err := os.Stat(filepath.Join(s.dir, device+".out"))
	if err != nil {
		s.t.Fatal(err)
	}
	return int(info.Size() / 2)
}

// Heard is those frames; 0 where it was given nothing.
func (s *Server) Heard(device string) []int16 {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, device+".out"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.t.Fatal(err)
	}
	x := make([]int16, len(b)/2)
	for i := range x {
		x[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return x
}

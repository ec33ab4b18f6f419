// Package natstest runs a real NATS server with JetStream inside a test, on loopback.
//
// It exists so that everybody who tests against NATS tests against the same server: file storage, and each message flushed to the disk before
// it is acknowledged (sync_interval always), which a server does not do unless it is told to. It promises that a server that is stopped and
// started again has its address and its files, and that nothing is left of it when the test ends. It is for tests and for the fleet's
// simulator; no program that is shipped reaches it, nor the server.
package natstest

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Server is one server. Stop and Start are for one goroutine.
type Server struct {
	t       testing.TB
	options *server.Options
	*server.Server
}

// Options are those of a server that keeps its streams in a folder and flushes each message.
func Options(dir string) *server.Options {
	return &server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: dir, SyncAlways: true, NoSigs: true, NoLog: true}
}

// New starts a server, of which change, if it isn't nil, makes what the test needs.
func New(t testing.TB, change func(*server.Options)) *Server {
	t.Helper()
	s := &Server{t: t, options: Options(t.TempDir())}
	if change != nil {
		change(s.options)
	}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Start starts a server that was stopped, where it was.
func (s *Server) Start() {
	s.t.Helper()
	var err error
	if s.Server, err = server.NewServer(s.options.Clone()); err != nil {
		s.t.Fatal(err)
	}
	s.Server.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.t.Fatal("the NATS server doesn't start")
	}
	s.options.Port = s.Addr().(*net.TCPAddr).Port
}

// Stop ends the server, as often as it is called.
func (s *Server) Stop() {
	s.Shutdown()
	s.WaitForShutdown()
}

// Change has the server be another when it starts again.
func (s *Server) Change(change func(*server.Options)) { change(s.options) }

// Address is its host and port.
func (s *Server) Address() string {
	return net.JoinHostPort(s.options.Host, strconv.Itoa(s.options.Port))
}

// URL is where it is without TLS.
func (s *Server) URL() string { return "nats://" + s.Address() }

// JetStream is a connection of the test's own, as long as the test.
func (s *Server) JetStream(options ...nats.Option) jetstream.JetStream {
	s.t.Helper()
	conn, err := nats.Connect(s.URL(), options...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(conn.Close)
	streams, err := jetstream.New(conn)
	if err != nil {
		s.t.Fatal(err)
	}
	return streams
}

// Stream makes a stream in a file.
func (s *Server) Stream(name string, subjects ...string) jetstream.Stream {
	s.t.Helper()
	stream, err := s.JetStream().CreateStream(s.t.Context(), jetstream.StreamConfig{Name: name, Subjects: subjects, Storage: jetstream.FileStorage})
	if err != nil {
		s.t.Fatal(err)
	}
	return stream
}

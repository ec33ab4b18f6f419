// Package syslog tells a syslog receiver when a condition begins and when it ends: RFC 5424 over TLS, as RFC 5425 frames it.
//
// It exists for owners whose alarms come from there. What stands when flattoned starts is told first, and nothing else of the box's log is: that is the
// journal's. The receiver must prove who it is, to the config's ca_file or to the system's roots; there is no plain text and no UDP. Syslog acknowledges
// nothing, so what was on its way when a connection broke may be lost; what comes while there is none is told once there is one.
//
// A receiver that can't be reached is a condition itself. The package is given no card and no caller.
package syslog

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/health"
)

// How long the receiver is awaited, and until it is tried again.
const (
	dialTime  = 10 * time.Second
	writeTime = 10 * time.Second
	firstWait = time.Second
	lastWait  = time.Minute
)

// Config says who is told.
type Config struct {
	// Address is the receiver's host and port.
	Address string
	// Roots are who vouches for it; nil are the system's.
	Roots *x509.CertPool
	// Version is flattoned's, which the receiver is told.
	Version string

	firstWait time.Duration // in tests
}

// Sender tells one receiver.
//
//	away ──connected──▶ there ──write failed, or closed by the receiver──▶ away
//	└─ waits 1 s to 1 min ─┘ └─ a frame for each change
type Sender struct {
	cfg   Config
	board *health.Board
	host  string
	tls   tls.Config
	conn  net.Conn
	// gone is closed once conn is, by whomever; listening has ended once that was told.
	gone      chan struct{}
	listening sync.WaitGroup
}

// New makes a Sender of what stands on board.
func New(cfg Config, board *health.Board) *Sender {
	s := &Sender{cfg: cfg, board: board, tls: tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots}}
	if s.cfg.firstWait == 0 {
		s.cfg.firstWait = firstWait
	}
	s.host, _ = os.Hostname() // without, the receiver knows the address
	return s
}

// Run tells of every change until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	defer s.hangUp()
	changes := s.board.Subscribe()
	s.connect(ctx) // a receiver that isn't there is known before it is needed
	for c := range changes.All(ctx) {
		for ctx.Err() == nil && !s.send(ctx, frame(c, s.host, s.cfg.Version, s.synced())) {
		}
	}
	return nil
}

// synced reports whether the times that are told can be trusted, as far as the board knows.
func (s *Sender) synced() bool {
	for _, c := range s.board.Snapshot() {
		if c.Code == health.ClockUnsynced {
			return false
		}
	}
	return true
}

// send writes a frame; false: it has to be sent again.
func (s *Sender) send(ctx context.Context, frame []byte) bool {
	select {
	case <-s.gone:
		s.hangUp()
	default:
	}
	if s.conn == nil {
		s.connect(ctx)
		if s.conn == nil {
			return false
		}
	}
	s.conn.SetWriteDeadline(time.Now().Add(writeTime))
	if _, err := s.conn.Write(frame); err != nil {
		s.failed(err)
		s.hangUp()
		return false
	}
	return true
}

// connect tries until there is a connection, or ctx ends.
func (s *Sender) connect(ctx context.Context) {
	for wait := s.cfg.firstWait; ctx.Err() == nil; wait = min(2*wait, lastWait) {
		dialing, cancel := context.WithTimeout(ctx, dialTime)
		conn, err := (&tls.Dialer{Config: &s.tls}).DialContext(dialing, "tcp", s.cfg.Address)
		cancel()
		if err == nil {
			s.conn, s.gone = conn, make(chan struct{})
			gone := s.gone
			s.listening.Go(func() {
				_, err := io.Copy(io.Discard, conn) // a receiver says nothing
				close(gone)
				if !errors.Is(err, net.ErrClosed) { // it left: a change, which has the sender look for it at once
					s.failed(cmp.Or(err, errLeft))
				}
			})
			s.board.Clear(health.SyslogFailing, "")
			return
		}
		if ctx.Err() == nil {
			s.failed(err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

var errLeft = errors.New("the receiver closed the connection")

func (s *Sender) failed(err error) { s.board.Set(health.SyslogFailing, "", err.Error()) }

func (s *Sender) hangUp() {
	if s.conn != nil {
		s.conn.Close()
		s.listening.Wait()
		s.conn, s.gone = nil, nil
	}
}

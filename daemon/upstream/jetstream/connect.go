package jetstream

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	firstWait = time.Second     // the most before the first attempt to connect again; doubles with each round of all servers
	longWait  = 2 * time.Minute // the most before any: a thousand boxes that were long away come back by eights a second
	handshake = 5 * time.Second // from the first packet to the server's welcome
	ping      = 20 * time.Second
)

// options are how the connection is made, and what it is made with. They read each file once, so that what is wrong with one is said at the start.
func (s *Sender) options() (nats.Options, error) {
	o := nats.GetDefaultOptions()
	o.Servers = s.cfg.Servers
	o.Name = "flattone " + s.cfg.Box
	// The box sees acknowledgements of its own alone, if the account gives it this and no more.
	o.InboxPrefix = "_INBOX." + token(s.cfg.Box, "")
	o.CustomDialer = s.dial
	o.Timeout = handshake
	o.MaxReconnect = -1
	o.RetryOnFailedConnect = true
	o.IgnoreAuthErrorAbort = true    // credentials are mended without a restart
	o.IgnoreDiscoveredServers = true // a server doesn't say where else a token goes
	o.ReconnectBufSize = -1          // what isn't sent stays in the outbox, and comes in its turn
	o.PingInterval = ping
	o.PermissionErrOnSubscribe = true // who subscribes learns that he may not
	o.CustomReconnectDelayCB = func(round int) time.Duration { return rand.N(min(firstWait<<min(round-1, 10), longWait)) }
	o.ReconnectErrCB = func(_ *nats.Conn, err error) { s.trouble.Store(&err) }
	o.DisconnectedErrCB = s.disconnected
	o.ConnectedCB = func(c *nats.Conn) {
		s.log.Info("connected to NATS", "stream", s.cfg.Stream, "server", c.ConnectedServerName())
	}
	o.ReconnectedCB = o.ConnectedCB
	o.AsyncErrorCB = s.told
	err := errors.Join(s.secure(&o), s.identify(&o))
	return o, err
}

// connect makes the connection, which then keeps itself.
func (s *Sender) connect(o nats.Options) {
	defer close(s.ready)
	conn, err := o.Connect() // returns after one attempt at each server
	if err == nil {
		s.conn = conn
		s.streams, err = jetstream.New(conn)
	}
	if err != nil {
		s.log.Error("no connection to NATS will be tried", "stream", s.cfg.Stream, "error", err)
		s.trouble.Store(&err)
	}
}

// Conn is the connection, once it was tried for the first time. It is the sender's, comes back by itself, and ends with [Sender.Close].
func (s *Sender) Conn(ctx context.Context) (*nats.Conn, error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.conn == nil {
		return nil, *s.trouble.Load()
	}
	return s.conn, nil
}

// connection is nil while the first attempt is under way.
func (s *Sender) connection() *nats.Conn {
	select {
	case <-s.ready:
		return s.conn
	default:
		return nil
	}
}

func (s *Sender) connected() bool {
	conn := s.connection()
	return conn != nil && conn.IsConnected()
}

// relink begins the life of a connection.
func (s *Sender) relink() {
	ctx, cancel := context.WithCancel(context.Background())
	s.link.Store(&link{ctx, cancel})
}

// disconnected lets go of whoever waits for an acknowledgement: it would have come by the connection that is lost.
func (s *Sender) disconnected(_ *nats.Conn, err error) {
	old := s.link.Load()
	s.relink()
	old.lose()
	s.log.Warn("the connection to NATS is lost; events wait", "stream", s.cfg.Stream, "error", err)
}

// told is what the server says unasked. That a publication or an inbox isn't allowed is said in no other way.
func (s *Sender) told(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		s.denied.Store(&denied{time.Now(), err})
		return
	}
	s.trouble.Store(&err)
}

// dialer opens connections until its context ends; where there is no TLS, to this machine only, whatever a name resolves to.
type dialer struct {
	ctx      context.Context
	loopback bool
	last     atomic.Pointer[net.Conn]
}

// Dial is nats.CustomDialer's.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	dial := net.Dialer{Timeout: handshake}
	if d.loopback {
		dial.Control = func(_, address string, _ syscall.RawConn) error {
			if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().IsLoopback() {
				return errors.New("without TLS it leaves this machine: the address doesn't resolve to loopback")
			}
			return nil
		}
	}
	conn, err := dial.DialContext(d.ctx, network, address)
	if err != nil {
		return nil, err
	}
	if d.last.Store(&conn); d.ctx.Err() != nil { // close has looked already
		d.close()
	}
	return conn, nil
}

// close ends a handshake under way.
func (d *dialer) close() {
	if conn := d.last.Load(); conn != nil {
		(*conn).Close()
	}
}

package wire

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/secret"
)

// Conn is one end of a connection. Any number of goroutines may send on it; one receives.
type Conn struct {
	nc    net.Conn
	me    Side
	peer  Peer
	hello Hello
	// speaks are the versions of this side, version is the one that holds.
	speaks  span
	version int

	sending sync.Mutex
	broken  error // why nothing can be sent any more
}

// span is a range of versions.
type span struct{ min, max int }

// NewConn speaks the protocol, in its last version, as me over a stream that is open already. [Dial] and [Listener.Accept] greet
// the peer first, and agree on one; NewConn doesn't.
func NewConn(nc net.Conn, me Side) *Conn {
	return &Conn{nc: nc, me: me, speaks: span{MinVersion, MaxVersion}, version: MaxVersion}
}

// Version is the one that was agreed on.
func (c *Conn) Version() int { return c.version }

// Hello is how the line introduced itself.
func (c *Conn) Hello() Hello { return c.hello }

// Peer is who is at the other end, as the kernel says. It is zero unless the connection came from
// [Listener.Accept].
func (c *Conn) Peer() Peer { return c.peer }

// Close ends the connection, for both directions and whoever waits in them.
func (c *Conn) Close() error { return c.nc.Close() }

// Send sends any message but a [Card]. It returns within [WriteTimeout]. After an error, other than for a
// message that can't be encoded, nothing more can be sent, and the connection is closed; if it was the peer
// who closed it, Receive still gives what he said before.
func (c *Conn) Send(m Message) error {
	if _, ok := m.(Card); ok {
		return errors.New("send a card: it goes by SendCard, with its digits")
	}
	frame, err := c.frame(m)
	if err != nil {
		return err
	}
	return c.write(m.kind(), net.Buffers{frame})
}

// SendCard sends a card, which stays the caller's. See [Conn.Send].
func (c *Conn) SendCard(m Card, card *secret.Card) error {
	head, err := c.frame(m)
	if err != nil {
		return err
	}
	page, err := locked.Bytes(secret.CardSize)
	if err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	defer locked.Free(page)
	if err := card.MarshalTo(page); err != nil {
		return fmt.Errorf("send a card: %w", err)
	}
	// On a socket these two are one writev, which takes the digits from the locked page.
	return c.write(kindCard, net.Buffers{head, page[:secret.CardSize]})
}

// frame is a message's frame, if the version has that message.
func (c *Conn) frame(m Message) ([]byte, error) {
	frame, err := appendFrame(nil, m, c.me)
	if err = errors.Join(err, m.kind().in(c.version)); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	return frame, nil
}

func (c *Conn) write(k kind, frame net.Buffers) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	if c.broken != nil {
		return fmt.Errorf("send a %s message: the connection broke before: %w", k, c.broken)
	}
	err := c.nc.SetWriteDeadline(time.Now().Add(WriteTimeout))
	if err == nil {
		_, err = frame.WriteTo(c.nc)
	}
	if err != nil {
		c.broken = err
		// A frame may have been cut, and the peer could not tell where the next begins. A peer that has closed
		// the connection may have said why before, and Receive comes to the end of that by itself.
		if !errors.Is(err, unix.EPIPE) && !errors.Is(err, unix.ECONNRESET) {
			c.nc.Close()
		}
		return fmt.Errorf("send a %s message: %w", k, err)
	}
	return nil
}

// Receive waits for the next message. A [Card] comes with its card, which is the caller's to destroy; no other
// message does. A [Refused] is returned as the error. The error is io.EOF when the peer closed the connection
// between messages, and wraps [ErrProtocol] when the peer doesn't keep to the protocol; after any error the
// connection is of no more use, and the caller closes it.
func (c *Conn) Receive() (Message, *secret.Card, error) {
	m, card, err := readFrame(c.nc, other(c.me))
	if err != nil {
		return nil, nil, err
	}
	if refused, ok := m.(Refused); ok {
		return nil, nil, refused
	}
	if err := m.kind().in(c.version); err != nil {
		if card != nil {
			card.Destroy()
		}
		return nil, nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return m, card, nil
}

func other(s Side) Side {
	if s == Line {
		return Daemon
	}
	return Line
}

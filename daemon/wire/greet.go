package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// greetTimeout bounds the opening of a connection.
const greetTimeout = 5 * time.Second

// Dial connects a line to flattoned at path; hello's process and versions are this one's. The error is a [Refused] if flattoned doesn't want the
// line: trying again won't help until something has changed.
func Dial(ctx context.Context, path string, hello Hello) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, greetTimeout)
	defer cancel()
	nc, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("connect to flattoned: %w; is it running?", err)
	}
	stop := context.AfterFunc(ctx, func() { nc.Close() })
	c := NewConn(nc, Line)
	err = c.introduce(hello)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		nc.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fmt.Errorf("greet flattoned: %w", err)
	}
	return c, nil
}

// introduce is the line's part of the greeting.
func (c *Conn) introduce(hello Hello) error {
	hello.PID, hello.Min, hello.Max = os.Getpid(), c.speaks.min, c.speaks.max
	c.hello = hello
	frame, err := appendFrame(nil, c.hello, Line)
	if err != nil {
		return err
	}
	// A peer who refuses at sight closes the connection, and the Hello may fail; the reason is there to be
	// read nevertheless, so the connection must stay open.
	_, sent := c.nc.Write(frame)
	m, _, err := readFrame(c.nc, Daemon)
	if err != nil {
		return errors.Join(sent, err)
	}
	switch m := m.(type) {
	case Refused:
		return m
	case Welcome:
		if m.Version < c.speaks.min || m.Version > c.speaks.max {
			return fmt.Errorf("%w: flattoned chose version %d, which was not offered", ErrProtocol, m.Version)
		}
		c.version = m.Version
		return nil
	}
	return fmt.Errorf("%w: a %s message for a greeting", ErrProtocol, m.kind())
}

// welcome is flattoned's part of the greeting. It returns io.EOF if the peer left without a word, and a
// [Refused], which the peer was told, if it can't stay.
func (c *Conn) welcome(allowed func(Peer) bool) error {
	if err := c.nc.SetReadDeadline(time.Now().Add(greetTimeout)); err != nil {
		return err
	}
	if !allowed(c.peer) {
		return c.refuse(ReasonUser, fmt.Sprintf("user %d may not connect; run the line as the user that owns %s", c.peer.UID, c.nc.LocalAddr()))
	}
	m, card, err := readFrame(c.nc, Line)
	if card != nil {
		card.Destroy()
	}
	hello, ok := m.(Hello)
	switch {
	case err == io.EOF:
		return err
	case err != nil:
		return c.refuse(ReasonHello, err.Error())
	case !ok || hello.Line == "" || hello.Min > hello.Max:
		return c.refuse(ReasonHello, "the first message was not a hello with a line and a range of versions")
	}
	c.hello = hello
	version, ok := agree(hello, c.speaks)
	if !ok {
		return c.refuse(ReasonVersion, fmt.Sprintf("the line speaks versions %d to %d, flattoned %d to %d; upgrade the older of the two",
			hello.Min, hello.Max, c.speaks.min, c.speaks.max))
	}
	c.version = version
	if err := c.Send(Welcome{Version: version}); err != nil {
		return err
	}
	return c.nc.SetReadDeadline(time.Time{})
}

// refuse tells the peer why.
func (c *Conn) refuse(reason, detail string) error {
	r := Refused{Reason: reason, Detail: detail}
	if err := c.Send(r); err != nil {
		return errors.Join(r, err)
	}
	return r
}

// agree picks the highest version that a line of this hello and a flattoned that speaks these both speak.
func agree(h Hello, speaks span) (version int, ok bool) {
	version = min(h.Max, speaks.max)
	return version, version >= max(h.Min, speaks.min)
}

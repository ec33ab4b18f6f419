package iso8583

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/gateway/wiping"
)

// Codes of network management (field 70).
const (
	signOn = "001"
	echo   = "301"
)

// Run keeps the connection until ctx is done, then returns nil. What is under way then is answered by an error that leaves open what became of it.
func (c *Connector) Run(ctx context.Context) error {
	for wait := c.cfg.BackOff; ctx.Err() == nil; wait = min(2*wait, c.cfg.MaxWait) {
		ready, err := c.once(ctx)
		c.tell(Away, err)
		if ready {
			wait = c.cfg.BackOff
		}
		select {
		case <-time.After(wait/2 + rand.N(wait/2+1)): // so that boxes that lost him together don't return together
		case <-ctx.Done():
		}
	}
	return nil
}

func (c *Connector) tell(s State, why error) {
	if c.why.Store(nil); why != nil {
		c.why.Store(&why)
	}
	c.state.Store(int32(s))
	c.deps.OnState(s, why)
}

// once is one connection from beginning to end; ready says whether it got as far as that.
func (c *Connector) once(ctx context.Context) (ready bool, err error) {
	conn, raw, err := c.connect(ctx)
	if err != nil {
		return false, err
	}
	l, err := newLink(c, conn, raw)
	if err != nil {
		conn.Close()
		return false, err
	}
	defer l.end(errLost)
	c.tell(SigningOn, nil)
	if err := c.manage(ctx, l, signOn); err != nil {
		return false, fmt.Errorf("sign on: %w", err)
	}
	c.link.Store(l)
	defer c.link.Store(nil)
	c.tell(Ready, nil)
	every := time.NewTicker(c.cfg.EchoEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			if err := c.manage(ctx, l, echo); err != nil {
				l.fail(fmt.Errorf("echo: %w", err))
			}
		case <-l.down:
			return true, l.why()
		case <-ctx.Done():
			return true, nil
		}
	}
}

// connect opens the connection, and speaks TLS unless the config says not to; raw is what is below that.
func (c *Connector) connect(ctx context.Context) (conn, raw net.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	raw, err = c.deps.Dial(ctx, "tcp", c.cfg.Address)
	if err != nil || c.cfg.Plain {
		return raw, raw, err
	}
	host, _, err := net.SplitHostPort(c.cfg.Address)
	if err != nil {
		return nil, nil, errors.Join(err, raw.Close())
	}
	secure := tls.Client(wiping.Under(raw), &tls.Config{
		MinVersion: tls.VersionTLS12,
		// Of 1.2 only suites whose keys don't outlast the connection, and that authenticate what they encrypt. 1.3 has no others.
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
		RootCAs:              c.cfg.Roots,
		ServerName:           host,
		GetClientCertificate: c.certificate,
	})
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, nil, errors.Join(err, raw.Close())
	}
	return secure, raw, nil
}

func (c *Connector) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if c.deps.Certificate == nil {
		return &tls.Certificate{}, nil
	}
	return c.deps.Certificate()
}

// manage sends a message of network management and waits for its answer.
func (c *Connector) manage(ctx context.Context, l *link, code string) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	t, err := c.traces.next(time.Now())
	if err != nil {
		return err
	}
	q, err := c.question(t, "0800",
		message.Field{Number: 7, Text: t.time}, message.Field{Number: 11, Text: t.stan}, message.Field{Number: 41, Text: c.cfg.Terminal}, message.Field{Number: 70, Text: code})
	if err != nil {
		return err
	}
	defer q.wipe()
	a, err := l.ask(ctx, q)
	if err != nil {
		return err
	}
	if a.code != "00" {
		return fmt.Errorf("the acquirer refuses it with code %s", a.code)
	}
	return nil
}

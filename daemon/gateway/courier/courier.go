// Package courier takes one request to a provider, over HTTP/1.1 and TLS, in whose body there may be a card.
//
// It exists because net/http keeps copies of a body that nobody wipes. Here the body is built in a locked page ([Page]), is written from it, and the page is
// wiped. Of crypto/tls three things matter. In TLS 1.2 it seals what it is given straight into a buffer of its own. In TLS 1.3 it copies it there first and seals
// it in place; but where that buffer turns out too short for the tag, it seals into a longer one, and what was in the first stays on the heap in the clear
// (conn.go, halfConn.encrypt; such buffers come from a pool of the whole process, so that nobody can see to their length). And its ciphers leave up to 64 bytes in
// vector registers, which the kernel saves to memory when Go preempts the thread. So each digit is a TLS record of its own, 22 bytes longer than it: outside its
// page, nowhere are there two digits in a row. What the kernel holds in its buffers is sealed.
//
// It promises that [gateway.ErrNotSent] is said only of what the provider can't have acted on. It never follows a redirect, uses no proxy, speaks no TLS below
// 1.2, puts nothing secret into a method, a path or a header, and has no error that quotes a request or an answer.
package courier

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
)

// Config says where a provider is, and how the box proves itself to it.
type Config struct {
	Base    string         // https://host[:port][/path], or http:// to a loopback address
	Roots   *x509.CertPool // who may vouch for the provider; nil: whoever the machine trusts
	Timeout time.Duration  // of one request, from the connection to the answer's end; default 30 s
	// Certificate is asked at each connection for the box's own, so that it can be renewed; nil: there is none.
	Certificate func(*tls.CertificateRequestInfo) (*tls.Certificate, error)
}

// Courier is safe for concurrent use. Each request has a connection to itself.
type Courier struct {
	base    *url.URL
	tls     *tls.Config // nil: plain http
	dialer  net.Dialer
	timeout time.Duration
}

// New refuses an address that a card can't be sent to.
func New(cfg Config) (*Courier, error) {
	base, err := url.Parse(cfg.Base)
	if err != nil || base.Hostname() == "" || base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "" || checkPath(base.EscapedPath()+"/") != nil {
		return nil, errors.New("courier: the provider's address isn't one: write https://host, with a port or a path if it has them") // it may hold a password
	}
	c := &Courier{base: base, timeout: cmp.Or(cfg.Timeout, 30*time.Second)}
	switch base.Scheme {
	case "https":
		c.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: base.Hostname(), RootCAs: cfg.Roots, GetClientCertificate: cfg.Certificate}
	case "http":
		c.dialer.Control = loopbackOnly
	default:
		return nil, errors.New("courier: the provider's address is neither https nor http: write https://host")
	}
	return c, nil
}

// loopbackOnly keeps what isn't sealed on this machine, whatever a name resolves to.
func loopbackOnly(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !to.Addr().IsLoopback() {
		return errors.New("plain http leaves this machine: write https")
	}
	return nil
}

// Answer is what a provider answered, whatever its status, but for those below 200 and the redirects.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // up to 256 KiB
}

// Send sends one request, once. Its body is wiped and given back, whatever happens.
//
//	connect ─▶ handshake ─▶ head ─▶ body ─▶ answer
//	└────────── ErrNotSent ────────┘└─ nobody knows; ErrGarbled if there is an answer that is none
//
// Where there is no body, nobody knows from the head on.
func (c *Courier) Send(ctx context.Context, r Request) (Answer, error) {
	defer r.Body.Wipe()
	head, err := r.head(c.base)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: %w", gateway.ErrNotSent, err)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, tcp, err := c.connect(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("%w: connect: %w", gateway.ErrNotSent, reason(ctx, err))
	}
	defer tcp.Close()
	defer context.AfterFunc(ctx, func() { tcp.SetDeadline(time.Unix(1, 0)) })()
	tcp.SetNoDelay(false) // many records, few packets
	if _, err := io.WriteString(conn, head); err != nil && r.Body.Len() > 0 {
		return Answer{}, fmt.Errorf("%w: send the head: %w", gateway.ErrNotSent, reason(ctx, err))
	}
	lost := r.Body.writeTo(conn) // there may be an answer all the same: a provider needn't take all before it refuses
	r.Body.Wipe()                // which may take long
	tcp.SetNoDelay(true)         // what is left goes now
	a, err := read(conn, r.Method)
	switch {
	case err == nil:
		return a, nil
	case unwelcome(err):
		return Answer{}, fmt.Errorf("%w: it doesn't know the box by its certificate: %w", gateway.ErrNotSent, err)
	case lost != nil:
		return Answer{}, fmt.Errorf("send the body: %w", reason(ctx, lost))
	}
	return Answer{}, fmt.Errorf("read the answer: %w", reason(ctx, err))
}

// Reach connects as [Courier.Send] does, and sends nothing. A provider that doesn't know the box by its certificate says so over TLS 1.3 only when something is sent.
func (c *Courier) Reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	_, tcp, err := c.connect(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", reason(ctx, err))
	}
	tcp.Close() // nothing was said that could be lost
	return nil
}

// unwelcome reports whether a provider ended the handshake over the box's certificate. In TLS 1.3 it says so only after the box may have begun to send
// (RFC 8446, 4.4.2.4 and 6.2); it has read nothing of that.
func unwelcome(err error) bool {
	var remote *net.OpError
	return errors.As(err, &remote) && remote.Op == "remote error" && strings.Contains(remote.Err.Error(), "certificate")
}

// connect returns what to talk by, and what it lies on.
func (c *Courier) connect(ctx context.Context) (io.ReadWriter, *net.TCPConn, error) {
	port := cmp.Or(c.base.Port(), c.base.Scheme) // a service's name is a port, too
	conn, err := c.dialer.DialContext(ctx, "tcp", net.JoinHostPort(c.base.Hostname(), port))
	if err != nil {
		return nil, nil, err
	}
	tcp := conn.(*net.TCPConn)
	if c.tls == nil {
		return tcp, tcp, nil
	}
	sealed := tls.Client(tcp, c.tls)
	if err := sealed.HandshakeContext(ctx); err != nil {
		tcp.Close()
		return nil, nil, err
	}
	return sealed, tcp, nil
}

// reason is the context's error where that is why.
func reason(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// Bounds of an answer, in bytes.
const (
	headBytes = 64 << 10
	bodyBytes = 256 << 10
)

// read reads an answer to its end. Nothing of a card is in it, so its memory is ordinary.
func read(from io.Reader, method string) (Answer, error) {
	bounded := &io.LimitedReader{R: from, N: headBytes}
	in := bufio.NewReader(bounded)
	if _, err := in.Peek(1); err != nil {
		return Answer{}, fmt.Errorf("there is none: %w", err)
	}
	for range 5 { // informational ones go before (RFC 9110, 15.2)
		resp, err := http.ReadResponse(in, &http.Request{Method: method})
		switch {
		case err != nil:
			return Answer{}, garbled("its head isn't HTTP, or is too long, or ends early")
		case resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols:
			continue
		case resp.StatusCode < 200:
			return Answer{}, garbled("it speaks another protocol")
		case resp.StatusCode >= 300 && resp.StatusCode < 400:
			return Answer{}, garbled("it redirects, and a card isn't sent after it")
		case resp.Header.Get("Content-Encoding") != "":
			return Answer{}, garbled("it is compressed, which wasn't asked for")
		}
		bounded.N = bodyBytes + 1
		body, err := io.ReadAll(resp.Body)
		switch {
		case bounded.N <= 0 || len(body) > bodyBytes:
			return Answer{}, garbled("it is too long")
		case err != nil:
			return Answer{}, fmt.Errorf("%w: %w", garbled("it ends early"), err)
		}
		return Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
	}
	return Answer{}, garbled("it doesn't come to its point")
}

func garbled(why string) error { return fmt.Errorf("%w: %s", gateway.ErrGarbled, why) }

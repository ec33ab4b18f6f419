package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/gateway"
)

func TestSend(t *testing.T) {
	cert, pool := certificate(t, func(*x509.Certificate) {})
	for name, cfg := range map[string]*tls.Config{
		"TLS 1.3": {Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}, "TLS 1.2": {Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12}, "plain": nil,
	} {
		t.Run(name, func(t *testing.T) {
			seen := make(chan string, 1)
			at := provider(t, cfg, func(conn net.Conn) {
				r, body := request(conn)
				seen <- fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Host, " ", r.Header["X-Key"], " ", body)
				io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nX-Id: 7\r\n\r\n2\r\nwe\r\n4\r\nll d\r\n0\r\n\r\n")
			})
			base := "https://" + at + "/api/"
			if cfg == nil {
				base = "http://" + at + "/api"
			}
			body := form(t, aCard(t, thePAN, "1131", theCVV))
			a, err := newCourier(t, Config{Base: base, Roots: pool}).Send(t.Context(), Request{Method: "POST", Path: "/v1/cards?a=%20", Header: map[string]string{"X-Key": "k 1"}, Body: body})
			if err != nil || a.Status != 201 || a.Header.Get("X-Id") != "7" || string(a.Body) != "well d" {
				t.Fatalf("%d %v %q, %v", a.Status, a.Header, a.Body, err)
			}
			got := <-seen
			if want := "POST /api/v1/cards?a=%20 " + at + " [k 1] number=" + thePAN + "&exp_month=11&exp_year=2031&cvc=" + theCVV; got != want {
				t.Errorf("the provider got %q, want %q", got, want)
			}
			if _, err := newCourier(t, Config{Base: base, Roots: pool}).Send(t.Context(), Request{Method: "POST", Path: "/", Body: body}); !errors.Is(err, gateway.ErrNotSent) {
				t.Errorf("the same body again: %v", err)
			}
		})
	}
}

// ok is the shortest answer.
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// TestWhatIsntTalkedTo: nothing of a request leaves the box, and who refuses says that.
func TestWhatIsntTalkedTo(t *testing.T) {
	good, pool := certificate(t, func(*x509.Certificate) {})
	other, _ := certificate(t, func(*x509.Certificate) {})
	expired, expiredPool := certificate(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })
	elsewhere, elsewherePool := certificate(t, func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"elsewhere.example"}, nil })
	for name, c := range map[string]struct {
		server *tls.Config
		roots  *x509.CertPool
		want   string
	}{
		"nobody vouches for it": {&tls.Config{Certificates: []tls.Certificate{other}}, pool, "unknown authority"},
		"expired":               {&tls.Config{Certificates: []tls.Certificate{expired}}, expiredPool, "expired"},
		"another name":          {&tls.Config{Certificates: []tls.Certificate{elsewhere}}, elsewherePool, "127.0.0.1"},
		"TLS 1.1":               {&tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, pool, "protocol version"},
		"no TLS at all":         {nil, pool, "tls"},
		"it wants to know the box, in TLS 1.2": {&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MaxVersion: tls.VersionTLS12},
			pool, "handshake"},
		"it wants to know the box, in TLS 1.3": {&tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}, pool, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			var got atomic.Bool
			at := provider(t, c.server, func(conn net.Conn) {
				if c.server == nil {
					io.WriteString(conn, "220 mail.example\r\n")
				}
				if r, _ := request(conn); r != nil {
					got.Store(true)
				}
			})
			_, err := newCourier(t, Config{Base: "https://" + at, Roots: c.roots}).Send(t.Context(), Request{Method: "POST", Path: "/", Body: form(t, aCard(t, thePAN, "1131", theCVV))})
			if !errors.Is(err, gateway.ErrNotSent) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %v, because of %q", err, gateway.ErrNotSent, c.want)
			}
			if got.Load() {
				t.Error("it got the request")
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if _, err := newCourier(t, Config{Base: "https://" + l.Addr().String()}).Send(t.Context(), Request{Method: "GET", Path: "/"}); !errors.Is(err, gateway.ErrNotSent) {
			t.Error(err)
		}
	})
	t.Run("plain http to another machine", func(t *testing.T) {
		_, err := newCourier(t, Config{Base: "http://192.0.2.1"}).Send(t.Context(), Request{Method: "GET", Path: "/"})
		if !errors.Is(err, gateway.ErrNotSent) || !strings.Contains(err.Error(), "write https") {
			t.Error(err)
		}
	})
}

// TestTheBoxProvesItself: its certificate is asked for at each connection, so that the next one is used as soon as it is there.
func TestTheBoxProvesItself(t *testing.T) {
	cert, pool := certificate(t, func(*x509.Certificate) {})
	at := provider(t, &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}, says(ok))
	own, _ := certificate(t, func(*x509.Certificate) {})
	c := newCourier(t, Config{Base: "https://" + at, Roots: pool, Certificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }})
	if _, err := c.Send(t.Context(), Request{Method: "GET", Path: "/"}); !errors.Is(err, gateway.ErrNotSent) {
		t.Errorf("with one that nobody vouches for: %v", err)
	}
	own = cert
	if a, err := c.Send(t.Context(), Request{Method: "GET", Path: "/"}); err != nil || a.Status != 200 {
		t.Errorf("with the next one: %v, %v", a, err)
	}
}

// TestAnswersThatAreNone: whoever got the request may have acted on it.
func TestAnswersThatAreNone(t *testing.T) {
	cert, pool := certificate(t, func(*x509.Certificate) {})
	for name, answer := range map[string]string{
		"redirect":          "HTTP/1.1 307 Elsewhere\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n",
		"another protocol":  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"compressed":        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nab",
		"no HTTP":           "SSH-2.0-OpenSSH_9.2\r\n\r\n",
		"noise":             strings.Repeat("\x00\xff\r\n", 100),
		"endless head":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", headBytes) + "\r\n\r\n",
		"many headers":      "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", headBytes/6) + "\r\n",
		"long body":         fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", bodyBytes+1, strings.Repeat("x", bodyBytes+1)),
		"endless body":      "HTTP/1.1 200 OK\r\n\r\n" + strings.Repeat("x", 2*bodyBytes),
		"long chunks":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("8000\r\n"+strings.Repeat("x", 0x8000)+"\r\n", 9) + "0\r\n\r\n",
		"truncated head":    "HTTP/1.1 200 OK\r\nContent-Le",
		"truncated body":    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
		"truncated chunk":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf",
		"two lengths":       "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"only hints":        strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 6),
		"a negative length": "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			at := provider(t, &tls.Config{Certificates: []tls.Certificate{cert}}, says(answer))
			a, err := newCourier(t, Config{Base: "https://" + at, Roots: pool}).Send(t.Context(), Request{Method: "POST", Path: "/", Body: form(t, aCard(t, thePAN, "1131", theCVV))})
			if !errors.Is(err, gateway.ErrGarbled) || errors.Is(err, gateway.ErrNotSent) {
				t.Errorf("%d, %v; want %v", a.Status, err, gateway.ErrGarbled)
			}
		})
	}
}

// TestAnAnswerOfItsBounds: neither head nor body may be longer, and so long they may be.
func TestAnAnswerOfItsBounds(t *testing.T) {
	cert, pool := certificate(t, func(*x509.Certificate) {})
	at := provider(t, &tls.Config{Certificates: []tls.Certificate{cert}}, says("HTTP/1.1 402 No\r\nX: "+strings.Repeat("x", headBytes-100)+"\r\n\r\n"+strings.Repeat("y", bodyBytes)))
	a, err := newCourier(t, Config{Base: "https://" + at, Roots: pool}).Send(t.Context(), Request{Method: "GET", Path: "/"})
	if err != nil || a.Status != 402 || len(a.Body) != bodyBytes {
		t.Errorf("%d with %d bytes, %v", a.Status, len(a.Body), err)
	}
}

// TestNobodyKnows: what is lost after the body has begun to leave is neither not sent nor garbled.
func TestNobodyKnows(t *testing.T) {
	cert, pool := certificate(t, func(*x509.Certificate) {})
	send := func(t *testing.T, ctx context.Context, timeout time.Duration, serve func(net.Conn)) error {
		at := provider(t, &tls.Config{Certificates: []tls.Certificate{cert}}, serve)
		_, err := newCourier(t, Config{Base: "https://" + at, Roots: pool, Timeout: timeout}).Send(ctx, Request{Method: "POST", Path: "/", Body: form(t, aCard(t, thePAN, "1131", theCVV))})
		if err == nil || errors.Is(err, gateway.ErrNotSent) || errors.Is(err, gateway.ErrGarbled) {
			t.Errorf("%v; want an error that leaves it open", err)
		}
		return err
	}
	wait := func(conn net.Conn) { request(conn); io.Copy(io.Discard, conn) }
	t.Run("closed after the request", func(t *testing.T) { send(t, t.Context(), time.Minute, func(conn net.Conn) { request(conn) }) })
	t.Run("no answer", func(t *testing.T) {
		if err := send(t, t.Context(), 50*time.Millisecond, wait); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Run("half an answer, slowly", func(t *testing.T) {
		at := func(conn net.Conn) { request(conn); io.WriteString(conn, "H"); io.Copy(io.Discard, conn) }
		cfg := &tls.Config{Certificates: []tls.Certificate{cert}}
		_, err := newCourier(t, Config{Base: "https://" + provider(t, cfg, at), Roots: pool, Timeout: 50 * time.Millisecond}).Send(t.Context(), Request{Method: "GET", Path: "/"})
		if err == nil || errors.Is(err, gateway.ErrNotSent) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	t.Run("called off", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		if err := send(t, ctx, time.Minute, func(conn net.Conn) { request(conn); cancel(); io.Copy(io.Discard, conn) }); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("called off before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		at := provider(t, &tls.Config{Certificates: []tls.Certificate{cert}}, wait)
		if _, err := newCourier(t, Config{Base: "https://" + at, Roots: pool}).Send(ctx, Request{Method: "GET", Path: "/"}); !errors.Is(err, gateway.ErrNotSent) {
			t.Error(err)
		}
	})
}

// TestNothingIsSmuggled: what would end a line, or say again what the courier says, isn't sent.
func TestNothingIsSmuggled(t *testing.T) {
	c := newCourier(t, Config{Base: "https://192.0.2.1"}) // where nobody is
	for name, r := range map[string]Request{
		"a method of two lines":   {Method: "GET / HTTP/1.1\r\nX", Path: "/"},
		"no method":               {Path: "/"},
		"no path":                 {Method: "GET"},
		"a path of two lines":     {Method: "GET", Path: "/\r\nX: y"},
		"a path with a space":     {Method: "GET", Path: "/ HTTP/1.1"},
		"a path elsewhere":        {Method: "GET", Path: "http://elsewhere.example/"},
		"a path with a fragment":  {Method: "GET", Path: "/#x"},
		"a path that isn't ASCII": {Method: "GET", Path: "/ü"},
		"a header of two lines":   {Method: "GET", Path: "/", Header: map[string]string{"X": "y\r\nZ: 1"}},
		"a header with a zero":    {Method: "GET", Path: "/", Header: map[string]string{"X": "\x00"}},
		"a name with a colon":     {Method: "GET", Path: "/", Header: map[string]string{"X: y\r\nZ": ""}},
		"a header without a name": {Method: "GET", Path: "/", Header: map[string]string{"": "y"}},
		"another length":          {Method: "GET", Path: "/", Header: map[string]string{"content-length": "1"}},
		"another end":             {Method: "GET", Path: "/", Header: map[string]string{"Transfer-Encoding": "chunked"}},
		"another host":            {Method: "GET", Path: "/", Header: map[string]string{"HOST": "elsewhere.example"}},
	} {
		if _, err := c.Send(t.Context(), r); !errors.Is(err, gateway.ErrNotSent) || strings.Contains(err.Error(), "connect") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, base := range []string{"", "api.example", "https://", "https://u:p@api.example", "https://api.example?x", "https://api.example/#x", "ftp://api.example"} {
		if _, err := New(Config{Base: base}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", base, err)
		}
	}
}

// TestPages: what doesn't fit, or isn't there, isn't sent in part.
func TestPages(t *testing.T) {
	card := aCard(t, thePAN, "1131", "")
	for name, fill := range map[string]func(*Page){
		"long text":          func(p *Page) { p.Text(strings.Repeat("x", PageBytes+1)) },
		"digits at its end":  func(p *Page) { p.Text(strings.Repeat("x", PageBytes-4)); p.Digits(card.PAN, 0, 16) },
		"digits of nobody":   func(p *Page) { p.Digits(card.CVV.Text, 0, 3) },
		"digits before all":  func(p *Page) { p.Digits(card.PAN, -1, 3) },
		"digits backwards":   func(p *Page) { p.Digits(card.PAN, 3, 2) },
		"text after a fault": func(p *Page) { p.Digits(card.PAN, 0, 20); p.Text("x") },
	} {
		p, err := NewPage()
		if err != nil {
			t.Fatal(err)
		}
		fill(p)
		mem := p.mem
		if _, err := newCourier(t, Config{Base: "https://192.0.2.1"}).Send(t.Context(), Request{Method: "POST", Path: "/", Body: p}); !errors.Is(err, gateway.ErrNotSent) || !errors.Is(err, errPage) {
			t.Errorf("%s: %v", name, err)
		}
		if err := locked.Free(mem); !errors.Is(err, locked.ErrNotLocked) {
			t.Errorf("%s: its page wasn't given back", name)
		}
	}
}

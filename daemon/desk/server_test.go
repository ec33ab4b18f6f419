package desk

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoCommandFromElsewhere(t *testing.T) {
	d, trusted := opened(t, `frame_ancestors = ["https://crm.example.com"]`)
	b := browser(d, trusted)
	for _, test := range []struct {
		site, origin string
		status       int
	}{
		{"same-origin", "", http.StatusSeeOther},
		{"cross-site", "", http.StatusForbidden},
		{"same-site", "", http.StatusForbidden},
		{"", "https://evil.example.com", http.StatusForbidden},
		{"", "null", http.StatusForbidden},
		{"", "https://crm.example.com", http.StatusForbidden}, // it may show the panel, not command
		{"", "http://" + name, http.StatusSeeOther},           // what net/http takes for the same: HSTS keeps browsers from it
		{"", "https://" + name, http.StatusSeeOther},
	} {
		r, _ := http.NewRequest(http.MethodPost, "https://"+name+"/signout", nil)
		r.Header.Set("Sec-Fetch-Site", test.site)
		r.Header.Set("Origin", test.origin)
		got, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got.Body.Close()
		if got.StatusCode != test.status {
			t.Errorf("from %q %q: %d", test.site, test.origin, got.StatusCode)
		}
	}
}

func TestNoOtherName(t *testing.T) {
	d, trusted := opened(t, "")
	b := browser(d, trusted)
	for _, host := range []string{"evil.example.com", "127.0.0.1", name + ":8443", name + ".", "localhost"} {
		r, _ := http.NewRequest(http.MethodGet, "https://"+name+"/signin", nil)
		r.Host = host
		r.Header.Set("X-Forwarded-Host", name)
		got, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(got.Body)
		got.Body.Close()
		if got.StatusCode != http.StatusMisdirectedRequest || strings.Contains(string(body), host) {
			t.Errorf("%s: %d %s", host, got.StatusCode, body)
		}
	}
}

func TestOldTLS(t *testing.T) {
	d, trusted := opened(t, "")
	for version, taken := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		c, err := tls.Dial("tcp", d.Addr().String(), &tls.Config{ServerName: name, RootCAs: trusted, MinVersion: tls.VersionTLS10, MaxVersion: version})
		if err == nil {
			c.Close()
		}
		if (err == nil) != taken {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
	if r, err := http.Get("http://" + d.Addr().String() + "/"); err == nil { // what net/http says to who forgets the s
		r.Body.Close()
		if r.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %d", r.StatusCode)
		}
	}
}

// piped are connections without a network, so that time is the test's.
type piped struct {
	calls chan net.Conn
	over  chan struct{}
}

func (p piped) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}
func (p piped) Close() error   { close(p.over); return nil }
func (p piped) Addr() net.Addr { return &net.TCPAddr{} }

func TestSlowAndLarge(t *testing.T) {
	for what, test := range map[string]struct {
		send  string        // all that is sent
		trail bool          // and then a byte a second
		least time.Duration // after which the connection is over
		most  time.Duration
		says  string
	}{
		"nothing":                {"", false, headerTime, headerTime, ""},
		"half a header":          {"GET / HTTP/1.1\r\nHost: " + name + "\r\nX: ", true, headerTime - time.Second, headerTime + 2*time.Second, ""},
		"half a body":            {"POST /signin/pair HTTP/1.1\r\nHost: " + name + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ncode=", true, readTime - time.Second, readTime + 2*time.Second, ""},
		"a large header":         {"GET / HTTP/1.1\r\nHost: " + name + "\r\nX: " + strings.Repeat("a", 2*mostHeader) + "\r\n\r\n", false, 0, headerTime, "431 "},
		"a large body":           {"POST /signin/pair HTTP/1.1\r\nHost: " + name + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000000\r\n\r\ncode=" + strings.Repeat("a", 2*mostBody), false, 0, readTime, "403 "},
		"nothing more, after it": {"GET / HTTP/1.1\r\nHost: " + name + "\r\n\r\n", false, idleTime, idleTime, "401 "},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				trusted := certify(t, dir)
				d, err := New(configured(t, dir, ""), Deps{Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				d.listen.Close()
				l := piped{make(chan net.Conn), make(chan struct{})}
				go d.server.ServeTLS(l, "", "")
				defer d.server.Close()
				here, there := net.Pipe()
				l.calls <- there
				c := tls.Client(here, &tls.Config{ServerName: name, RootCAs: trusted})
				if err := c.Handshake(); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_, err := c.Write([]byte(test.send))
					for err == nil && test.trail {
						time.Sleep(time.Second)
						_, err = c.Write([]byte("a"))
					}
				}()
				said, err := io.ReadAll(c)
				if lasted := time.Since(began); lasted < test.least || lasted > test.most {
					t.Errorf("the connection was over after %v (%v)", lasted, err)
				}
				status, _, _ := bufio.NewReader(bytes.NewReader(said)).ReadLine()
				if test.says != "" && !strings.Contains(string(status), test.says) {
					t.Errorf("it says %q", status)
				}
				c.Close()
				<-sent
				time.Sleep(time.Second) // net/http waits half of that before it closes a connection on which more may come
			})
		})
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	b := &bounded{from: map[netip.Addr]int{}}
	var leave []func()
	enter := func(last byte) bool {
		out, ok := b.enter(netip.AddrFrom4([4]byte{10, 0, 0, last}))
		if ok {
			leave = append(leave, out)
		}
		return ok
	}
	for range mostFromOne {
		if !enter(1) {
			t.Fatal("there was room")
		}
	}
	if enter(1) {
		t.Error("one address has more than its part")
	}
	for last := byte(2); b.all < mostConnections; last++ {
		for range mostFromOne {
			enter(last)
		}
	}
	if enter(100) {
		t.Error("there are more than in all")
	}
	leave[0]()
	leave[0]()
	if !enter(100) || enter(100) {
		t.Error("one that left makes room for one")
	}
	for _, out := range leave {
		out()
	}
	if b.all != 0 || len(b.from) != 0 {
		t.Errorf("%d are left, of %v", b.all, b.from)
	}
}

func TestANewCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		certify(t, dir)
		c, err := newCertificate(configured(t, dir, ""), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		get := func() *tls.Certificate {
			pair, err := c.get(nil)
			if err != nil || pair == nil {
				t.Fatal(err)
			}
			return pair
		}
		first := get()
		certify(t, dir)
		if get() != first {
			t.Error("files are looked at for every visitor")
		}
		time.Sleep(lookEvery)
		second := get()
		if second.Leaf.Equal(first.Leaf) {
			t.Error("the old one is still there")
		}
		damage(t, dir, "desk.pem")
		time.Sleep(lookEvery)
		if get() != second {
			t.Error("a broken one took the place of a good one")
		}
		certify(t, dir)
		time.Sleep(lookEvery)
		if get().Leaf.Equal(second.Leaf) {
			t.Error("after that none is taken any more")
		}
	})
}

func TestADeskThatCantOpen(t *testing.T) {
	dir := t.TempDir()
	cfg := configured(t, dir, "")
	if _, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	certify(t, dir)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cfg.Listen = taken.Addr().String()
	if _, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "see listen in the desk's configuration") {
		t.Errorf("at a port that is taken: %v", err)
	}
}

// The desk says that it works only if its first page comes.
func TestItSaysThatItWorks(t *testing.T) {
	d, _ := opened(t, "")
	if err := d.works(t.Context()); err != nil {
		t.Error(err)
	}
	d.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "?"); w.WriteHeader(500) })
	if err := d.works(t.Context()); err == nil || errors.Is(err, http.ErrServerClosed) {
		t.Errorf("it doesn't, and says %v", err)
	}
}

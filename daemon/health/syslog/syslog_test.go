package syslog

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// identity is a certificate for this machine's loopback that vouches for itself, as whoever trusts it has it.
func identity(t *testing.T) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "receiver"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, ca
}

// receiver is a real one: TLS, and frames counted in octets.
type receiver struct {
	t        *testing.T
	l        net.Listener
	messages chan string
	conns    chan net.Conn
	done     chan struct{}
}

func listen(t *testing.T, address string, who tls.Certificate) *receiver {
	t.Helper()
	l, err := tls.Listen("tcp", address, &tls.Config{Certificates: []tls.Certificate{who}})
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{t: t, l: l, messages: make(chan string, 100), conns: make(chan net.Conn, 100), done: make(chan struct{})}
	go func() {
		defer close(r.done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.conns <- c
			r.read(c)
		}
	}()
	t.Cleanup(r.close)
	return r
}

// read takes frames of one connection until it ends.
func (r *receiver) read(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		head, err := in.ReadString(' ')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(head, " "))
		if err != nil {
			r.t.Errorf("a frame begins with %q", head)
			return
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(in, message); err != nil {
			r.t.Error(err)
			return
		}
		r.messages <- string(message)
	}
}

// close ends it and all its connections, as a receiver does that is restarted.
func (r *receiver) close() {
	r.l.Close()
	for {
		select {
		case c := <-r.conns:
			c.Close()
			continue
		case <-r.done:
			return
		}
	}
}

// rfc5424 is a message of a condition: PRI, time, host, program, process, code; what the RFC defines of structured data; text.
var rfc5424 = regexp.MustCompile(`^<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} flattoned \d{1,128} ([!-~]{1,32}) ` +
	`\[origin software="flattone" swVersion="1\.2\\"\\\]"\]\[timeQuality tzKnown="1" isSynced="([01])"\] ([^\x00-\x1f]+)$`)

// next is the next message's priority, code, whether the clock is synchronised, and text.
func (r *receiver) next() string {
	r.t.Helper()
	select {
	case m := <-r.messages:
		parts := rfc5424.FindStringSubmatch(m)
		if parts == nil {
			r.t.Fatalf("%q is none of RFC 5424", m)
		}
		return strings.Join(parts[1:], "|")
	case <-time.After(20 * time.Second):
		r.t.Fatal("the receiver is told nothing")
		return ""
	}
}

func (r *receiver) expect(want ...string) {
	r.t.Helper()
	for _, w := range want {
		if got := r.next(); got != w {
			r.t.Errorf("the receiver is told\n%s\nand should be told\n%s", got, w)
		}
	}
}

// run has a sender tell of a board until the test ends.
func run(t *testing.T, b *health.Board, address string, ca *x509.Certificate) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	s := New(Config{Address: address, Roots: roots, Version: `1.2"]`, firstWait: time.Millisecond}, b)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

func until(t *testing.T, b *health.Board, fails bool) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		detail, is := "", false
		for _, c := range b.Snapshot() {
			if c.Code == health.SyslogFailing {
				detail, is = c.Detail, true
			}
		}
		if is == fails {
			return detail
		}
		if time.Now().After(deadline) {
			t.Fatalf("that the receiver can't be told stands: %t", is)
		}
	}
}

const (
	masked = `27|monitor_open|1|its sound card's mixer lets an input through to an output, past the mask severity="fault" line="desk-1" ` +
		`remedy="the line's log says which control, and how to close it"`
	over = `30|monitor_open|1|over: its sound card's mixer lets an input through to an output, past the mask severity="fault" line="desk-1" ` +
		`remedy="the line's log says which control, and how to close it"`
	away = `28|syslog_failing|1|the syslog receiver can't be told what is wrong severity="warning" `
)

func TestAReceiverIsTold(t *testing.T) {
	who, ca := identity(t)
	r := listen(t, "127.0.0.1:0", who)
	b := health.NewBoard()
	b.Set(health.Starting, "desk-1", "")
	run(t, b, r.l.Addr().String(), ca)
	r.expect(`29|starting|1|its process is starting severity="notice" line="desk-1" remedy="wait a moment; flattoned's log says more if it doesn't come up"`)
	b.Set("monitor_open", "desk-1", "")
	b.Clear("monitor_open", "desk-1")
	r.expect(masked, over)
	b.Set(health.ClockUnsynced, "", "a\nb\"]\x1b")
	if got := r.next(); !strings.HasPrefix(got, `28|clock_unsynced|0|the machine's clock`) || !strings.Contains(got, `detail="a\nb\"]\x1b"`) {
		t.Errorf("what others wrote is told as %q", got)
	}
	b.Set(health.UpstreamFailing, "", strings.Repeat("€", 2*longestText))
	if got := r.next(); len(got) > longestText+100 || !strings.Contains(got, "€") {
		t.Errorf("much is told in %d bytes", len(got))
	}
}

// A receiver that goes away, and comes back, is told what came meanwhile; that it was away stands, and is told too.
func TestAReceiverComesBack(t *testing.T) {
	who, ca := identity(t)
	r := listen(t, "127.0.0.1:0", who)
	address := r.l.Addr().String()
	b := health.NewBoard()
	run(t, b, address, ca)
	b.Set("monitor_open", "desk-1", "")
	r.expect(masked)
	r.close()
	until(t, b, true) // by itself
	b.Clear("monitor_open", "desk-1")
	b.Set("monitor_open", "desk-1", "")
	r = listen(t, address, who)
	until(t, b, false)
	if got := r.next(); !strings.HasPrefix(got, away) {
		t.Errorf("the receiver is told %s", got)
	}
	r.expect(over, masked)
	if got := r.next(); !strings.HasPrefix(got, `30|syslog_failing|1|over: `) {
		t.Errorf("the receiver is told %s", got)
	}
}

// Nobody who can't prove that he is the receiver is told anything.
func TestAnImpostorIsToldNothing(t *testing.T) {
	who, _ := identity(t)
	_, ca := identity(t)
	r := listen(t, "127.0.0.1:0", who)
	b := health.NewBoard()
	b.Set("monitor_open", "desk-1", "")
	run(t, b, r.l.Addr().String(), ca)
	if detail := until(t, b, true); !strings.Contains(detail, "certificate") {
		t.Errorf("it says %q", detail)
	}
	if len(r.messages) != 0 {
		t.Errorf("an impostor is told %s", <-r.messages)
	}
}

func TestCodesFitInAMessage(t *testing.T) {
	for _, d := range health.All() {
		if len(d.Code) > 32 {
			t.Errorf("%s is longer than a MSGID", d.Code)
		}
	}
}

package courier

import (
	"bufio"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/secret"
)

const child = "FLATTONE_COURIER_CHILD"

// inAProcess is a provider in a process of its own, for its memory is full of cards. It answers with the hash of what it got, masked, and ends with its input.
func inAProcess(t *testing.T, version uint16) (address string, pool *x509.CertPool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingStaysInMemory$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", child, version))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	address, encoded, _ := strings.Cut(strings.TrimSpace(line), " ")
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(cert)
	return address, pool
}

// provides is the process.
func provides(t *testing.T, version string) {
	cert, _ := certificate(t, func(*x509.Certificate) {})
	var v uint16
	fmt.Sscan(version, &v)
	at := provider(t, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: v, MaxVersion: v}, func(conn net.Conn) {
		_, body := request(conn)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n\r\n%x", sha256.Sum256(lockedtest.Masked([]byte(body))))
	})
	fmt.Println(at, base64.StdEncoding.EncodeToString(cert.Certificate[0]))
	io.Copy(io.Discard, os.Stdin)
}

// unseen is a card of random digits, and each run of eight of them, masked.
func unseen(t *testing.T) (card *secret.Card, runs [][]byte) {
	t.Helper()
	card = aCard(t, "", "", "")
	return card, gatewaytest.Unseen(t, card.PAN, secret.PANDigits)
}

func written(t *testing.T, card *secret.Card) *Page {
	t.Helper()
	p, err := NewPage()
	if err != nil {
		t.Fatal(err)
	}
	p.Text("a=")
	p.Digits(card.PAN, 0, card.PAN.Len())
	return p
}

// TestNothingStaysInMemory sends random digits and searches the whole process, with no garbage collection to help. No eight in a row may lie anywhere but in the
// card. The sending is interrupted where it ends, so that registers count, too.
func TestNothingStaysInMemory(t *testing.T) {
	if v := os.Getenv(child); v != "" {
		provides(t, v)
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			card, runs := unseen(t)
			at, pool := inAProcess(t, version)
			c := newCourier(t, Config{Base: "https://" + at, Roots: pool})
			want := fmt.Sprintf("%x", sha256.Sum256(append(lockedtest.Masked([]byte("a=")), lockedtest.Masked(card.PAN.Reveal())...)))
			lockedtest.Interrupted(t, func() error {
				for range 20 {
					a, err := c.Send(t.Context(), Request{Method: "POST", Path: "/", Body: written(t, card)})
					if err != nil {
						return err
					}
					if string(a.Body) != want {
						return errors.New("the provider got something else")
					}
				}
				return nil
			})
			for i, n := range lockedtest.Copies(t, runs...) {
				if n != 1 {
					t.Errorf("%d copies of the digits from the %dth on, want the card's own", n, i+1)
				}
			}
		})
	}
}

// TestADigitARecord holds what the package says of TLS 1.3 against it, with buffers that are new where the body is sealed. If a body in one record leaves no copy
// any more, digits may share one.
func TestADigitARecord(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	for name, write := range map[string]func(*Page, io.Writer) error{
		"one record":     func(p *Page, to io.Writer) error { _, err := to.Write(p.mem[:p.n]); return err },
		"a digit a time": (*Page).writeTo,
	} {
		t.Run(name, func(t *testing.T) {
			card, runs := unseen(t)
			at, pool := inAProcess(t, tls.VersionTLS13)
			conn, tcp, err := newCourier(t, Config{Base: "https://" + at, Roots: pool}).connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer tcp.Close()
			p := written(t, card)
			defer p.Wipe()
			runtime.GC() // the pool of buffers is emptied by the second
			runtime.GC()
			if err := write(p, conn); err != nil {
				t.Fatal(err)
			}
			most := slices.Max(lockedtest.Copies(t, runs...))
			if whole := name == "one record"; whole != (most > 2) {
				t.Errorf("up to %d copies of eight digits; the card's and the page's are two", most)
			}
		})
	}
}

package e2e

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/gateway/stripe/stripesim"
	"github.com/flattone/flattone/hw/hwtest/child"
)

// provides is what makes the test's program a payment provider of a kind, at an address, whose certificate and books are in a folder.
const (
	provides = "-charges-cards"
	byStripe = "stripe"
	byISO    = "iso8583"
)

// The paces of a provider, besides none. One is slow over each read and write, so that more of a killed box's moments fall into a question; one is silent once he
// has a card.
const (
	slow   = "slow"
	silent = "silent"
)

// slowly is a provider's network far away.
type slowly struct{ net.Listener }

func (l slowly) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return far{c}, err
}

type far struct{ net.Conn }

func (far) pause() { time.Sleep(mathrand.N(3 * time.Millisecond)) }

func (c far) Read(b []byte) (int, error)  { c.pause(); return c.Conn.Read(b) }
func (c far) Write(b []byte) (int, error) { c.pause(); return c.Conn.Write(b) }

// provide says on a line that it serves, and does until it is killed.
func provide(kind, address, dir, pace string) error {
	identity, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.pem"), filepath.Join(dir, "tls.key"))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if pace == slow {
		l = slowly{l}
	}
	secure := &tls.Config{Certificates: []tls.Certificate{identity}}
	books, err := os.OpenFile(filepath.Join(dir, "books"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	kept, err := wholeLines(books.Name())
	if err = errors.Join(err, books.Truncate(int64(len(kept)))); err != nil {
		return err
	}
	if kind == byStripe {
		sim, err := stripesim.Serve(l, secure, kept, books)
		if err != nil {
			return err
		}
		if pace == silent {
			sim.BreakAt("/payment_methods", gatewaytest.Silent)
		}
		fmt.Println("serves")
		select {}
	}
	bank := acquirer.New(message.Form{}, secure)
	if err := bank.Recall(kept); err != nil {
		return err
	}
	bank.Keep(books)
	if pace == silent {
		bank.Script(acquirer.Silent)
	}
	fmt.Println("serves")
	bank.Serve(l)
	return errors.New("it serves no longer")
}

// provider is one in a process of its own, at a port that stays its own while it is killed and started again.
type provider struct {
	kind, pace, dir string
	port            int
	process         *child.Child
	cmd             *exec.Cmd
}

func newProvider(t *testing.T, kind, pace string) *provider {
	t.Helper()
	p := &provider{kind: kind, pace: pace, dir: t.TempDir()}
	// Nobody else is given a port that is bound, listening or not.
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	err = errors.Join(syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1), syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	at, lost := syscall.Getsockname(fd)
	if err = errors.Join(err, lost, p.identify()); err != nil {
		t.Fatal(err)
	}
	p.port = at.(*syscall.SockaddrInet4).Port
	p.start(t)
	t.Cleanup(p.kill)
	return p
}

func (p *provider) books() ([]byte, error) { return wholeLines(filepath.Join(p.dir, "books")) }

// wholeLines are a file's but for what a kill left of the last one.
func wholeLines(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	return b[:bytes.LastIndexByte(b, '\n')+1], err
}

func (p *provider) ca() string { return filepath.Join(p.dir, "tls.pem") }

// identify makes a certificate that vouches for itself.
func (p *provider) identify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	of := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &of, &of, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(p.ca(), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(filepath.Join(p.dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
		os.WriteFile(filepath.Join(p.dir, "api.key"), []byte(stripesim.Key), 0o600))
}

func (p *provider) start(t *testing.T) {
	t.Helper()
	p.cmd = exec.Command(os.Args[0], provides, p.kind, fmt.Sprintf("127.0.0.1:%d", p.port), p.dir, p.pace)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		p.process, err = child.Start(p.cmd, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatalf("the provider doesn't serve: %v", err)
	}
}

// kill kills it with the real signal.
func (p *provider) kill() {
	p.cmd.Process.Kill()
	<-p.process.Gone()
}

// table is its [gateway.NAME] table.
func (p *provider) table(name string) string {
	how := fmt.Sprintf("url = \"https://127.0.0.1:%d\"\nsecret_file = %q", p.port, filepath.Join(p.dir, "api.key"))
	if p.kind == byISO {
		how = fmt.Sprintf("address = \"127.0.0.1:%d\"\nterminal = \"FLAT0001\"\nmerchant = \"000000000123456\"\nmerchant_category = \"5969\"\necho_s = 40", p.port)
	}
	timeout := 5
	if p.pace == silent {
		timeout = 40
	}
	return fmt.Sprintf("\n[gateway.%s]\nkind = %q\ncurrency = \"EUR\"\nca_file = %q\ntimeout_s = %d\n%s\n", name, p.kind, p.ca(), timeout, how)
}

// stripesBooks are those of one that was killed and speaks Stripe's API, by the payments' ids.
func (p *provider) stripesBooks(t *testing.T) map[string]stripesim.Entry {
	t.Helper()
	kept, err := p.books()
	if err != nil {
		t.Fatal(err)
	}
	sim, err := stripesim.Kept(kept)
	if err != nil {
		t.Fatal(err)
	}
	return sim.All()
}

// acquirersBooks are those of one that speaks ISO 8583, by field 37.
func (p *provider) acquirersBooks(t *testing.T) map[string]acquirer.Entry {
	t.Helper()
	kept, err := p.books()
	bank := acquirer.New(message.Form{}, nil)
	if err == nil {
		err = bank.Recall(kept)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bank.Books()
}

package courier

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/daemon/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const thePAN, theCVV = "4242424242424242", "123"

// certificate is one that vouches for itself.
func certificate(t testing.TB, change func(*x509.Certificate)) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "provider"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	change(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool
}

// provider serves one connection after the other until the test's end; nil: plain.
func provider(t testing.TB, cfg *tls.Config, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if cfg != nil {
				conn = tls.Server(conn, cfg)
			}
			serve(conn)
			conn.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return l.Addr().String()
}

// request is what a provider reads of one.
func request(conn net.Conn) (*http.Request, string) {
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return nil, ""
	}
	body, _ := io.ReadAll(r.Body)
	return r, string(body)
}

// says answers each request with the same bytes.
func says(answer string) func(net.Conn) {
	return func(conn net.Conn) {
		if r, _ := request(conn); r != nil {
			io.WriteString(conn, answer)
		}
	}
}

// aCard has the digits given.
func aCard(t testing.TB, pan, expiry, cvv string) *secret.Card {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	for text, digits := range map[*secret.Text]string{card.PAN: pan, card.Expiry: expiry, card.CVV.Text: cvv} {
		for i := range len(digits) {
			if err := text.Append(digits[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return card
}

// form is a body with a card in it.
func form(t testing.TB, card *secret.Card) *Page {
	t.Helper()
	p, err := NewPage()
	if err != nil {
		t.Fatal(err)
	}
	p.Text("number=")
	p.Digits(card.PAN, 0, card.PAN.Len())
	p.Text("&exp_month=")
	p.Digits(card.Expiry, 0, 2)
	p.Text("&exp_year=20")
	p.Digits(card.Expiry, 2, 4)
	p.Text("&cvc=")
	p.Digits(card.CVV.Text, 0, card.CVV.Len())
	return p
}

func newCourier(t testing.TB, cfg Config) *Courier {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

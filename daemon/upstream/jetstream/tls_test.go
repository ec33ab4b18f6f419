package jetstream

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

// authority makes certificates.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	File string
}

func newAuthority(t testing.TB) *authority {
	a := &authority{t: t}
	a.cert, a.key = a.make(&x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true})
	a.File = write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})))
	return a
}

func (a *authority) make(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert, key
}

// files makes a certificate and its key; which says what of it is special.
func (a *authority) files(which func(*x509.Certificate)) (certFile, keyFile string) {
	a.t.Helper()
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "box1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	if which != nil {
		which(template)
	}
	cert, key := a.make(template)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	return write(a.t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))),
		write(a.t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}

// tlsOf is a server's side.
func (a *authority) tlsOf(which func(*x509.Certificate)) *tls.Config {
	a.t.Helper()
	pair, err := tls.LoadX509KeyPair(a.files(which))
	if err != nil {
		a.t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}
}

// demanding has it ask for certificates.
func (a *authority) demanding(c *tls.Config) *tls.Config {
	c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	c.ClientCAs.AddCert(a.cert)
	return c
}

// The box speaks to the server that it means, in TLS that is worth its name, or not at all.
func TestTLS(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.files(nil)
	strange, strangeKey := other.files(nil)
	for name, c := range map[string]struct {
		server *tls.Config
		sender func(*Config)
		reason string // "": delivered
	}{
		"named and vouched for": {server: ca.tlsOf(nil)},
		"both prove themselves": {server: ca.demanding(ca.tlsOf(nil)), sender: func(c *Config) { c.TLS.CertFile, c.TLS.KeyFile = cert, key }},
		"unknown authority":     {server: other.tlsOf(nil), reason: "nobody whom the box trusts vouches for the server's certificate"},
		"another name":          {server: ca.tlsOf(func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"nats.example.com"} }), reason: "another name than its address"},
		"expired":               {server: ca.tlsOf(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), reason: "expired or is not yet valid"},
		"below TLS 1.2":         {server: &tls.Config{Certificates: ca.tlsOf(nil).Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, reason: "protocol version"},
		"no TLS":                {reason: "the server speaks no TLS"},
		"no certificate":        {server: ca.demanding(ca.tlsOf(nil)), reason: "look at cert_file"},
		"strange certificate":   {server: ca.demanding(ca.tlsOf(nil)), sender: func(c *Config) { c.TLS.CertFile, c.TLS.KeyFile = strange, strangeKey }, reason: "look at cert_file"},
	} {
		t.Run(name, func(t *testing.T) {
			n := natstest.New(t, func(o *server.Options) {
				if o.TLSConfig, o.TLSTimeout = c.server, 10; c.server != nil {
					o.TLS = true
				}
			})
			s := newSender(t, n, func(cfg *Config) {
				cfg.Servers, cfg.TLS.CAFile = []string{"tls://" + n.Address()}, ca.File
				if c.sender != nil {
					c.sender(cfg)
				}
			})
			if c.reason != "" {
				until(t, s, event("evt_1", "k"), upstream.Later, c.reason)
				return
			}
			until(t, s, event("evt_1", "k"), upstream.Later, "no stream takes")
		})
	}
}

package iso8583

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// identity is a certificate for a name that vouches for itself, and who trusts it.
func identity(t testing.TB, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{name}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func secureConfig(form message.Form, roots *x509.CertPool) Config {
	cfg := aConfig(form)
	cfg.Plain, cfg.Roots = false, roots
	return cfg
}

// TestTLS: it speaks to the acquirer that it knows by name, and to nobody else.
func TestTLS(t *testing.T) {
	for name, c := range map[string]struct {
		named         string // the name in the acquirer's certificate
		most          uint16 // the newest TLS that he speaks
		wants         bool   // the box's certificate
		has, stranger bool   // the box has one; and trusts others
		why           string
	}{
		"1.3":                              {named: "acquirer"},
		"1.2":                              {named: "acquirer", most: tls.VersionTLS12},
		"the box's certificate":            {named: "acquirer", wants: true, has: true},
		"the box's certificate, by 1.2":    {named: "acquirer", most: tls.VersionTLS12, wants: true, has: true},
		"no certificate where one is due":  {named: "acquirer", most: tls.VersionTLS12, wants: true, why: "handshake failure"},
		"no certificate where one, by 1.3": {named: "acquirer", wants: true, why: "sign on: "},
		"1.1":                              {named: "acquirer", most: tls.VersionTLS11, why: "protocol version"},
		"another name":                     {named: "impostor", why: "valid for impostor"},
		"nobody vouches":                   {named: "acquirer", stranger: true, why: "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			his, roots := identity(t, c.named)
			ours, oursKnown := identity(t, "box")
			server := &tls.Config{Certificates: []tls.Certificate{his}, MinVersion: tls.VersionTLS10, MaxVersion: c.most}
			if c.wants {
				server.ClientAuth, server.ClientCAs = tls.RequireAnyClientCert, oursKnown
			}
			deps := Deps{}
			if c.has {
				deps.Certificate = func() (*tls.Certificate, error) { return &ours, nil }
			}
			if c.stranger {
				roots = oursKnown
			}
			r, became := onLoopback(t, server, secureConfig(message.Form{}, roots), deps)
			why := <-became
			a, _, err := r.pays(anOrder("pay_a", 1234), good)
			if c.why == "" {
				if why != nil || err != nil || a.Outcome != gateway.Approved {
					t.Errorf("%+v, %v, because of %v", a, err, why)
				}
				return
			}
			if !errors.Is(err, gateway.ErrNotSent) || why == nil || !strings.Contains(why.Error(), c.why) || len(r.bank.Heard()) > 0 {
				t.Errorf("%+v, %v, because of %v, want %q", a, err, why, c.why)
			}
		})
	}
}

// onLoopback is a rig by real TCP, for a pipe has no room for what two ends say at the same time. The first time it becomes ready, or is away, that is told.
func onLoopback(t testing.TB, secure *tls.Config, cfg Config, deps Deps) (*rig, chan error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, bank: acquirer.New(cfg.Form, secure)}
	var took sync.WaitGroup
	took.Go(func() { r.bank.Serve(l) })
	deps.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		r.mu.Lock()
		why := r.unplug
		r.mu.Unlock()
		if why != nil {
			return nil, why
		}
		return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
	}
	became := make(chan error, 1)
	deps.OnState = func(s State, why error) {
		if s != SigningOn {
			select {
			case became <- why:
			default:
			}
		}
	}
	if r.c, err = New(cfg, deps); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	took.Go(func() { r.c.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		l.Close()
		r.bank.Close()
		took.Wait()
	})
	return r, became
}

// TestNoTLSAtTheOtherEnd: nothing is said in the clear.
func TestNoTLSAtTheOtherEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, message.Form{}, nil)
		_, roots := identity(t, "acquirer")
		r.start(secureConfig(message.Form{}, roots), Deps{})
		defer r.stop()
		time.Sleep(time.Minute)
		if _, _, err := r.pays(anOrder("pay_a", 1234), good); !errors.Is(err, gateway.ErrNotSent) {
			t.Error(err)
		}
	})
}

package courier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// TestReach: it says whether there is a provider whom somebody vouches for, and tells him nothing.
func TestReach(t *testing.T) {
	his, roots := certificate(t, func(*x509.Certificate) {})
	_, others := certificate(t, func(*x509.Certificate) {})
	said := make(chan int, 1)
	listens := func(conn net.Conn) {
		n, _ := io.Copy(io.Discard, conn)
		said <- int(n)
	}
	there := "https://" + provider(t, &tls.Config{Certificates: []tls.Certificate{his}}, listens)
	if err := newCourier(t, Config{Base: there, Roots: roots}).Reach(t.Context()); err != nil {
		t.Error(err)
	}
	if n := <-said; n != 0 {
		t.Errorf("it told the provider %d bytes", n)
	}
	if err := newCourier(t, Config{Base: there, Roots: others}).Reach(t.Context()); !errors.As(err, new(*tls.CertificateVerificationError)) {
		t.Errorf("a provider for whom nobody vouches: %v", err)
	}
	<-said
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // nobody takes the connection, so there is no handshake
	if err := newCourier(t, Config{Base: "https://" + l.Addr().String(), Roots: roots, Timeout: 50 * time.Millisecond}).Reach(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a provider who says nothing: %v", err)
	}
}

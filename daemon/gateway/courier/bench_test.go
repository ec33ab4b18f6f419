package courier

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"
)

// BenchmarkSend is a request with a card from the connection to the end of its answer, and, as p50 and p99, how long after the answer was written it is known.
func BenchmarkSend(b *testing.B) {
	cert, pool := certificate(b, func(*x509.Certificate) {})
	at := provider(b, &tls.Config{Certificates: []tls.Certificate{cert}}, func(conn net.Conn) {
		request(conn)
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\n\r\n%d", time.Now().UnixNano())
	})
	c, card := newCourier(b, Config{Base: "https://" + at, Roots: pool}), aCard(b, thePAN, "1131", theCVV)
	var after []float64
	for b.Loop() {
		a, err := c.Send(b.Context(), Request{Method: "POST", Path: "/", Body: form(b, card)})
		known := time.Now().UnixNano()
		if err != nil {
			b.Fatal(err)
		}
		said, err := strconv.ParseInt(string(a.Body), 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		after = append(after, float64(known-said)/1e6)
	}
	slices.Sort(after)
	b.ReportMetric(after[len(after)/2], "ms-p50/answer")
	b.ReportMetric(after[len(after)*99/100], "ms-p99/answer")
}

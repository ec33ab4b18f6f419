package wiping_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/gateway/wiping"
)

func identity(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"acquirer"}}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secretBytes are random ones in a locked page, and a masked copy.
func secretBytes(t *testing.T, n int) (page, masked []byte) {
	t.Helper()
	page, err := locked.Bytes(n)
	if err != nil {
		t.Fatal(err)
	}
	masked = make([]byte, n)
	rand.Read(masked)
	for i, m := range masked {
		page[i] = m ^ lockedtest.Mask
	}
	return page[:n], masked
}

// left is how many copies are in memory of a secret that went by TLS, once its writer and its reader have cleared it and one waits for more.
func left(t *testing.T, version uint16, under func(net.Conn) net.Conn, secrets ...[2]int) (n int) {
	synctest.Test(t, func(t *testing.T) {
		theirs, ours := net.Pipe()
		server := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{identity(t)}, MinVersion: version, MaxVersion: version})
		client := tls.Client(under(ours), &tls.Config{InsecureSkipVerify: true})
		page, masked := secretBytes(t, 48)
		go func() {
			if secrets != nil {
				runtime.GC() // the pool of buffers is emptied by the second
				runtime.GC()
			}
			wiping.Write(server, page, secrets)
			locked.Free(page)
		}()
		room, err := locked.Bytes(48)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(client, room[:48]); err != nil || !bytes.Equal(lockedtest.Masked(room[:48]), masked) {
			t.Fatalf("what was read isn't what was written: %v", err)
		}
		clear(room)
		go client.Read(room)
		synctest.Wait()
		n = lockedtest.Copies(t, masked)[0]
		theirs.Close()
		ours.Close()
		synctest.Wait()
		locked.Free(room)
	})
	return n
}

func TestNothingIsLeft(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	// What is read in one record, by TLS 1.2: of 1.3 its writer may leave some.
	if n := left(t, tls.VersionTLS12, func(c net.Conn) net.Conn { return c }); n == 0 {
		t.Error("without wiping nothing is left: this looks at the wrong thing, or crypto/tls wipes now")
	}
	if n := left(t, tls.VersionTLS12, wiping.Under); n != 0 {
		t.Errorf("%d copies are left of what was read", n)
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		if n := left(t, version, wiping.Under, [2]int{0, 48}); n != 0 {
			t.Errorf("%s: %d copies are left of what was written and read", tls.VersionName(version), n)
		}
	}
}

// TestRecordsOfAllSizes: whatever is written comes through, in whatever pieces.
func TestRecordsOfAllSizes(t *testing.T) {
	theirs, ours := net.Pipe()
	server := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{identity(t)}})
	client := tls.Client(wiping.Under(pieces{ours}), &tls.Config{InsecureSkipVerify: true})
	sent := make([]byte, 100_000) // six full records and a rest
	rand.Read(sent)
	go func() {
		rest := sent
		for _, n := range []int{1, 2, 3, 16 << 10, len(sent) - (16 << 10) - 6} {
			server.Write(rest[:n])
			rest = rest[n:]
		}
		server.Close()
	}()
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes are read of %d: %v", len(got), len(sent), err)
	}
	client.Close()
}

// pieces gives what is read three bytes at a time.
type pieces struct{ net.Conn }

func (p pieces) Read(b []byte) (int, error) { return p.Conn.Read(b[:min(3, len(b))]) }

func TestWhatIsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		secrets [][2]int
		pieces  string
	}{
		"nothing secret": {nil, "0123456789"},
		"the beginning":  {[][2]int{{0, 2}}, "0 1 23456789"},
		"in between":     {[][2]int{{2, 4}, {7, 9}}, "01 2 3 456 7 8 9"},
		"side by side":   {[][2]int{{2, 4}, {4, 6}}, "01 2 3 4 5 6789"},
		"the end":        {[][2]int{{8, 10}}, "01234567 8 9"},
	} {
		var w spaced
		if err := wiping.Write(&w, []byte("0123456789"), c.secrets); err != nil || w.String() != c.pieces+" " {
			t.Errorf("%s: it is written as %q, %v", name, w.String(), err)
		}
	}
}

// spaced has a space after whatever is written at once.
type spaced struct{ bytes.Buffer }

func (s *spaced) Write(b []byte) (int, error) { return s.Buffer.WriteString(string(b) + " ") }

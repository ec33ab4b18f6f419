package template

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/template/acmesim"
	"github.com/flattone/flattone/daemon/gateway/template/dialect"
	"github.com/flattone/flattone/daemon/secret"
)

const child = "FLATTONE_TEMPLATE_CHILD"

// inAProcess is Acme in a process of its own, for its memory is full of cards.
func inAProcess(t *testing.T) (base string, roots *x509.CertPool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestNothingStaysInMemory$")
	cmd.Env = append(os.Environ(), child+"=1")
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
	base, encoded, _ := strings.Cut(strings.TrimSpace(line), " ")
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots = x509.NewCertPool()
	roots.AddCert(cert)
	return base, roots
}

// unseen is a card of random digits, and each run of eight of them, masked.
func unseen(t *testing.T) (card *secret.Card, runs [][]byte) {
	t.Helper()
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(card.Destroy)
	runs = gatewaytest.Unseen(t, card.PAN, secret.PANDigits)
	for _, digit := range []byte("1131") {
		if err := card.Expiry.Append(digit); err != nil {
			t.Fatal(err)
		}
	}
	return card, runs
}

// TestNothingStaysInMemory charges a card of random digits in each encoding and searches the whole process, with no garbage collection to help. No eight in a row
// may lie anywhere but in the card.
func TestNothingStaysInMemory(t *testing.T) {
	if os.Getenv(child) != "" {
		sim := acmesim.New(t)
		fmt.Println(sim.URL(), base64.StdEncoding.EncodeToString(sim.Certificate().Raw))
		io.Copy(io.Discard, os.Stdin)
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	base, roots := inAProcess(t)
	for _, e := range []dialect.Encoding{dialect.JSON, dialect.Form, dialect.XML} {
		card, runs := unseen(t)
		c, err := New(Config{Provider: acmesim.At(base, e), Secret: acmesim.Key, Courier: courier.Config{Roots: roots, Timeout: time.Minute}})
		if err != nil {
			t.Fatal(err)
		}
		lockedtest.Interrupted(t, func() error {
			a, err := gateway.Guard(c).Authorise(t.Context(), order("pay_"+string(e)), card, noted)
			if err == nil && a.Outcome != gateway.Approved {
				err = errors.New("it isn't approved")
			}
			return err
		})
		for i, n := range lockedtest.Copies(t, runs...) {
			if n != 1 {
				t.Errorf("%s: %d copies of the digits from the %dth on, want the card's own", e, n, i+1)
			}
		}
	}
}

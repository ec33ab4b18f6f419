package stripe_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/stripe"
	"github.com/flattone/flattone/daemon/gateway/stripe/stripesim"
	"github.com/flattone/flattone/daemon/secret"
)

const child = "FLATTONE_STRIPE_CHILD"

// inAProcess is where a simulator is that runs in a process of its own, for its memory is full of cards.
func inAProcess(t *testing.T) (url string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
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
	return strings.TrimSpace(line)
}

// TestNothingStaysInMemory: after a card was charged, no eight of its digits in a row lie anywhere in the process but in the card.
func TestNothingStaysInMemory(t *testing.T) {
	if os.Getenv(child) != "" {
		fmt.Println(stripesim.New(t).URL())
		io.Copy(io.Discard, os.Stdin)
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	via, err := courier.New(courier.Config{Base: inAProcess(t), Roots: stripesim.New(t).Roots()}) // all of them have the one certificate
	if err != nil {
		t.Fatal(err)
	}
	s, err := stripe.New(stripe.Config{Key: stripesim.Key}, via)
	if err != nil {
		t.Fatal(err)
	}
	card := gatewaytest.Card(t, approved)
	runs := append(gatewaytest.Unseen(t, card.PAN, 16), gatewaytest.Unseen(t, card.CVV.Text, secret.CVVDigits)...)
	lockedtest.Interrupted(t, func() error {
		a, err := gateway.Guard(s).Authorise(t.Context(), order, card, func(string) error { return nil })
		if err == nil && a.Outcome != gateway.Approved {
			err = fmt.Errorf("%+v", a)
		}
		return err
	})
	for i, n := range lockedtest.Copies(t, runs...) {
		if n != 1 {
			t.Errorf("%d copies of the %dth run of digits, want the card's own", n, i+1)
		}
	}
}

package payment

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/courier"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/stripe"
	"github.com/flattone/flattone/daemon/gateway/stripe/stripesim"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
)

var killed = flag.Int("payments", 60, "how many payments TestKill has wanted, at least")

// What this process, started by TestKill, works on until it is killed: a folder, and a provider's address.
const (
	workIn   = "FLATTONE_TEST_PAYMENTS"
	provider = "FLATTONE_TEST_PROVIDER"
)

// box is payments on real things: a store in a folder, and a provider over TLS.
type box struct {
	db    *store.DB
	vault *vault.Vault
	pays  *Payments
}

// openBox opens what lies in a folder, in which the root's key and the provider's certificate are, too.
func openBox(dir, url string) (*box, error) {
	where, err := storetest.At(filepath.Join(dir, "state"))
	if err != nil {
		return nil, err
	}
	b := &box{}
	if b.db, err = store.Open(context.Background(), store.Config{Dir: filepath.Join(dir, "state"), Postgres: store.Postgres{Where: where, Box: "test"}}); err != nil {
		return nil, err
	}
	log, err := audit.New(context.Background(), audit.Config{Box: "test", KeyFile: filepath.Join(dir, "audit.key")}, audit.Deps{Store: b.db})
	if err != nil {
		return nil, err
	}
	key, err := keys.NewKey(func(dst []byte) error {
		plain, err := os.ReadFile(filepath.Join(dir, "root"))
		copy(dst, plain)
		return err
	})
	if err != nil {
		return nil, err
	}
	b.vault, err = vault.New(context.Background(), vault.Config{Retention: 24 * time.Hour, OnceTTL: time.Hour, Destinations: []vault.Destination{{Name: "crm"}},
		Rules: []vault.Rule{{Caller: Caller, Purpose: Purpose, Connector: "till", PerHour: 1 << 30}}},
		vault.Deps{Store: b.db, Root: keys.Held(keys.TPM, key), Audit: log, Outbox: vault.OutboxFunc(func(*store.Tx, vault.Event) error { return nil })})
	if err != nil {
		return nil, err
	}
	ca, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	via, err := courier.New(courier.Config{Base: url, Roots: roots, Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	till, err := stripe.New(stripe.Config{Key: stripesim.Key}, via)
	if err != nil {
		return nil, err
	}
	b.pays, err = New(Config{Box: "test", Patience: 3 * time.Second}, Deps{Store: b.db, Audit: log, Cards: b.vault, Log: slog.New(slog.DiscardHandler),
		Gateways: map[string]gateway.Connector{"till": gateway.Guard(till)}, Enqueue: func(*store.Tx, Event) error { return nil }, Tell: func(Payment) {}, TellAct: func(Payment, Act) {}})
	return b, err
}

func (b *box) close() { errors.Join(b.db.Close(), b.vault.Close()) }

// work has cards charged, four side by side, and says so of each that is wanted.
func (b *box) work(out io.Writer) error {
	go b.pays.Run(context.Background())
	var each sync.WaitGroup
	fail := make(chan error, 5)
	each.Go(func() { fail <- b.act() })
	for range 4 {
		each.Go(func() {
			for {
				if err := b.charge(out); err != nil {
					fail <- err
					return
				}
			}
		})
	}
	return <-fail
}

// charge is a call: an order, a card of one kind or another, and perhaps a line that sends it twice.
func (b *box) charge(out io.Writer) error {
	pan := []string{thePAN, thePAN, "4000000000000002", "4000000000009995"}[rand.N(4)]
	capture := vault.NewCaptureID(time.Now())
	pay, err := b.pays.Want(context.Background(), "ann", Order{Capture: capture, Line: "desk-1", Profile: "full", Gateway: "till", Minor: 500 + rand.Int64N(100), Currency: "EUR", Take: rand.N(2) == 0})
	if err != nil {
		return err
	}
	fmt.Fprintln(out, pay.ID)
	card, err := cardOf(pan, "1131", "123")
	if err != nil {
		return err
	}
	defer card.Destroy()
	for range 1 + rand.N(2) {
		token, err := b.vault.Seal(context.Background(), vault.Capture{ID: capture, Line: "desk-1", Place: "trunk-side", Profile: "full", Tenant: "main", Kind: vault.Flight,
			Brand: "visa", Last4: pan[12:], ExpiryMonth: 11, ExpiryYear: 2031}, card)
		if err != nil {
			return err
		}
		if err := b.pays.Sealed(context.Background(), capture, token, card); err != nil {
			return err
		}
	}
	return nil
}

// act has this or that done with what was approved, time and again.
func (b *box) act() error {
	for ; ; time.Sleep(20 * time.Millisecond) {
		all, err := b.pays.List(context.Background(), 50)
		if err != nil {
			return err
		}
		for _, pay := range all {
			if pay.State != Approved || rand.N(10) > 0 {
				continue
			}
			kind := []Kind{Capture, Void, Refund, Refund}[rand.N(4)]
			minor := int64(0)
			if kind == Refund {
				minor = 1 + rand.Int64N(300)
			}
			if _, err := b.pays.Act(context.Background(), "ann", "", pay.ID, kind, minor); err != nil && !errors.Is(err, ErrCannot) {
				return err
			}
		}
	}
}

// TestKill kills a process that has cards charged, time and again, with the real signal, while its provider loses requests and answers. Then what is left is gone
// through with: every payment that was wanted has an end, the provider's books say the same, and money was taken once.
func TestKill(t *testing.T) {
	storetest.OnlySQLite(t, "what is killed is flattoned, and the store's own tests kill it on PostgreSQL")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir, sim := t.TempDir(), stripesim.New(t)
	root, err := keys.Random()
	if err == nil {
		err = root.Use(func(plain []byte) error { return os.WriteFile(filepath.Join(dir, "root"), plain, 0o600) })
	}
	defer root.Destroy()
	if err = errors.Join(err, os.WriteFile(filepath.Join(dir, "ca.pem"), sim.PEM(), 0o600)); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	rounds := 0
	for ; len(wanted) < *killed; rounds++ {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), workIn+"="+dir, provider+"="+sim.URL())
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lives := time.AfterFunc(time.Duration(200+rand.N(600))*time.Millisecond, func() { cmd.Process.Signal(syscall.SIGKILL) })
		for said := bufio.NewScanner(out); said.Scan(); {
			wanted[said.Text()] = true
			if rand.N(4) == 0 {
				all := []gatewaytest.Fault{gatewaytest.Unheard, gatewaytest.Dropped, gatewaytest.Failing, gatewaytest.Garbled, gatewaytest.Truncated}
				sim.Break(all[rand.N(len(all))])
			}
		}
		lives.Stop()
		if err := cmd.Wait(); !cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
			t.Fatalf("it ended by itself: %v", err)
		}
	}
	b, err := openBox(dir, sim.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	b.goThrough(t)
	all, err := b.pays.List(t.Context(), 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	ends, acts := map[string]int{}, map[string]int{}
	for _, pay := range all {
		delete(wanted, pay.ID)
		ends[string(pay.State)+" "+pay.Reason]++
		books := sim.Books(gateway.Order{Key: pay.ID})
		for _, a := range pay.Acts {
			acts[fmt.Sprint(a.Kind, " ", a.State, " ", a.Reason)]++
		}
		want := gatewaytest.Books{}
		if pay.State == Approved {
			want = gatewaytest.Books{Charges: 1, Taken: pay.Taken(), Returned: pay.Refunded()}
			switch {
			case pay.Voided() && pay.Take: // what it had taken is given back
				want.Taken, want.Returned = pay.Minor, pay.Minor
			case !pay.Voided() && pay.Taken() == 0:
				want.Held = pay.Minor
			}
		}
		if books != want {
			t.Errorf("%s is %s %s, and the provider's books have %+v", pay.ID, pay.State, pay.Reason, books)
		}
	}
	for id := range wanted {
		t.Errorf("%s was wanted, and there is no such payment", id)
	}
	t.Logf("%d payments in %d lives: %v; what was done with them: %v", len(all), rounds, ends, acts)
}

// goThrough runs payments until none is open but those whose card nobody keyed before the process died, which end in two hours.
func (b *box) goThrough(t *testing.T) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute) // a restart has a minute to know what became of everything
	done := make(chan error, 1)
	go func() { done <- b.pays.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for open := 1; open > 0; time.Sleep(100 * time.Millisecond) {
		err := b.db.Read(ctx, func(tx *store.Tx) error {
			return tx.One([]any{&open}, `SELECT (SELECT COUNT(*) FROM payment WHERE state NOT IN ('approved', 'declined', 'failed', 'abandoned', 'wanted'))
				+ (SELECT COUNT(*) FROM payment_act WHERE state = 'open')`)
		})
		if err != nil {
			t.Fatalf("%d payments are unresolved a minute after the last start: %v", open, err)
		}
	}
}

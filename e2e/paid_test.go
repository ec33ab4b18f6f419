package e2e

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
)

var payments = flag.Int("payments", 25, "how many cards TestPaidOnce has charged, at least")

const (
	payLines = 6
	payPace  = 20
)

// TestPaidOnce has callers' cards charged, by Stripe's API and by ISO 8583, while flattoned, lines and providers are killed at random moments. In the end every payment
// is taken once in its provider's books, for the amount and by the reference that it was wanted for, and approved here; or it is neither. None is left open, the card
// that was kept for it is gone, and upstream was told once.
func TestPaidOnce(t *testing.T) {
	t.Parallel()
	till, bank := newProvider(t, byStripe, slow), newProvider(t, byISO, slow)
	cfg := box.Config{FirstRetry: 50 * time.Millisecond, MaxRetry: time.Second, Profile: "gateway = \"till\"",
		Tables: till.table("till") + bank.table("bank") + "\n[profile.hold]\ngateway = \"till\"\ncharge = \"authorise\"\n[profile.bank]\ngateway = \"bank\"\n"}
	// Public test numbers: what both providers approve, and what both decline.
	var cards []string
	for _, pan := range []string{"4242424242424242", "5555555555554444", "4000056655665556", "4000000000000002"} {
		cards = append(cards, dial(t, []byte(pan+"#1229#123#"), 2*time.Second))
	}
	for i := range payLines {
		l := box.Line{Name: fmt.Sprintf("line%d", i), Pace: payPace, Gap: 5 * time.Second, WaitArmed: true}
		for k := range 2 * *payments { // more than any line gets to
			l.Calls = append(l.Calls, cards[(i+k)%len(cards)])
		}
		cfg.Lines = append(cfg.Lines, l)
	}
	r := newRig(t, cfg)
	r.start(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	tellers := newTellers(r)
	killed := map[string]int{}
	starts := []time.Time{time.Now()}
	for len(r.told(control.PaymentReady)) < *payments {
		time.Sleep(time.Duration(50+random.IntN(1500)) * time.Millisecond)
		switch what := []string{"flattoned", "line", "line", "till", "bank"}[random.IntN(5)]; what {
		case "flattoned":
			r.Kill()
			r.restart(t)
			starts = append(starts, time.Now())
			killed[what]++
		case "line":
			if r.killLine(t, fmt.Sprintf("line%d", random.IntN(payLines))) {
				killed[what]++
			}
		default:
			p := map[string]*provider{"till": till, "bank": bank}[what]
			p.kill()
			time.Sleep(time.Duration(random.IntN(500)) * time.Millisecond)
			p.start(t)
			killed[what]++
		}
	}
	tellers.stop()
	last := time.Now()
	r.until(t, "every payment to end", func() bool {
		all, err := r.current().Payments(t.Context(), 1000)
		return err == nil && !slices.ContainsFunc(all, func(p control.Payment) bool { return !over(p.State) })
	})
	t.Logf("killed %v; after the last kill all payments have ended in %v", killed, time.Since(last).Round(time.Millisecond))
	r.settle(t)
	r.stop()
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	r.ears.Wait()
	for _, p := range []*provider{till, bank} {
		p.kill()
	}
	r.reconcile(t, till, bank, starts)
}

func over(state string) bool {
	return slices.Contains([]string{control.PaymentApproved, control.PaymentDeclined, control.PaymentFailed, control.PaymentAbandoned}, state)
}

// told are the payments that were told to be in a state.
func (r *rig) told(state string) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := map[string]bool{}
	for _, e := range r.events {
		if e.Kind == control.KindPayment && e.State == state {
			all[e.Payment] = true
		}
	}
	return all
}

// newTellers have cards charged, each for an amount of its own.
func newTellers(r *rig) *agents {
	n := 0
	return newAgents(r, func(ctx context.Context, client *control.Client, line string) {
		n++
		// 10.05 and the like are declined by the acquirer's simulator, and 10.00 not.
		client.Charge(ctx, line, []string{"", "hold", "bank", "bank"}[n%4],
			control.Charge{Amount: fmt.Sprintf("%d.%02d", n, []int{0, 0, 5}[n%3]), Reference: fmt.Sprintf("order-%d", n), Address: "1 Main St", Postcode: "12345"})
	})
}

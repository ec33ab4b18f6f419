package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/payment"
)

// tills is how the last payments found their providers.
type tills struct {
	board *health.Board
	mu    sync.Mutex
	away  map[string]bool      // by the gateway's name
	fails map[string]bool      // those that refused
	asked map[string]time.Time // by the payment's id: since when a provider has its card
}

func newTills(board *health.Board) *tills {
	return &tills{board: board, away: map[string]bool{}, fails: map[string]bool{}, asked: map[string]time.Time{}}
}

// reached notes whether there is a way to a provider, as somebody looked.
func (t *tills) reached(gateway string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if delete(t.away, gateway); err != nil {
		t.away[gateway] = true
	}
	t.show()
}

// saw notes how a payment, or what is done with one, found its provider: away, refusing, or there.
func (t *tills) saw(gateway string, state payment.State, reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case reason == payment.NotReached:
		t.away[gateway] = true
	case reason == payment.Refused:
		delete(t.away, gateway)
		t.fails[gateway] = true
	case state == payment.Approved, state == payment.Declined, state == payment.Done:
		delete(t.away, gateway)
		delete(t.fails, gateway)
	default:
		return
	}
	t.show()
}

// answered tells how long a provider took over a card, if he has just answered.
func (t *tills) answered(p payment.Payment) (took time.Duration, just bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.State == payment.Asked {
		t.asked[p.ID] = p.Changed
		return 0, false
	}
	since, asked := t.asked[p.ID]
	delete(t.asked, p.ID)
	return p.Changed.Sub(since), asked && (p.State == payment.Approved || p.State == payment.Declined)
}

// countPayment has the metrics know how a payment goes, and why.
func (d *Daemon) countPayment(p payment.Payment, why string) {
	if took, just := d.tills.answered(p); just {
		d.metrics.Answered(p.Gateway, took)
	}
	if p.State.Over() {
		d.metrics.Paid(p.Gateway, string(p.State), why)
	}
}

// show has the board say which they are.
func (t *tills) show() {
	for code, which := range map[health.Code]map[string]bool{health.GatewayAway: t.away, health.GatewayRefused: t.fails} {
		if len(which) == 0 {
			t.board.Clear(code, "")
		} else {
			t.board.Set(code, "", strings.Join(slices.Sorted(maps.Keys(which)), ", "))
		}
	}
}

// paymentVitals looks whether it isn't known of payments what became of them.
func (d *Daemon) paymentVitals(ctx context.Context) {
	switch n, err := d.payments.Doubts(ctx); {
	case err != nil: // the store's own condition says it
	case n == 0:
		d.health.Clear(health.PaymentsUnknown, "")
	default:
		d.health.Set(health.PaymentsUnknown, "", fmt.Sprintf("%d payments", n))
	}
}

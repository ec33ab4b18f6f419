package iso8583

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/secret"
)

// TestContract is the suite of every connector. It runs in real time, so the faults that only a time-out ends are left to [TestFaults] and [TestTheBooksAgree]; and a
// payment declined because an acquirer is busy is declined, so there is no such fault.
func TestContract(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			gatewaytest.Run(t, func(t testing.TB) gatewaytest.Rig {
				cfg := aConfig(form)
				cfg.BackOff, cfg.MaxWait = time.Millisecond, 5*time.Millisecond
				r, became := onLoopback(t, nil, cfg, Deps{})
				if err := <-became; err != nil {
					t.Fatal(err)
				}
				return gatewaytest.Rig{
					Connector: patient{r.c}, Provider: provider{r.bank}, CannotInquire: true, Partial: true, Approved: good,
					Stranger: func() gateway.Connector { return aStranger(t, form) }, Leave: r.leave,
					Declined: map[gateway.Class]string{gateway.Refusal: "4000000000000002", gateway.Funds: "4000000000009995", gateway.Stolen: "4000000000009987",
						gateway.Expired: "4000000000000069", gateway.BadCVV: "4000000000000127", gateway.Later: "4000000000000119"},
					Faults: []gatewaytest.Fault{gatewaytest.Unheard, gatewaytest.Silent, gatewaytest.Dropped, gatewaytest.Failing, gatewaytest.Oversized, gatewaytest.Twice, gatewaytest.Late},
				}
			})
		})
	}
}

// aStranger is a connector to an acquirer for whom nobody vouches, which has seen that.
func aStranger(t testing.TB, form message.Form) gateway.Connector {
	his, _ := identity(t, "acquirer")
	_, others := identity(t, "another")
	r, became := onLoopback(t, &tls.Config{Certificates: []tls.Certificate{his}}, secureConfig(form, others), Deps{})
	if <-became == nil {
		t.Error("it is ready")
	}
	return r.c
}

// leave has the acquirer be away.
func (r *rig) leave() {
	r.mu.Lock()
	r.unplug = errors.New("the acquirer has left")
	r.mu.Unlock()
	r.bank.HangUp()
}

// provider is the acquirer as the suite knows providers.
type provider struct{ *acquirer.Acquirer }

func (p provider) Break(f gatewaytest.Fault) <-chan struct{} {
	return p.Acquirer.Break(map[gatewaytest.Fault]acquirer.Fault{"": acquirer.None, gatewaytest.Unheard: acquirer.Unheard, gatewaytest.Silent: acquirer.Silent,
		gatewaytest.Dropped: acquirer.Closes, gatewaytest.Failing: acquirer.Codeless, gatewaytest.Oversized: acquirer.Oversized, gatewaytest.Twice: acquirer.Twice,
		gatewaytest.Late: acquirer.Queued}[f])
}

func (p provider) Books(o gateway.Order) gatewaytest.Books {
	e := p.Acquirer.Books()[numberOf(o.Key)]
	switch {
	case e.Code != "00":
		return gatewaytest.Books{}
	case e.Reversed:
		return gatewaytest.Books{Charges: 1}
	}
	return gatewaytest.Books{Charges: 1, Held: e.Authorised - e.Taken, Taken: e.Taken, Returned: e.Refunded}
}

// patient asks again while the acquirer is away, as who keeps the books does.
type patient struct{ *Connector }

func (p patient) verb(ctx context.Context, try func() (gateway.Answer, error)) (gateway.Answer, error) {
	for {
		a, err := try()
		if !errors.Is(err, errAway) || ctx.Err() != nil {
			return a, err
		}
		time.Sleep(time.Millisecond)
	}
}

func (p patient) Authorise(ctx context.Context, o gateway.Order, card *secret.Card, note func(string) error) (gateway.Answer, error) {
	return p.verb(ctx, func() (gateway.Answer, error) { return p.Connector.Authorise(ctx, o, card, note) })
}

func (p patient) Void(ctx context.Context, o gateway.Order, ref string) (gateway.Answer, error) {
	return p.verb(ctx, func() (gateway.Answer, error) { return p.Connector.Void(ctx, o, ref) })
}

func (p patient) Capture(ctx context.Context, o gateway.Order, ref string, minor int64) (gateway.Answer, error) {
	return p.verb(ctx, func() (gateway.Answer, error) { return p.Connector.Capture(ctx, o, ref, minor) })
}

func (p patient) Refund(ctx context.Context, o gateway.Order, ref, key string, minor int64) (gateway.Answer, error) {
	return p.verb(ctx, func() (gateway.Answer, error) { return p.Connector.Refund(ctx, o, ref, key, minor) })
}

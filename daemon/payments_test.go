package daemon

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
	"github.com/flattone/flattone/daemon/gateway/stripe/stripesim"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/payment"
	"github.com/flattone/flattone/daemon/wire"
)

// chargingHouse is a house whose profile shop is charged by a provider's simulator, over TLS.
func chargingHouse(t *testing.T) (*house, *stripesim.Sim) {
	t.Helper()
	sim, h := stripesim.New(t), newHouse(t)
	h.write("stripe.key", stripesim.Key, 0o600)
	h.write("ca.pem", string(sim.PEM()), 0o600)
	h.cfg.Gateways = map[string]config.Gateway{"till": {Currency: "EUR", Stripe: &config.Stripe{URL: sim.URL(), SecretFile: h.path("stripe.key"),
		TLS: config.TLS{CAFile: h.path("ca.pem")}, Timeout: 2 * time.Second}}}
	for i := range h.cfg.Lines {
		h.cfg.Lines[i].Profile = "card"
	}
	h.cfg.Profiles["card"] = config.Profile{Gateway: "till", Charge: config.Take, Offline: config.Refuse}
	return h, sim
}

// takesCard has a line's process take the card that it is armed for, and answers with what it is told of it.
func takesCard(t *testing.T, line *wire.Conn) <-chan wire.Message {
	t.Helper()
	told := make(chan wire.Message, 1)
	go func() {
		defer close(told)
		m, _, err := line.Receive()
		if arm, ok := m.(wire.Arm); ok && err == nil {
			err = errors.Join(line.Send(wire.State{State: control.StateKeying, Capture: arm.Capture}), line.Send(wire.Answer{ID: arm.ID}), line.SendCard(saidOf(arm.Capture), visaCard(t)))
		}
		if err == nil {
			m, _, err = line.Receive()
		}
		if err == nil {
			told <- m
		}
	}()
	return told
}

// charges has a card taken on the first line, to be charged: the line knows that it is stored.
func charges(t *testing.T, line *wire.Conn, client *control.Client, profile string, c control.Charge) control.Charging {
	t.Helper()
	told := takesCard(t, line)
	begun, err := client.Charge(t.Context(), "desk-1", profile, c)
	if err != nil {
		t.Fatal(err)
	}
	<-told
	return begun
}

// TestACardIsCharged: from the amount to approved, by a provider over TLS; the card that was kept for it alone is gone then.
func TestACardIsCharged(t *testing.T) {
	h, sim := chargingHouse(t)
	h.cfg.Metrics.Listen = "unix:" + h.path("run/metrics.sock")
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	told := takesCard(t, line)
	begun, err := client.Charge(t.Context(), "desk-1", "", control.Charge{Amount: "12.34", Reference: "order-7", Address: "1 High Street", Postcode: "12345"})
	if err != nil {
		t.Fatal(err)
	}
	if m := <-told; m == nil || m.(wire.Stored).Capture != begun.Capture {
		t.Fatalf("the line is told %+v", m)
	}
	e := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindPayment && e.State == control.PaymentApproved })
	matches := control.Checks{CVV: "match", Postcode: "match", Address: "match"}
	if e.Checks != matches || e.Payment != begun.Payment || e.Capture != begun.Capture || e.Line != "desk-1" {
		t.Errorf("told %+v", e)
	}
	p, err := client.Payment(t.Context(), begun.Payment)
	if err != nil || p.State != control.PaymentApproved || p.Taken != "12.34" || p.Amount != "12.34" || p.Currency != "EUR" || p.Reference != "order-7" || p.Gateway != "till" || p.Checks != matches {
		t.Errorf("%+v, %v", p, err)
	}
	if b := sim.Books(gateway.Order{Key: begun.Payment}); b.Taken != 1234 || b.Charges != 1 {
		t.Errorf("the provider's books have %+v", b)
	}
	if card, err := client.Card(t.Context(), p.Token); err != nil || card.Shredded.IsZero() || card.Why != "resolved" {
		t.Errorf("the card is %+v, %v", card, err)
	}
	if all, err := client.Payments(t.Context(), 10); err != nil || len(all) != 1 || !reflect.DeepEqual(all[0], p) {
		t.Errorf("the payments are %+v, %v", all, err)
	}
}

// TestTheOutcomeIsKnownAtOnce measures how long after a provider's answer has left him the outcome is durable, and told. The goal is 5 ms; ten times that is a fault.
func TestTheOutcomeIsKnownAtOnce(t *testing.T) {
	payments := 100
	if testing.Short() {
		payments = 10
	}
	h, sim := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	var took []time.Duration
	for n := range payments {
		begun := charges(t, line, client, "", control.Charge{Amount: fmt.Sprint(1 + n)})
		e := wait(t, events, func(e control.Event) bool {
			return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == control.PaymentApproved
		})
		took = append(took, e.Time.Sub(sim.Left()))
	}
	slices.Sort(took)
	p50, p99 := took[payments/2], took[payments*99/100]
	t.Logf("measured: from a provider's answer until it is durable and told: %v, %v at the 99th percentile", p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond))
	if p50 > 50*time.Millisecond {
		t.Errorf("half of the outcomes take longer than %v", p50)
	}
}

// TestWhatIsNotCharged is refused before the caller is asked for a card.
func TestWhatIsNotCharged(t *testing.T) {
	h, _ := chargingHouse(t)
	h.cfg.Profiles["stored"] = config.Profile{}
	d, _, _ := h.run()
	_, _, client := h.serves(d)
	for name, c := range map[string]struct {
		line, profile string
		control.Charge
		code string
	}{
		"no amount":                {"desk-1", "", control.Charge{}, control.CodeNotCharged},
		"a comma":                  {"desk-1", "", control.Charge{Amount: "12,34"}, control.CodeNotCharged},
		"too many digits":          {"desk-1", "", control.Charge{Amount: "12.345"}, control.CodeNotCharged},
		"another currency's":       {"desk-1", "", control.Charge{Amount: "12.34", Currency: "JPY"}, control.CodeNotCharged},
		"a card as its reference":  {"desk-1", "", control.Charge{Amount: "12.34", Reference: "4242424242424242"}, control.CodeNotCharged},
		"a profile without one":    {"desk-1", "stored", control.Charge{Amount: "12.34"}, control.CodeNotCharged},
		"a profile that isn't one": {"desk-1", "nosuch", control.Charge{Amount: "12.34"}, control.CodeUnknownProfile},
		"a line that isn't one":    {"desk-9", "", control.Charge{Amount: "12.34"}, control.CodeUnknownLine},
		"a line that is down":      {"desk-2", "", control.Charge{Amount: "12.34"}, control.CodeLineDown},
	} {
		_, err := client.Charge(t.Context(), c.line, c.profile, c.Charge)
		var e *control.Error
		if !errors.As(err, &e) || e.Code != c.code || strings.Contains(e.Error(), "4242424242424242") {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e *control.Error
	if _, err := client.Arm(t.Context(), "desk-1", ""); !errors.As(err, &e) || e.Code != control.CodeNotCharged {
		t.Errorf("a line whose cards are charged was armed without an amount: %v", err)
	}
	all, err := client.Payments(t.Context(), 10)
	if err != nil || len(all) != 1 || all[0].State != control.PaymentAbandoned {
		t.Errorf("the payments are %+v, %v; want that of the line that is down, given up", all, err)
	}
	if _, err := client.Payment(t.Context(), "4242424242424242"); err == nil || strings.Contains(err.Error(), "4242424242424242") {
		t.Errorf("a card in a payment's place: %v", err)
	}
}

// TestNoAnswerFromTheProvider: what he took is found out, and told; the card isn't sent twice.
func TestNoAnswerFromTheProvider(t *testing.T) {
	h, sim := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	sim.Break(gatewaytest.Dropped)
	begun := charges(t, line, client, "", control.Charge{Amount: "5"})
	for _, state := range []string{control.PaymentWanted, control.PaymentReady, control.PaymentAsked, control.PaymentUnknown, control.PaymentApproved} {
		wait(t, events, func(e control.Event) bool {
			return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == state
		})
	}
	if b := sim.Books(gateway.Order{Key: begun.Payment}); b.Taken != 500 || b.Charges != 1 {
		t.Errorf("the provider's books have %+v", b)
	}
}

// TestAProviderIsAway: nothing is charged, and the box says so until a payment has found him.
func TestAProviderIsAway(t *testing.T) {
	h, sim := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	for _, c := range []struct {
		fault  gatewaytest.Fault
		state  string
		reason string
	}{{gatewaytest.Busy, control.PaymentFailed, "gateway_away"}, {"", control.PaymentApproved, ""}} {
		if c.fault != "" {
			sim.BreakAt("/v1/payment_intents", c.fault)
		}
		begun := charges(t, line, client, "", control.Charge{Amount: "5"})
		e := wait(t, events, func(e control.Event) bool {
			return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == c.state
		})
		_, stands := stands(d, health.GatewayAway)
		if e.Reason != c.reason || stands != (c.reason != "") {
			t.Errorf("told %+v, and the condition stands: %v", e, stands)
		}
	}
}

// TestAwayBeforeTheCallerKeys: nobody is asked for a card that can't be charged; or the agent knows before that it is charged later.
func TestAwayBeforeTheCallerKeys(t *testing.T) {
	h, sim := chargingHouse(t)
	h.cfg.Profiles["later"] = config.Profile{Gateway: "till", Charge: config.Take, Offline: config.ChargeLater} // a file wants keep = "once", which wants a root off the disk
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	sim.Leave()
	var e *control.Error
	if _, err := client.Charge(t.Context(), "desk-1", "", control.Charge{Amount: "5"}); !errors.As(err, &e) || e.Code != control.CodeGatewayAway || e.Remedy == "" || !strings.Contains(e.Text, "till") {
		t.Errorf("%v", err)
	}
	if all, err := client.Payments(t.Context(), 10); err != nil || len(all) != 0 {
		t.Errorf("the payments are %+v, %v", all, err)
	}
	if c, is := stands(d, health.GatewayAway); !is || c != "till" {
		t.Errorf("the condition is %+v, %v", c, is)
	}
	told := takesCard(t, line)
	begun, err := client.Charge(t.Context(), "desk-1", "later", control.Charge{Amount: "5"})
	if err != nil || !begun.Later {
		t.Fatalf("%+v, %v", begun, err)
	}
	<-told
	first := wait(t, events, func(e control.Event) bool { return e.Kind == control.KindPayment })
	if first.Payment != begun.Payment || first.State != control.PaymentWanted || first.Reason != payment.NotReached {
		t.Errorf("told first %+v", first)
	}
	wait(t, events, func(e control.Event) bool {
		return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == control.PaymentWaiting
	})
}

// TestTwoCardsForOneAmount: the second card pays what the first has left, and the bill is shown.
func TestTwoCardsForOneAmount(t *testing.T) {
	h, sim := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	charge := func(c control.Charge) string {
		begun := charges(t, line, client, "", c)
		wait(t, events, func(e control.Event) bool {
			return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == control.PaymentApproved
		})
		return begun.Payment
	}
	first := charge(control.Charge{Amount: "60", Total: "100"})
	if p, err := client.Payment(t.Context(), first); err != nil || p.Bill != first || p.Total != "100.00" || p.Paid != "60.00" || p.Left != "40.00" {
		t.Errorf("%+v, %v", p, err)
	}
	for name, c := range map[string]control.Charge{
		"more than is left":  {Amount: "40.01", Bill: first},
		"another currency":   {Amount: "40", Currency: "USD", Bill: first},
		"no total's number":  {Amount: "40", Total: "all"},
		"less than its part": {Amount: "40", Total: "39"},
	} {
		var e *control.Error
		if _, err := client.Charge(t.Context(), "desk-1", "", c); !errors.As(err, &e) || e.Code != control.CodeNotCharged {
			t.Errorf("%s: %v", name, err)
		}
	}
	var e *control.Error
	if _, err := client.Charge(t.Context(), "desk-1", "", control.Charge{Bill: "pay_nosuch"}); !errors.As(err, &e) || e.Code != control.CodeUnknownPayment {
		t.Errorf("no such bill: %v", err)
	}
	last := charge(control.Charge{Bill: first})
	if p, err := client.Payment(t.Context(), last); err != nil || p.Bill != first || p.Amount != "40.00" || p.Paid != "100.00" || p.Left != "0.00" {
		t.Errorf("%+v, %v", p, err)
	}
	if b := sim.Books(gateway.Order{Key: last}); b.Taken != 4000 {
		t.Errorf("the provider's books have %+v", b)
	}
}

// TestADuplicateIsHeld: whoever follows the feed knows that a card comes again, and says whether it is charged.
func TestADuplicateIsHeld(t *testing.T) {
	h, sim := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	charge := func(state string) control.Event {
		begun := charges(t, line, client, "", control.Charge{Amount: "5"})
		return wait(t, events, func(e control.Event) bool {
			return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == state
		})
	}
	charge(control.PaymentApproved)
	held := charge(control.PaymentHeld)
	if held.Reason != payment.Duplicate || sim.Books(gateway.Order{Key: held.Payment}).Charges != 0 {
		t.Errorf("told %+v", held)
	}
	if p, err := client.Cancel(t.Context(), held.Payment); err != nil || p.State != control.PaymentFailed || p.Reason != payment.Duplicate {
		t.Errorf("cancelled: %+v, %v", p, err)
	}
	held = charge(control.PaymentHeld)
	if p, err := client.Confirm(t.Context(), held.Payment); err != nil || p.State == control.PaymentHeld {
		t.Errorf("confirmed: %+v, %v", p, err)
	}
	wait(t, events, func(e control.Event) bool {
		return e.Kind == control.KindPayment && e.Payment == held.Payment && e.State == control.PaymentApproved
	})
	if b := sim.Books(gateway.Order{Key: held.Payment}); b.Taken != 500 || b.Charges != 1 {
		t.Errorf("the provider's books have %+v", b)
	}
	var e *control.Error
	if _, err := client.Confirm(t.Context(), held.Payment); !errors.As(err, &e) || e.Code != control.CodeWrongState {
		t.Errorf("confirmed twice: %v", err)
	}
	if _, err := client.Cancel(t.Context(), "pay_nosuch"); !errors.As(err, &e) || e.Code != control.CodeUnknownPayment {
		t.Errorf("no such payment: %v", err)
	}
}

// TestThereAgain: that a provider is back is known as soon as somebody looks.
func TestThereAgain(t *testing.T) {
	h, _ := chargingHouse(t)
	d, _, _ := h.run()
	_, _, client := h.serves(d)
	d.tills.reached("till", errors.New("no way"))
	if _, is := stands(d, health.GatewayAway); !is {
		t.Error("the box doesn't say that the provider is away")
	}
	if _, err := client.Charge(t.Context(), "desk-2", "", control.Charge{Amount: "5"}); err == nil {
		t.Error("a line that is down was armed")
	}
	if _, is := stands(d, health.GatewayAway); is {
		t.Error("the box still says that the provider is away")
	}
}

// TestNoCardNoCharge: a capture that ends without a card ends its payment.
func TestNoCardNoCharge(t *testing.T) {
	h, _ := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	go func() {
		m, _, _ := line.Receive()
		if arm, ok := m.(wire.Arm); ok {
			errors.Join(line.Send(wire.State{State: control.StateArmed, Capture: arm.Capture}), line.Send(wire.Answer{ID: arm.ID}),
				line.Send(wire.State{State: control.StateVoid, Capture: arm.Capture, Reason: "call_ended"}))
		}
	}()
	begun, err := client.Charge(t.Context(), "desk-1", "", control.Charge{Amount: "5"})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, events, func(e control.Event) bool {
		return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == control.PaymentAbandoned
	})
}

// TestALineIsKilled: a payment whose capture is gone without a word ends, and not before its line has had the time to come back.
func TestALineIsKilled(t *testing.T) {
	h, _ := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	go func() {
		m, _, _ := line.Receive()
		if arm, ok := m.(wire.Arm); ok {
			errors.Join(line.Send(wire.State{State: control.StateKeying, Capture: arm.Capture}), line.Send(wire.Answer{ID: arm.ID}))
		}
	}()
	begun, err := client.Charge(t.Context(), "desk-1", "", control.Charge{Amount: "5"})
	if err != nil {
		t.Fatal(err)
	}
	begins := time.Now()
	if missed := d.lookForlorn(t.Context(), nil, begins); len(missed) != 0 {
		t.Fatalf("a line that is armed is missed: %v", missed)
	}
	line.Close()
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindLineDown })
	missed := d.lookForlorn(t.Context(), nil, begins)
	missed = d.lookForlorn(t.Context(), missed, begins.Add(forlornAfter-time.Second))
	if p, err := client.Payment(t.Context(), begun.Payment); err != nil || p.State != control.PaymentWanted || len(missed) != 1 {
		t.Fatalf("before its time it is %+v, %v", p, err)
	}
	d.lookForlorn(t.Context(), missed, begins.Add(forlornAfter))
	wait(t, events, func(e control.Event) bool {
		return e.Kind == control.KindPayment && e.Payment == begun.Payment && e.State == control.PaymentAbandoned
	})
	if missed = d.lookForlorn(t.Context(), missed, begins.Add(time.Hour)); len(missed) != 0 {
		t.Errorf("an ended payment is missed: %v", missed)
	}
}

// TestMoneyIsGivenBack by a technician, some of it and not more than there is; the admin socket and the provider have the same books.
func TestMoneyIsGivenBack(t *testing.T) {
	h, sim := chargingHouse(t)
	d, _, _ := h.run()
	events, line, client := h.serves(d)
	begun := charges(t, line, client, "", control.Charge{Amount: "12.34"})
	var e *control.Error
	wait(t, events, func(e control.Event) bool { return e.Kind == control.KindPayment && e.State == control.PaymentApproved })
	act, err := client.Act(t.Context(), begun.Payment, "refund", "0.34")
	if err != nil || act.State != control.ActOpen || act.Amount != "0.34" {
		t.Fatalf("%+v, %v", act, err)
	}
	wait(t, events, func(e control.Event) bool {
		return e.Kind == control.KindAct && e.Act == act.ID && e.State == control.ActDone && e.Payment == begun.Payment
	})
	p, err := client.Payment(t.Context(), begun.Payment)
	if err != nil || p.Taken != "12.34" || p.Refunded != "0.34" || p.Voided || len(p.Acts) != 1 || p.Acts[0].State != control.ActDone {
		t.Errorf("%+v, %v", p, err)
	}
	if b := sim.Books(gateway.Order{Key: begun.Payment}); b.Taken != 1234 || b.Returned != 34 {
		t.Errorf("the provider's books have %+v", b)
	}
	for name, bad := range map[string][2]string{"more than is left": {"refund", "12.01"}, "a void after a refund": {"void", ""},
		"an amount in letters": {"refund", "one"}, "a capture of a sale": {"capture", ""}} {
		if _, err := client.Act(t.Context(), begun.Payment, bad[0], bad[1]); !errors.As(err, &e) || e.Code != control.CodeNotCharged {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := client.Act(t.Context(), "4242424242424242", "refund", ""); !errors.As(err, &e) || e.Code != control.CodeUnknownPayment || strings.Contains(err.Error(), "4242424242424242") {
		t.Errorf("a card in a payment's place: %v", err)
	}
}

// TestAnAcquirerIsAway: that his connection is lost, or can't be made, is said before anybody is to be charged; and when it is there.
func TestAnAcquirerIsAway(t *testing.T) {
	h, _ := chargingHouse(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h.cfg.Gateways["bank"] = config.Gateway{Currency: "EUR", ISO8583: &config.ISO8583{Address: l.Addr().String(), Plain: true, Variant: config.BCD, TPDU: "6000030000", Terminal: "FLAT0001",
		Merchant: "000000000123456", MerchantCategory: "5969", Echo: time.Minute, Timeout: 5 * time.Second}}
	d, _, _ := h.run()
	bank := acquirer.New(message.Form{Packed: true, TPDU: "\x60\x00\x00\x00\x03"}, nil)
	defer bank.Close()
	is := func(away bool) {
		t.Helper()
		until(t, fmt.Sprintf("gateway_away to stand: %v", away), func() bool {
			detail, stands := stands(d, health.GatewayAway)
			return stands == away && (!away || detail == "bank")
		})
	}
	if conn, err := l.Accept(); err == nil { // he hangs up on the first
		conn.Close()
	}
	is(true)
	go bank.Serve(l)
	is(false)
	l.Close()
	bank.HangUp()
	is(true)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/flattone/flattone/daemon/control"
)

// chargeCommand arms a line for a card that is charged.
func (t *tool) chargeCommand() *cobra.Command {
	var profile string
	var what control.Charge
	var wait bool
	c := t.withJSON(&cobra.Command{
		Use: "charge LINE", Short: "ready a line for a card, and charge it", Long: wordsChargeLong, Args: one("the name of a line"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				begun, err := box.Charge(c.Context(), args[0], profile, what)
				if err != nil {
					return err
				}
				return t.charged(c.Context(), box, args[0], begun, wait)
			})
		},
	})
	f := c.Flags()
	f.StringVar(&what.Amount, "amount", "", "how much, such as 12.34")
	f.StringVar(&what.Total, "total", "", "of a bill of how much this card pays a part")
	f.StringVar(&what.Bill, "bill", "", "a payment of a bill, of which this card pays the rest")
	f.StringVar(&what.Currency, "currency", "", "of which currency, ISO 4217; the gateway's own without it")
	f.StringVar(&what.Reference, "reference", "", "your word for the payment: an order's number, say")
	f.StringVar(&what.Address, "address", "", "the first line of the card holder's address, to be compared")
	f.StringVar(&what.Postcode, "postcode", "", "his postcode, to be compared")
	f.BoolVar(&what.Consent, "consent", false, "the holder agrees to be charged again without a call")
	f.StringVar(&profile, "profile", "", "what the caller is asked for, if not the line's own profile")
	f.BoolVar(&wait, "wait", false, "wait until it is known what became of the payment")
	c.MarkFlagsOneRequired("amount", "bill")
	c.MarkFlagsMutuallyExclusive("total", "bill")
	return c
}

// charged tells of a payment that has begun, and if that is wanted of its end.
func (t *tool) charged(ctx context.Context, box *control.Client, line string, begun control.Charging, wait bool) error {
	if !wait || !t.json {
		begin := func(w io.Writer, c control.Charging) {
			printArmed(w, armed{Line: line, Capture: c.Capture})
			fmt.Fprintf(w, "payment %s\n", clean(c.Payment))
			if c.Later {
				fmt.Fprintln(w, wordsChargedLater)
			}
		}
		if !wait {
			return show(t, begun, begin)
		}
		begin(t.out, begun)
	}
	if err := t.awaitPayment(ctx, box, line, begun); err != nil {
		return err
	}
	p, err := box.Payment(ctx, begun.Payment)
	if err != nil {
		return err
	}
	if err := show(t, p, printPayment); err != nil || p.State == control.PaymentApproved {
		return err
	}
	return fail(exitNotPaid, "", "the payment on line %s is %s", line, paid(p.State, p.Reason))
}

// awaitPayment waits until it is known what became of a payment. Where somebody has to say a word for that, it says so.
func (t *tool) awaitPayment(ctx context.Context, box *control.Client, line string, begun control.Charging) error {
	remedy, held := "flattone payment show "+begun.Payment+" says how it stands; flattone disarm "+line+" gives it up while there is no card", false
	return awaitOver(ctx, box, remedy, func(e control.Event) bool {
		return e.Kind == control.KindPayment && e.Payment == begun.Payment && (overFor(e.State) || e.State == control.PaymentHeld)
	}, func(ctx context.Context) bool {
		p, err := box.Payment(ctx, begun.Payment)
		if err == nil && p.State == control.PaymentHeld && !held {
			held = true
			fmt.Fprintf(t.errs, "payment %s: %s\n", clean(begun.Payment), paid(p.State, ""))
		}
		return err == nil && overFor(p.State)
	})
}

// awaitOver watches until an event says that something may be over, and look finds it so. It looks at the beginning, too: it may have ended before the
// watch began.
func awaitOver(ctx context.Context, box *control.Client, remedy string, over func(control.Event) bool, look func(context.Context) bool) error {
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	is := errors.New("over")
	err := box.Watch(watching, func(e control.Event) {
		if (e.Replay || over(e)) && look(ctx) {
			stop(is)
		}
	})
	switch {
	case errors.Is(context.Cause(watching), is):
		return nil
	case err != nil:
		return err
	}
	return fail(exitNotYet, remedy, "stopped waiting")
}

// overFor reports that a payment's state is its last.
func overFor(state string) bool {
	switch state {
	case control.PaymentApproved, control.PaymentDeclined, control.PaymentFailed, control.PaymentAbandoned:
		return true
	}
	return false
}

// paymentCommand has what is about payments that have begun.
func (t *tool) paymentCommand() *cobra.Command {
	parent := &cobra.Command{Use: "payment", Short: "see what became of payments, and change it", Long: wordsPaymentLong, Args: none,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	parent.AddCommand(list(t, "list", "the newest payments", wordsPaymentLong, (*control.Client).Payments, printPayments),
		t.onPayment("show", "say what became of a payment", wordsPaymentLong, (*control.Client).Payment),
		t.onPayment("confirm", "charge a card that is held as a duplicate", wordsConfirmLong, (*control.Client).Confirm),
		t.onPayment("cancel", "don't charge a card that is held as a duplicate", wordsConfirmLong, (*control.Client).Cancel))
	parent.AddCommand(t.actCommands()...)
	return parent
}

// onPayment is a verb about one payment, which it shows as it is then.
func (t *tool) onPayment(verb, short, long string, ask func(*control.Client, context.Context, string) (control.Payment, error)) *cobra.Command {
	return t.withJSON(&cobra.Command{
		Use: verb + " PAYMENT", Short: short, Long: long, Args: one("a payment"),
		RunE: func(c *cobra.Command, args []string) error {
			return t.ask(func(box *control.Client) error {
				p, err := ask(box, c.Context(), args[0])
				if err != nil {
					return err
				}
				return show(t, p, printPayment)
			})
		},
	})
}

func printPayments(w io.Writer, all []control.Payment) {
	if len(all) == 0 {
		fmt.Fprintln(w, "no payment yet")
		return
	}
	table(w, []string{"AMOUNT", "STATE", "LINE", "SINCE"}, all, func(p control.Payment) (row []string, below string) {
		return []string{p.Amount + " " + p.Currency, p.State, p.Line, moment(p.Created)}, strings.Join(words(p.ID, p.Reference, p.Reason), ", ")
	})
}

func printPayment(w io.Writer, p control.Payment) {
	fmt.Fprintf(w, "%s: %s %s, %s\n", clean(p.ID), clean(p.Amount), clean(p.Currency), paid(p.State, p.Reason))
	for _, f := range []struct{ name, value string }{
		{"line", p.Line}, {"gateway", p.Gateway}, {"reference", p.Reference}, {"token", p.Token}, {"authorisation", p.Auth}, {"provider's code", p.Code}, {"compared", compared(p)}, {"bill", billed(p)}, {"taken", p.Taken}, {"refunded", p.Refunded}, {"since", moment(p.Created)}, {"changed", moment(p.Changed)},
	} {
		if f.value != "" {
			fmt.Fprintf(w, "  %-15s %s\n", f.name, clean(f.value))
		}
	}
	for _, a := range p.Acts {
		fmt.Fprintf(w, "  %s  %s %s, by %s\n", moment(a.Changed), ofHowMuch(a), acted(a.State, a.Reason), clean(a.By))
	}
}

// billed says how the bill stands that a payment is of.
func billed(p control.Payment) string {
	if p.Bill == "" {
		return ""
	}
	says := fmt.Sprintf("%s %s", p.Total, p.Currency)
	if p.Left != "" {
		says += fmt.Sprintf(", %s paid, %s left", p.Paid, p.Left)
	}
	if p.Bill != p.ID {
		says += ", begun by " + p.Bill
	}
	return says
}

// compared says what the issuer found of what was keyed and typed, once he was asked.
func compared(p control.Payment) string {
	if p.State != control.PaymentApproved && p.State != control.PaymentDeclined {
		return ""
	}
	var all []string
	for _, c := range []struct{ what, is string }{{"security code", p.CVV}, {"postcode", p.Postcode}, {"address", p.Address}} {
		says, known := checks[c.is]
		if !known {
			says = clean(c.is)
		}
		all = append(all, c.what+" "+says)
	}
	return strings.Join(all, ", ")
}

// doesNotMatch names what an issuer has otherwise, for who follows a payment.
func doesNotMatch(c control.Checks) (says string) {
	for _, f := range []struct{ what, is string }{{"security code", c.CVV}, {"postcode", c.Postcode}, {"address", c.Address}} {
		if f.is == "mismatch" {
			says += ", the " + f.what + " doesn't match"
		}
	}
	return says
}

// checks are what the results of comparing are called.
var checks = map[string]string{"": "not checked", "match": "matches", "mismatch": "doesn't match", "unknown": "not known to the issuer"}

// paid says how a payment stands.
func paid(state, why string) string {
	says, known := paymentStates[state]
	if !known {
		says = clean(state)
	}
	switch {
	case why == "", state == control.PaymentHeld: // whose words say why
		return says
	case state == control.PaymentWanted: // the provider is away, and that is no fault yet
		return says + ": " + wordsChargedLater
	}
	return says + ": " + reason(why)
}

// paymentStates are what the states of payments are called.
var paymentStates = map[string]string{
	control.PaymentWanted:    "waiting for the card",
	control.PaymentReady:     "there is a card",
	control.PaymentHeld:      "held: " + wordsDuplicate,
	control.PaymentWaiting:   "to be charged later",
	control.PaymentAsked:     "the provider is asked",
	control.PaymentUnknown:   "not known yet: the provider is asked what became of it; don't take the card again",
	control.PaymentApproved:  "approved",
	control.PaymentDeclined:  "declined",
	control.PaymentFailed:    "not charged",
	control.PaymentAbandoned: "given up, without a card",
}

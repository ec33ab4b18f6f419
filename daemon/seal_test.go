package daemon

import (
	"context"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/wire"
)

const aCapture = "cap_aaaaaaaaaaaaaaaaaaaaaaaa27"

// drain are the events so far.
func drain(events <-chan control.Event) (all []control.Event) {
	for range len(events) {
		all = append(all, <-events)
	}
	return all
}

func TestCardThatComesAgainGetsItsTokenAgain(t *testing.T) {
	h := newHouse(t)
	d := h.daemon()
	events := d.feed.Subscribe(t.Context())
	first, ok := d.seal(t.Context(), "desk-1", saidOf(aCapture), visaCard(t)).(wire.Stored)
	if !ok || first.Capture != aCapture || !strings.HasPrefix(first.Token, "tok_") {
		t.Fatalf("the card is answered with %+v", first)
	}
	told := drain(events)
	if len(told) != 2 || told[0].Kind != control.KindToken || told[1].Kind != control.KindDelivery || told[1].Delivery != control.DeliveryPending {
		t.Fatalf("the feed tells %+v", told)
	}
	for _, e := range told {
		if e.Token != first.Token || e.Capture != aCapture || e.Line != "desk-1" {
			t.Errorf("the feed tells %+v", e)
		}
	}
	if again := d.seal(t.Context(), "desk-1", saidOf(aCapture), visaCard(t)); again != wire.Message(first) {
		t.Error("the same card gets another token")
	}
	if told := drain(events); len(told) != 1 || told[0].Kind != control.KindToken || told[0].Token != first.Token {
		t.Errorf("the second time the feed tells %+v", told)
	}
	if n, err := d.outbox.Pending(t.Context()); n != 1 || err != nil {
		t.Errorf("upstream will be told %d times (%v)", n, err)
	}
	tokens, err := d.backend.Tokens(t.Context(), 10)
	if err != nil || len(tokens) != 1 || tokens[0].Token != first.Token || tokens[0].Capture != aCapture || tokens[0].Line != "desk-1" ||
		tokens[0].Brand != "visa" || tokens[0].Last4 != "4242" || tokens[0].ExpiryMonth != 11 || tokens[0].ExpiryYear != 2031 {
		t.Errorf("the vault lists %+v (%v)", tokens, err)
	}
	if strings.Contains(h.log.String(), visa[:8]) {
		t.Error("the log has digits of the card")
	}
}

// The security code is wiped before the card waits for anything.
func TestNoCodeWaitsForTheVault(t *testing.T) {
	d := newHouse(t).daemon()
	card := visaCard(t)
	for _, digit := range []byte("123") {
		if err := card.CVV.Append(digit); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.store.Close(); err != nil {
		t.Fatal(err)
	}
	d.seal(t.Context(), "desk-1", saidOf(aCapture), card)
	if card.CVV.Len() != 0 || card.PAN.Len() == 0 {
		t.Error("the code is still there, or the card isn't, which comes again")
	}
}

func TestCardThatIsNotSealed(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*Daemon, *wire.Card) context.Context // before the card comes
		want  wire.NotStored
	}{
		"not a card": {func(_ *Daemon, say *wire.Card) context.Context { say.Last4 = "1111"; return nil },
			wire.NotStored{Capture: aCapture, Reason: "card_refused", Final: true}},
		"a number for an id": {func(_ *Daemon, say *wire.Card) context.Context { say.Capture = visa; return nil },
			wire.NotStored{Capture: visa, Reason: "card_refused", Final: true}},
		"an id that was used": {func(d *Daemon, say *wire.Card) context.Context {
			if _, ok := d.seal(t.Context(), "desk-2", *say, visaCard(t)).(wire.Stored); !ok {
				t.Error("the first card was not sealed")
			}
			return nil
		}, wire.NotStored{Capture: aCapture, Reason: "card_refused", Final: true}},
		"flattoned stops": {func(*Daemon, *wire.Card) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		}, wire.NotStored{Capture: aCapture, Reason: "stopping"}},
		"the store fails": {func(d *Daemon, _ *wire.Card) context.Context { d.store.Close(); return nil },
			wire.NotStored{Capture: aCapture, Reason: "vault_failed"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			d := h.daemon()
			say := saidOf(aCapture)
			ctx := test.spoil(d, &say)
			if ctx == nil {
				ctx = t.Context()
			}
			events := d.feed.Subscribe(t.Context())
			replayed := len(events)
			if got := d.seal(ctx, "desk-1", say, visaCard(t)); got != wire.Message(test.want) {
				t.Errorf("answered with %+v, want %+v", got, test.want)
			}
			for range replayed {
				<-events
			}
			// Only of a card that waits: the agent must know not to let the caller go.
			told, waits := drain(events), test.want.Reason == reasonStore
			if waits != (len(told) == 1 && told[0].Kind == control.KindWarning && told[0].Code == "vault_failed" && told[0].Line == "desk-1" && told[0].Capture == aCapture) ||
				!waits && len(told) != 0 {
				t.Errorf("the feed tells %+v", told)
			}
			log := h.log.String()
			if !strings.Contains(log, "not sealed") || strings.Contains(log, visa[:8]) {
				t.Error("the log doesn't say why, or it says too much")
			}
		})
	}
}

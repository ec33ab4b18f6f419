package iso8583

import (
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// TestWhatACardIsSentAs: keyed by telephone, or stored; with the address that is to be compared, as far as there is one.
func TestWhatACardIsSentAs(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*gateway.Order)
		want   map[int]string
	}{
		"keyed":   {func(*gateway.Order) {}, map[int]string{22: "012", 25: "08", 48: "9203123", 120: ""}},
		"stored":  {func(o *gateway.Order) { o.Stored = &gateway.Stored{NetworkID: "MCC01"} }, map[int]string{22: "102", 25: "08", 48: "6305MCC019203123", 120: ""}},
		"address": {func(o *gateway.Order) { o.Address = gateway.Address{Line: "1 Main St", Postcode: "AB1 2CD"} }, map[int]string{48: "820252" + "9203123", 120: "0107AB1 2CD02091 Main St"}},
		"only a postcode, too long and with what the field can't have": {func(o *gateway.Order) { o.Address.Postcode = "é12345-678901" },
			map[int]string{48: "8202529203123", 120: "011012345-6789"}},
		"charged late: there is no word for it": {func(o *gateway.Order) { o.Deferred = true }, map[int]string{22: "012", 25: "08", 48: "9203123"}},
	} {
		connector, err := New(aConfig(message.Form{}), Deps{})
		if err != nil {
			t.Fatal(err)
		}
		o := anOrder("pay_a", 1234)
		c.change(&o)
		q, err := connector.payment(ref{"0200", trace{"000001", time.Now().Format("0102150405")}, numberOf(o.Key), ""}, o, aCard(t, good, "1229", "123"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := message.Form{}.Body(q.frame[message.LengthBytes:])
		if err != nil {
			t.Fatal(err)
		}
		m, err := message.Decode(message.Form{}, body)
		if err != nil {
			t.Fatal(err)
		}
		for field, want := range c.want {
			got := m.Text(field)
			if field == 48 { // it may have the CVV
				text := make([]byte, 100)
				got = string(text[:m.CopySecret(text, 48)])
			}
			if got != want {
				t.Errorf("%s: field %d is %q, want %q", name, field, got, want)
			}
		}
		q.wipe()
	}
}

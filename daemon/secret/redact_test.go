package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/secret"
)

// held is every way in which a careless programmer could hold a card. It is made once, so that the addresses
// in it stay the same while the digits change.
func held(c *secret.Card) map[string]any {
	type nested struct {
		card   *secret.Card
		value  secret.Card
		text   secret.Text
		list   []*secret.Text
		byName map[string]secret.Text
	}
	type exported struct {
		Card *secret.Card
		Text *secret.Text
	}
	return map[string]any{
		"card": c, "card value": *c, "text": c.PAN, "text value": *c.PAN, "cvv": c.CVV,
		"list": []*secret.Text{c.PAN, c.CVV.Text}, "map": map[string]*secret.Text{"pan": c.PAN},
		"exported": exported{c, c.CVV.Text},
		"nested":   nested{c, *c, *c.PAN, []*secret.Text{c.PAN, c.CVV.Text}, map[string]secret.Text{"cvv": *c.CVV.Text}},
		"error":    fmt.Errorf("store: %w", carrier{c}),
		"joined":   errors.Join(io.EOF, carrier{c}),
	}
}

// shown is all that can be printed of values: under each verb and flag, by each logger and encoder.
func shown(values map[string]any) map[string]string {
	out := map[string]string{}
	for name, v := range values {
		for _, flags := range []string{"", "+", "#", "08.3", "-40", " ", "+#"} {
			for _, verb := range "vsqdxXobcUteEfgGTp" {
				format := "%" + flags + string(verb)
				out[name+" "+format] = fmt.Sprintf(format, v)
			}
		}
		j, _ := json.Marshal(v)
		out[name+" json"] = string(j)
		x, _ := xml.Marshal(v)
		out[name+" xml"] = string(x)
		var b strings.Builder
		noTime := &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}
		slog.New(slog.NewTextHandler(&b, noTime)).Info("card", "card", v, slog.Group("in", "it", v))
		slog.New(slog.NewJSONHandler(&b, noTime)).With("with", v).Info("card", "card", v)
		out[name+" slog"] = b.String()
	}
	return out
}

// carrier is an error that carries a card, as a careless error would.
type carrier struct{ card *secret.Card }

func (c carrier) Error() string {
	return fmt.Sprintf("can't store %v (%+v)", c.card, struct{ c *secret.Card }{c.card})
}

// The same card object with other digits must show the very same: whatever is printed (an address, a
// redaction, a type) then says nothing about the content.
func TestNothingShownDependsOnTheDigits(t *testing.T) {
	c := newCard(t, "", "", "")
	values := held(c)
	empty := shown(values)
	fill(c.PAN, "4242424242424242")
	fill(c.Expiry, "1229")
	fill(c.CVV.Text, "123")
	visa := shown(values)
	c.Clear()
	fill(c.PAN, "378282246310005")
	fill(c.Expiry, "012031")
	fill(c.CVV.Text, "1234")
	amex := shown(values)
	for way := range empty {
		if visa[way] != empty[way] || amex[way] != visa[way] {
			t.Errorf("%s tells cards apart", way)
		}
	}
}

func TestWhatIsShownIsARedaction(t *testing.T) {
	c := newCard(t, "4242424242424242", "1229", "123")
	for _, v := range []any{c, *c, c.PAN, *c.PAN} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if got := fmt.Sprintf(verb, v); got != secret.Redacted {
				t.Errorf("%T under %s does not show the redaction", v, verb)
			}
		}
		if j, err := json.Marshal(v); err != nil || string(j) != `"`+secret.Redacted+`"` {
			t.Errorf("%T in JSON is not the redaction: %v", v, err)
		}
	}
	if c.String() != secret.Redacted || c.PAN.String() != secret.Redacted {
		t.Error("String does not redact")
	}
	type request struct{ Card *secret.Card }
	if j, err := json.Marshal(request{c}); err != nil || string(j) != `{"Card":"`+secret.Redacted+`"}` {
		t.Errorf("a card in a struct in JSON is not the redaction: %v", err)
	}
}

func TestGobAndBinaryAreRefused(t *testing.T) {
	c := newCard(t, "4242424242424242", "1229", "123")
	type request struct{ Card *secret.Card }
	for _, v := range []any{c, c.PAN, request{c}, c.CVV, []secret.CVV{c.CVV}} {
		var b bytes.Buffer
		if err := gob.NewEncoder(&b).Encode(v); !errors.Is(err, secret.ErrRefused) {
			t.Errorf("gob takes a %T: %v", v, err)
		}
	}
	for _, v := range []interface{ MarshalBinary() ([]byte, error) }{c, c.PAN} {
		if _, err := v.MarshalBinary(); !errors.Is(err, secret.ErrRefused) {
			t.Errorf("a %T has a binary form", v)
		}
	}
}

func TestErrorsNameNoContent(t *testing.T) {
	text := newText(t, 1)
	text.Append('7')
	for _, err := range []error{text.Append('7'), text.Append('x')} {
		if err == nil || strings.ContainsAny(err.Error(), "7x") {
			t.Error("an error tells what was appended")
		}
	}
}

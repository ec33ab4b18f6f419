package iso8583

import (
	"errors"
	"maps"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

func TestSubElements(t *testing.T) {
	for s, want := range map[string]map[string]string{
		"":                {},
		"8701M":           {"87": "M"},
		"6304MCC18301Y87": {"63": "MCC1", "83": "Y"},
		"8701M8705M":      {"87": "M"},
		"87XXM":           {},
		"87-1M":           {},
		"8700":            {"87": ""},
	} {
		got := map[string]string{}
		for id, value := range subElements([]byte(s)) {
			got[id] = string(value)
		}
		if !maps.Equal(got, want) {
			t.Errorf("%q has %v, want %v", s, got, want)
		}
	}
	for result, want := range map[string][3]gateway.Check{
		"Y": {gateway.Match, gateway.Match, gateway.Unknown}, "M": {gateway.Unknown, gateway.Unknown, gateway.Match}, "N": {gateway.Mismatch, gateway.Mismatch, gateway.Mismatch},
		"": {gateway.Unknown, gateway.Unknown, gateway.Unknown}, "YY": {gateway.Unknown, gateway.Unknown, gateway.Unknown},
	} {
		postcode, line := addressChecks([]byte(result))
		if got := [3]gateway.Check{postcode, line, cvvCheck([]byte(result))}; got != want {
			t.Errorf("the result %q says %v, want %v", result, got, want)
		}
	}
}

// FuzzAnswer: whatever an acquirer says is approved, declined or garbled, in a form that an answer may have.
func FuzzAnswer(f *testing.F) {
	for _, form := range forms {
		page := make([]byte, message.MostBytes)
		n, _, err := message.Encode(page, form, "0110", message.Field{Number: 2, Secret: []byte(good)}, message.Field{Number: 4, Text: "1234"},
			message.Field{Number: 38, Text: "A12345"}, message.Field{Number: 39, Text: "00"}, message.Field{Number: 48, Secret: []byte("6304MCC18301Y8701M")}, message.Field{Number: 49, Text: "978"})
		if err != nil {
			f.Fatal(err)
		}
		body, err := form.Body(page[message.LengthBytes:n])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(form.Packed, body)
	}
	f.Fuzz(func(t *testing.T, packed bool, body []byte) {
		m, err := message.Decode(message.Form{Packed: packed}, body)
		if err != nil {
			return
		}
		a, err := read(m, make([]byte, message.MostBytes)).says(1234, "978")
		if err != nil && !errors.Is(err, gateway.ErrGarbled) || err == nil && (a.Outcome != gateway.Approved && a.Outcome != gateway.Declined || !codeForm.MatchString(a.Code)) {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

package api

import (
	"fmt"
	"net/http"
	"unicode"

	"github.com/flattone/flattone/daemon/control"
)

// wish is what a session is to come to.
type wish struct {
	Agent   string `json:"agent"`
	Profile string `json:"profile"`
	control.Charge
}

func (w wish) charge() control.Charge { return w.Charge }

// check refuses what can't be a name or a reference, or could be a card number. Whether amount, currency and bill make sense, flattoned says when the session is started.
func (w wish) check() error {
	for _, field := range []struct {
		name, text string
		most       int
	}{{"agent", w.Agent, 64}, {"profile", w.Profile, 64}, {"amount", w.Amount, 16}, {"currency", w.Currency, 3}, {"total", w.Total, 16}, {"bill", w.Bill, 40},
		{"reference", w.Reference, 64}, {"address", w.Address, 64}, {"postcode", w.Postcode, 16}} {
		digits := 0
		for _, r := range field.text {
			switch {
			case !unicode.IsPrint(r):
				return problemOf(http.StatusBadRequest, "bad_request", field.name+" has characters that can't be printed", "leave them out")
			case unicode.IsDigit(r):
				digits++
			}
		}
		switch {
		case len(field.text) > field.most:
			return problemOf(http.StatusBadRequest, "bad_request", fmt.Sprintf("%s is longer than %d bytes", field.name, field.most), "make it shorter")
		case digits >= 12 && field.name != "bill":
			return problemOf(http.StatusBadRequest, "bad_request", field.name+" has twelve digits or more, as card numbers have", "no card number belongs here; write another reference")
		}
	}
	if w.Agent == "" {
		return problemOf(http.StatusBadRequest, "bad_request", "no agent is named", "say in agent who is on the call")
	}
	return nil
}

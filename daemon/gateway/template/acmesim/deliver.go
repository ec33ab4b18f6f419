package acmesim

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

// deliver sends an answer, or what becomes of it by a fault.
func deliver(w http.ResponseWriter, r *http.Request, f gatewaytest.Fault, a reply) {
	kind, status := "application/json; charset=utf-8", a.status
	more := ""
	switch f {
	case gatewaytest.Failing:
		status, a.body = http.StatusInternalServerError, `{"error": "something went wrong"}`
	case gatewaytest.Stale:
		other := (&payment{id: "ac-0", reference: "pay_of_another", status: "captured"}).say(http.StatusOK)
		status, a.body = other.status, other.body
	case HTML:
		kind = "text/html"
	case Pending:
		for _, word := range []string{"authorised", "captured", "voided", "refunded"} {
			a.body = strings.Replace(a.body, word, "pending", 1)
		}
	case Redirected:
		status, more = http.StatusTemporaryRedirect, "Location: https://"+r.Host+"/elsewhere\r\n"
	}
	gatewaytest.Deliver(w, f, status, fmt.Sprintf("Content-Type: %s\r\n%s", kind, more), []byte(a.body), `{"id": "ac-1", `)
}

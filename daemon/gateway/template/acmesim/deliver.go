package acmesim

import (
	"bytes"
	"fmt"
	"io"
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
	raw := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, http.StatusText(status), kind, more, len(a.body), a.body)
	switch f {
	case gatewaytest.Garbled:
		raw = bytes.Repeat([]byte{0x16, 0x03, 0xff, '\r', '\n'}, 100)
	case gatewaytest.Truncated:
		raw = raw[:len(raw)-len(a.body)/2]
	case gatewaytest.Oversized:
		raw = append([]byte("HTTP/1.1 200 OK\r\n\r\n"), bytes.Repeat([]byte(`{"id": "ac-1", `), 1<<15)...)
	case gatewaytest.Twice:
		raw = append(raw, raw...)
	case gatewaytest.Dropped, gatewaytest.Unheard:
		raw = nil
	}
	conn, rest, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if f == gatewaytest.Silent {
		io.Copy(io.Discard, rest) // until nobody waits any more
		return
	}
	conn.Write(raw) // who asked may have gone
}

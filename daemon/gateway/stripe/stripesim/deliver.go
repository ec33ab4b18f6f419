package stripesim

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

// deliver sends an answer, or what becomes of it by a fault.
func deliver(w http.ResponseWriter, f gatewaytest.Fault, status int, answer []byte) {
	if f == gatewaytest.Stale {
		answer = encode(map[string]any{"id": "pi_stale", "object": "payment_intent", "status": "succeeded", "amount": 1, "amount_received": 1, "currency": "eur"})
	}
	raw := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nRequest-Id: req_1\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, http.StatusText(status), len(answer), answer)
	switch f {
	case gatewaytest.Garbled:
		raw = bytes.Repeat([]byte{0x16, 0x03, 0xff, '\r', '\n'}, 100)
	case gatewaytest.Truncated:
		raw = raw[:len(raw)-len(answer)/2]
	case gatewaytest.Oversized:
		raw = append([]byte("HTTP/1.1 200 OK\r\n\r\n"), bytes.Repeat([]byte(`{"id":"pi_1",`), 1<<16)...)
	case gatewaytest.Twice:
		raw = append(raw, raw...)
	case gatewaytest.Dropped:
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

package gatewaytest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// Deliver answers a request over HTTP/1.1, with lines of its own in the head, each with its end; or what becomes of the answer by a fault. An endless one goes on like
// long.
func Deliver(w http.ResponseWriter, f Fault, status int, head string, body []byte, long string) {
	raw := fmt.Appendf(nil, "HTTP/1.1 %d %s\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", status, http.StatusText(status), head, len(body), body)
	switch f {
	case Garbled:
		raw = bytes.Repeat([]byte{0x16, 0x03, 0xff, '\r', '\n'}, 100)
	case Truncated:
		raw = raw[:len(raw)-len(body)/2]
	case Oversized:
		raw = append([]byte("HTTP/1.1 200 OK\r\n\r\n"), bytes.Repeat([]byte(long), 1<<16)...)
	case Twice:
		raw = append(raw, raw...)
	case Dropped, Unheard:
		raw = nil
	}
	conn, rest, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	if f == Silent {
		io.Copy(io.Discard, rest) // until nobody waits any more
		return
	}
	conn.Write(raw) // who asked may have gone
}

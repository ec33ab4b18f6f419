package courier

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
)

// FuzzRead: whatever comes is an answer of its bounds, or none.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{ok, "", "HTTP/1.1 103 Early Hints\r\n\r\n" + ok, "HTTP/1.0 402 No\r\n\r\n{}", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n", "HTTP/1.1 204 Nothing\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		a, err := read(bytes.NewReader(answer), "POST")
		switch {
		case err != nil:
			if len(answer) > 0 && !errors.Is(err, gateway.ErrGarbled) || len(answer) == 0 && !errors.Is(err, io.EOF) || a.Status != 0 {
				t.Errorf("%+v, %v", a, err)
			}
		case a.Status < 200 || a.Status >= 300 && a.Status < 400 || len(a.Body) > bodyBytes:
			t.Errorf("%d with %d bytes is no answer", a.Status, len(a.Body))
		}
	})
}

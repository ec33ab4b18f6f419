package control

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/flattone/flattone/audio/locked"
)

// maxSecret is the longest body, and the longest answer, that is a secret.
const maxSecret = 256

// hear is a call whose body is a secret, tell one whose answer is. Both have it in locked memory, which is wiped after the call.
type (
	hear func(ctx context.Context, by Actor, r *http.Request, text []byte) (any, error)
	tell func(ctx context.Context, by Actor, r *http.Request, page []byte) (n int, err error)
)

// apart is a connection that net/http has handed over, and the answer on it. What goes through net/http goes through buffers on the heap, which are used
// again and never wiped; this has none.
type apart struct {
	net.Conn
	header http.Header
	status int
}

func (a *apart) Header() http.Header    { return a.header }
func (a *apart) WriteHeader(status int) { a.status = status }

// Write writes the whole answer.
func (a *apart) Write(body []byte) (int, error) {
	a.SetDeadline(time.Now().Add(writeTime))
	_, err := fmt.Fprintf(a.Conn, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
		a.status, http.StatusText(a.status), a.header.Get("Content-Type"), len(body))
	if err != nil {
		return 0, err
	}
	return a.Conn.Write(body)
}

// aside takes a call's connection over and lends a locked page. It returns once the call is done.
func (s *Server) aside(w http.ResponseWriter, r *http.Request, by Actor, do func(a *apart, page []byte) error) {
	s.asides.Add(1)
	defer s.asides.Done()
	conn, early, err := http.NewResponseController(w).Hijack()
	if err != nil {
		s.refuse(w, r, by, &Error{CodeBadRequest, "the connection carries no secret: " + err.Error(), "ask by HTTP/1.1, on the admin socket"})
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(readTime))
	a := &apart{conn, http.Header{}, http.StatusOK}
	if n := early.Reader.Buffered(); n > 0 {
		said, _ := early.Peek(n)
		clear(said)
		s.refuse(a, r, by, &Error{CodeBadRequest, "the share was sent before the box was ready for it, and is not looked at", "wait for 100 Continue"})
		return
	}
	page, err := locked.Bytes(maxSecret)
	if err == nil {
		defer locked.Free(page)
		err = do(a, page[:maxSecret:maxSecret])
	}
	if err != nil {
		s.refuse(a, r, by, err)
	}
}

// hear reads the body into a locked page, straight from the socket: the client keeps it until it is told to go on (RFC 9110, 10.1.1), and by then nobody else reads.
func (s *Server) hear(w http.ResponseWriter, r *http.Request, by Actor, do hear) {
	n := r.ContentLength
	if r.Header.Get("Expect") != "100-continue" || n < 1 || n > maxSecret {
		s.refuse(w, r, by, &Error{CodeBadRequest, fmt.Sprintf("a share of at most %d bytes is to come, once the box is ready for it", maxSecret),
			"send Content-Length and Expect: 100-continue, and wait for 100 Continue; flattone custody does"})
		return
	}
	s.aside(w, r, by, func(a *apart, page []byte) error {
		if _, err := io.WriteString(a.Conn, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
			return nil // nobody is there
		}
		if _, err := io.ReadFull(a.Conn, page[:n]); err != nil {
			return &Error{CodeBadRequest, "the share didn't come whole: " + err.Error(), "try once more"}
		}
		ctx, cancel := context.WithTimeout(r.Context(), callTime)
		defer cancel()
		body, err := do(ctx, by, r, page[:n:n])
		if err == nil {
			answer(a, http.StatusOK, body)
		}
		return err
	})
}

// tell answers from a locked page, straight to the socket. The body, which is no secret, is read first.
func (s *Server) tell(w http.ResponseWriter, r *http.Request, by Actor, do tell) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.refuse(w, r, by, &Error{CodeBadRequest, "the body didn't come whole: " + err.Error(), "try once more"})
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.aside(w, r, by, func(a *apart, page []byte) error {
		ctx, cancel := context.WithTimeout(r.Context(), callTime)
		defer cancel()
		n, err := do(ctx, by, r, page)
		if err == nil {
			a.header.Set("Content-Type", "text/plain; charset=us-ascii")
			a.Write(page[:n]) // a client that went away is no failure of ours
		}
		return err
	})
}

package webhook

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// hijack takes the connection from the server and lets do write whatever it likes.
func hijack(do func(net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		do(conn)
	}
}

// TestMisbehavingReceivers meets each kind three times, over real sockets, and then a good answer. Whatever
// they do, the event stays, and arrives.
func TestMisbehavingReceivers(t *testing.T) {
	var elsewhere atomic.Int32
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer trap.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	redirect := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, trap.URL, code) }
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		short   bool // ends only by the time-out: keep that short
	}{
		{"never answers", func(_ http.ResponseWriter, req *http.Request) {
			io.Copy(io.Discard, req.Body)
			<-req.Context().Done()
		}, true},
		{"resets", hijack(func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }), false},
		{"hangs up", hijack(func(net.Conn) {}), false},
		{"garbage", hijack(func(c net.Conn) { io.WriteString(c, strings.Repeat("\x00\xff\x1b[2JSSH-2.0", 8000)+"\r\n\r\n") }), false},
		{"endless headers", hijack(func(c net.Conn) {
			io.WriteString(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(c, "X-More: "+strings.Repeat("a", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}), false},
		{"half an answer", hijack(func(c net.Conn) { io.WriteString(c, "HTTP/1.1 20") }), false},
		{"500", status(500), false},
		{"404", status(404), false},
		{"301", redirect(301), false},
		{"302", redirect(302), false},
		{"307", redirect(307), false},
		{"308", redirect(308), false},
		{"304", status(304), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var attempts atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				if attempts.Add(1) <= 3 {
					test.handler(w, req)
				}
			}))
			defer server.Close()
			to := quick()
			if test.short {
				to.Timeout = 50 * time.Millisecond
			}
			r := newRig(t, to, server.URL+"/hook/confidential", nil)
			defer r.shut()
			r.enqueue("a", "a1")
			for n := 1; n <= 3; n++ {
				d := r.next()
				if d.Delivered || d.Reason == "" || d.Tries != n {
					t.Fatalf("attempt %d: %+v", n, d)
				}
				if utf8.RuneCountInString(d.Reason) > 200 || strings.ContainsFunc(d.Reason, unicode.IsControl) {
					t.Errorf("a reason of %d bytes: %.300q", len(d.Reason), d.Reason)
				}
				if test.short != (d.Reason == "no answer within 0.05 s") {
					t.Errorf("the reason is %q", d.Reason)
				}
			}
			if d := r.delivered(); d.Tries < 4 || r.pending() != 0 {
				t.Errorf("delivered as %+v, %d pending", d, r.pending())
			}
			r.shut()
			if strings.Contains(r.log.String(), "confidential") {
				t.Error("the log has the address's path in it")
			}
		})
	}
	if elsewhere.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

// TestOddSuccess: the status is what counts, however the body goes on.
func TestOddSuccess(t *testing.T) {
	var sent atomic.Int64
	tests := map[string]http.HandlerFunc{
		"giant body": func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, 64<<10)
			for {
				n, err := w.Write(chunk)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		},
		"broken body": hijack(func(c net.Conn) { io.WriteString(c, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nabc") }),
		"no content":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"a gzip bomb's head": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "not gzip at all")
		},
	}
	for name, handler := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			r := newRig(t, quick(), server.URL, nil)
			defer r.shut()
			r.enqueue("a", "a1")
			if d := r.next(); !d.Delivered || d.Tries != 1 {
				t.Errorf("told %+v", d)
			}
		})
	}
	if sent.Load() > 64<<20 {
		t.Errorf("%d bytes of an endless body were taken in", sent.Load())
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	r := newRig(t, quick(), "http://"+address+"/hook/confidential", nil)
	r.enqueue("a", "a1")
	if d := r.next(); d.Status != 0 || d.Delivered || !strings.Contains(d.Reason, "refused") || strings.Contains(d.Reason, "confidential") {
		t.Errorf("told %+v", d)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.NotFoundHandler()}}
	server.Config.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	server.Start()
	defer server.Close()
	r.delivered()
	r.shut()
}

// TestTLS: a certificate that nobody vouches for is refused, one that is trusted is served.
func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of our refusal
	server.StartTLS()
	defer server.Close()
	r := newRig(t, quick(), server.URL, nil)
	r.enqueue("a", "a1")
	if d := r.next(); d.Delivered || !strings.Contains(d.Reason, "certificate") {
		t.Errorf("told %+v", d)
	}
	r.shut()
	r.start(quick(), server.URL, server.Client().Transport)
	r.delivered()
	r.shut()
}

// TestWhatIsOnTheWire reads a delivery without net/http's help.
func TestWhatIsOnTheWire(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := newRig(t, quick(), "http://"+l.Addr().String()+"/hook", nil)
	r.enqueue("a", "a1")
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	req, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		t.Fatal(err)
	}
	if req.Method != "POST" || req.URL.Path != "/hook" || req.Header.Get("Content-Type") != "application/json" || len(body) == 0 {
		t.Errorf("%s %s %v", req.Method, req.URL, req.Header)
	}
	for _, h := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
		if req.Header.Get(h) == "" {
			t.Errorf("no %s", h)
		}
	}
	io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	r.delivered()
	r.shut()
}

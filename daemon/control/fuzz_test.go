package control

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

func FuzzRequests(f *testing.F) {
	f.Add("GET", "/v1/tokens?limit=5", "")
	f.Add("POST", "/v1/lines/one/arm", `{"profile":"card"}`)
	f.Add("POST", "/v1/lines/%2f../disarm", `{}`)
	f.Add("PUT", "/v1/lines//arm", `[`)
	b := &scripted{Feed: NewFeed(), asked: make(chan string, 1)}
	s := &Server{backend: b, log: slog.New(slog.DiscardHandler), refusals: newRefusals(func(context.Context, Actor, string, string) {})}
	h := s.handler()
	me := context.WithValue(context.Background(), actorKey{}, Actor{Name: "root", roles: Roles()})
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequestWithContext(me, method, "http://flattone"+path, strings.NewReader(body))
		if err != nil || r.URL.Path == "/v1/events" {
			return
		}
		w := &recorder{header: http.Header{}}
		h.ServeHTTP(w, r)
		select {
		case <-b.asked:
			if w.status != http.StatusOK {
				t.Errorf("%s %s reached the backend and was answered %d", method, path, w.status)
			}
		default:
			redirect := w.status == http.StatusMovedPermanently || w.status == http.StatusTemporaryRedirect
			if w.status < 400 && !redirect || w.status >= 500 {
				t.Errorf("%s %s was answered %d without a question to the backend", method, path, w.status)
			}
		}
	})
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// SetWriteDeadline is what a connection has; here nothing is slow.
func (r *recorder) SetWriteDeadline(time.Time) error { return nil }

func FuzzReadEvents(f *testing.F) {
	f.Add([]byte("id: 1\nevent: key\ndata: {\"seq\":1,\"kind\":\"key\",\"stars\":2}\n\n"))
	f.Add([]byte(": still here\n\ndata: \ndata: null\ndata: {\"seq\":\"x\"}\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		told := 0
		if err := readEvents(bytes.NewReader(stream), func(Event) error { told++; return nil }); err == nil {
			t.Error("a stream that ended gave no error")
		}
		if told > bytes.Count(stream, []byte("data: ")) {
			t.Error("more events than data")
		}
	})
}

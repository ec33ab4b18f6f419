package receiver

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	testSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	payload    = `{"type": "card.captured", "data": {"token": "tok_x"}}`
)

// delivery is a signed POST; the fields say what is wrong with it.
type delivery struct {
	id, body string
	age      time.Duration
	secret   string
}

func (d delivery) request(t *testing.T) *http.Request {
	t.Helper()
	if d.secret == "" {
		d.secret = testSecret
	}
	signer, err := webhooks.NewWebhook(d.secret)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-d.age)
	signature, err := signer.Sign(d.id, at, []byte(d.body))
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(d.body))
	req.Header.Set("webhook-id", d.id)
	req.Header.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	req.Header.Set("webhook-signature", signature)
	return req
}

func post(t *testing.T, r http.Handler, req *http.Request) int {
	t.Helper()
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w.Code
}

func newReceiver(t *testing.T) (*Receiver, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	r, err := New(testSecret, &out)
	if err != nil {
		t.Fatal(err)
	}
	return r, &out
}

func TestDeliveries(t *testing.T) {
	const other = "whsec_ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="
	tests := []struct {
		name string
		delivery
		change func(*http.Request)
		want   int
	}{
		{"good", delivery{id: "evt_1", body: payload}, nil, 204},
		{"a little late", delivery{id: "evt_1", body: payload, age: 4 * time.Minute}, nil, 204},
		{"stale", delivery{id: "evt_1", body: payload, age: 6 * time.Minute}, nil, 401},
		{"from the future", delivery{id: "evt_1", body: payload, age: -6 * time.Minute}, nil, 401},
		{"another secret", delivery{id: "evt_1", body: payload, secret: other}, nil, 401},
		{"another body", delivery{id: "evt_1", body: payload}, func(r *http.Request) {
			r.Body = http.NoBody
		}, 401},
		{"another id", delivery{id: "evt_1", body: payload}, func(r *http.Request) { r.Header.Set("webhook-id", "evt_2") }, 401},
		{"a fresher time", delivery{id: "evt_1", body: payload, age: 6 * time.Minute}, func(r *http.Request) {
			r.Header.Set("webhook-timestamp", fmt.Sprint(time.Now().Unix()))
		}, 401},
		{"no signature", delivery{id: "evt_1", body: payload}, func(r *http.Request) { r.Header.Del("webhook-signature") }, 401},
		{"no id", delivery{id: "evt_1", body: payload}, func(r *http.Request) { r.Header.Del("webhook-id") }, 401},
		{"signature of another kind", delivery{id: "evt_1", body: payload}, func(r *http.Request) { r.Header.Set("webhook-signature", "v2,AAAA") }, 401},
		{"no JSON", delivery{id: "evt_1", body: "token=x"}, nil, 400},
		{"too long", delivery{id: "evt_1", body: strings.Repeat(" ", bodyBytes+1)}, nil, 413},
		{"a GET", delivery{id: "evt_1", body: payload}, func(r *http.Request) { r.Method = http.MethodGet }, 405},
	}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			r, out := newReceiver(t)
			req := test.request(t)
			if test.change != nil {
				test.change(req)
			}
			if got := post(t, r, req); got != test.want {
				t.Errorf("%s: %d, want %d", test.name, got, test.want)
			}
			want, count := "", 0
			if test.want == 204 {
				want, count = `{"id":"evt_1","event":{"type":"card.captured","data":{"token":"tok_x"}}}`+"\n", 1
			}
			if out.String() != want || r.Count() != count {
				t.Errorf("%s: kept %d: %q, want %q", test.name, r.Count(), out, want)
			}
		})
	}
}

func TestRepeatedDeliveriesAreKeptOnce(t *testing.T) {
	r, out := newReceiver(t)
	var wg sync.WaitGroup
	for i := range 40 {
		req := delivery{id: fmt.Sprint("evt_", i%4), body: payload}.request(t)
		wg.Go(func() {
			if got := post(t, r, req); got != 204 {
				t.Errorf("%d, want 204", got)
			}
		})
	}
	wg.Wait()
	if r.Count() != 4 || strings.Count(out.String(), "\n") != 4 {
		t.Errorf("%d events, %q; want 4", r.Count(), out)
	}
}

// full is a disk that has no space, once.
type full struct {
	bytes.Buffer
	tried bool
}

func (f *full) Write(b []byte) (int, error) {
	if !f.tried {
		f.tried = true
		return 0, errors.New("no space")
	}
	return f.Buffer.Write(b)
}

func TestWhatCouldNotBeKeptIsNotThankedFor(t *testing.T) {
	out := &full{}
	r, err := New(testSecret, out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{500, 204} {
		if got := post(t, r, delivery{id: "evt_1", body: payload}.request(t)); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	if r.Count() != 1 || out.Len() == 0 {
		t.Errorf("%d events, want 1", r.Count())
	}
}

func TestListenStaysHere(t *testing.T) {
	for _, address := range []string{"", ":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:80", "localhost:0", "127.0.0.1"} {
		if l, err := Listen(address); err == nil {
			l.Close()
			t.Errorf("listens on %q", address)
		}
	}
	l, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

func TestBadSecret(t *testing.T) {
	if _, err := New("whsec_hush hush", &bytes.Buffer{}); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v, want an error that doesn't repeat the secret", err)
	}
}

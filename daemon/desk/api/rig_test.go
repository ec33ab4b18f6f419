package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
)

// box is flattoned as far as the API needs one: two lines in a call, on which what a test says happens.
type box struct {
	events chan control.Event

	mu    sync.Mutex
	did   []string // what was asked of it
	fails map[string]error
	pays  map[string]control.Payment
	block chan struct{} // that a charge waits for; nil: it doesn't
}

func newBox() *box {
	return &box{events: make(chan control.Event, 100), fails: map[string]error{}, pays: map[string]control.Payment{}}
}

func (b *box) Lines(context.Context) ([]control.Line, error) {
	line := func(name string) control.Line {
		return control.Line{Name: name, Place: "trunk-side", Up: true, State: control.StateIdle, InCall: true}
	}
	return []control.Line{line("one"), line("two")}, nil
}

func (b *box) Watch(ctx context.Context, fn func(control.Event)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-b.events:
			fn(e)
		}
	}
}

func (b *box) Payment(_ context.Context, id string) (control.Payment, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.pays[id]
	if !known {
		return p, &control.Error{Code: control.CodeUnknownPayment, Text: "there is no such payment"}
	}
	return p, nil
}

func (b *box) done() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	did := strings.Join(b.did, ", ")
	b.did = nil
	return did
}

func (b *box) pay(p control.Payment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pays[p.ID] = p
}

func (b *box) failing(what string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fails[what] = err
}

// agent is what the box is asked for one.
type agent struct {
	*box
	name string
}

func (a agent) does(what ...string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.did = append(a.did, a.name+": "+strings.TrimSpace(strings.Join(what, " ")))
	return a.fails[what[0]]
}

func (a agent) Prove(_ context.Context, line, language string) (control.Proof, error) {
	return control.Proof{ID: "prf_1", Words: strings.Fields("anchor apple bridge candle castle dragon garden hammer island"), Seconds: 60}, a.does("prove", line, language)
}

func (a agent) Bind(_ context.Context, line, proof string, words []string) error {
	if err := a.does(append([]string{"bind", line, proof}, words...)...); err != nil {
		return err
	}
	a.events <- control.Event{Kind: control.KindBond, Line: line, Agent: a.name, On: true}
	return nil
}

func (a agent) Arm(_ context.Context, line, profile string) (string, error) {
	return "cap_" + line, a.does("arm", line, profile)
}

func (a agent) Charge(_ context.Context, line, profile string, c control.Charge) (control.Charging, error) {
	if a.block != nil {
		<-a.block
	}
	return control.Charging{Capture: "cap_" + line, Payment: "pay_" + line}, a.does("charge", line, profile, c.Amount, c.Currency, c.Reference)
}

func (a agent) Disarm(_ context.Context, line string) error   { return a.does("disarm", line) }
func (a agent) MoreTime(_ context.Context, line string) error { return a.does("more-time", line) }
func (a agent) Again(_ context.Context, line, field string) error {
	return a.does("again", line, field)
}
func (a agent) Cover(_ context.Context, line string, on bool) error {
	return a.does("cover", line, map[bool]string{true: "on", false: "off"}[on])
}
func (a agent) Confirm(ctx context.Context, id string) (control.Payment, error) {
	if err := a.does("confirm", id); err != nil {
		return control.Payment{}, err
	}
	return a.Payment(ctx, id)
}
func (a agent) Cancel(ctx context.Context, id string) (control.Payment, error) {
	if err := a.does("cancel", id); err != nil {
		return control.Payment{}, err
	}
	return a.Payment(ctx, id)
}

// rig is an API of two clients, of which crm may use line one alone; whatever it is asked and answers is held against openapi.yaml.
type rig struct {
	t      *testing.T
	box    *box
	url    string
	router routers.Router
	api    *API

	mu    sync.Mutex
	asked map[string]bool // operations that succeeded
}

func newRig(t *testing.T) *rig {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	b := newBox()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	lines := board.New(board.Deps{Box: b, Log: log, Payment: func(ctx context.Context, _, id string) (control.Payment, error) { return b.Payment(ctx, id) }})
	a := New(map[string]Client{"crm": {Secrets: []string{"s1"}, Lines: []string{"one"}}, "ccaas": {Secrets: []string{"old", "s2"}}},
		Deps{Log: log, Board: lines, For: func(name string) Commands { return agent{b, name} }})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { lines.Run(ctx) })
	running.Go(func() { a.Run(ctx) })
	server := httptest.NewServer(a)
	t.Cleanup(func() { stop(); server.Close(); running.Wait() })
	r := &rig{t: t, box: b, url: server.URL, router: router, api: a, asked: map[string]bool{}}
	for len(lines.Views()) < 2 {
		time.Sleep(time.Millisecond)
	}
	return r
}

// caller is a client with its access token.
type caller struct {
	*rig
	token string
}

func (r *rig) as(name, secret string) caller {
	r.t.Helper()
	req, _ := http.NewRequest("POST", r.url+"/api/v1/token", strings.NewReader("grant_type=client_credentials"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(name, secret)
	status, body := r.send(req)
	var said struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(body, &said); status != 200 || err != nil {
		r.t.Fatalf("the token: %d %s", status, body)
	}
	return caller{r, said.Token}
}

// send holds request and answer against the specification.
func (r *rig) send(req *http.Request) (status int, body []byte) {
	r.t.Helper()
	var sent []byte
	if req.Body != nil {
		sent, _ = io.ReadAll(req.Body)
	}
	req.Body = io.NopCloser(bytes.NewReader(sent))
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer got.Body.Close()
	body, _ = io.ReadAll(got.Body)
	route, params, err := r.router.FindRoute(req)
	if err != nil {
		r.t.Fatalf("%s %s is in no specification: %v", req.Method, req.URL.Path, err)
	}
	in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	req.Body = io.NopCloser(bytes.NewReader(sent))
	if err := openapi3filter.ValidateRequest(r.t.Context(), in); err != nil && got.StatusCode < 300 {
		r.t.Errorf("%s is done, and isn't as specified: %v", route.Operation.OperationID, err)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: got.StatusCode, Header: got.Header, Options: in.Options}
	out.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(r.t.Context(), out); err != nil {
		r.t.Errorf("%s answers what isn't specified: %v", route.Operation.OperationID, err)
	}
	if got.StatusCode < 300 {
		r.mu.Lock()
		r.asked[route.Operation.OperationID] = true
		r.mu.Unlock()
	}
	return got.StatusCode, body
}

// ask sends a call, with a key if there is one, and answers with what it is told.
func (c caller) ask(method, path, body, key string) (status int, said []byte) {
	c.t.Helper()
	req, err := http.NewRequest(method, c.url+"/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	return c.send(req)
}

// does is ask for a session's step, which is to succeed.
func (c caller) does(path, body string) Session {
	c.t.Helper()
	status, said := c.ask("POST", path, body, "")
	var s Session
	if err := json.Unmarshal(said, &s); err != nil || status >= 300 {
		c.t.Fatalf("%s: %d %s (%v)", path, status, said, err)
	}
	return s
}

// refused is ask for what is to fail with a status and a code.
func (c caller) refused(method, path, body string, status int, code string) {
	c.t.Helper()
	got, said := c.ask(method, path, body, "")
	var p problem
	json.Unmarshal(said, &p)
	if got != status || p.Code != code || p.Status != status || p.Title == "" {
		c.t.Errorf("%s: %d %s", path, got, said)
	}
}

// stands is the session as it stands, once it stands so.
func (c caller) stands(id, state string) Session {
	c.t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		_, said := c.ask("GET", "sessions/"+id, "", "")
		var s Session
		if err := json.Unmarshal(said, &s); err != nil {
			c.t.Fatal(err)
		}
		if s.State == state {
			return s
		}
		if time.Now().After(until) {
			c.t.Fatalf("it stays %+v, not %s", s, state)
		}
	}
}

// watches hears a session's stream to its end.
func (c caller) watches(id string) <-chan []Session {
	all := make(chan []Session, 1)
	req, _ := http.NewRequest("GET", c.url+"/api/v1/sessions/"+id+"/events", nil)
	req.Header.Set("Authorization", "Bearer "+c.token)
	got, err := http.DefaultClient.Do(req)
	if err != nil || got.Header.Get("Content-Type") != "text/event-stream" {
		c.t.Fatal(errors.Join(err, errors.New("no stream")))
	}
	c.mu.Lock()
	c.asked["watch"] = true
	c.mu.Unlock()
	go func() {
		defer got.Body.Close()
		var heard []Session
		for lines := bufio.NewScanner(got.Body); lines.Scan(); {
			if data, is := strings.CutPrefix(lines.Text(), "data: "); is {
				var s Session
				if json.Unmarshal([]byte(data), &s) == nil {
					heard = append(heard, s)
				}
			}
		}
		all <- heard
	}()
	return all
}

func mustSpec(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(spec)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

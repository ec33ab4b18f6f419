// Package api is what desktops and contact-centre platforms ask of the desk: the same that an agent does at the panel, over HTTPS and JSON, as openapi.yaml has it.
//
// It exists so that a card can be taken from within the program that an agent has open all day. It promises that a client reaches its own sessions and the lines that it was
// given, and no others; that a request which is sent again under its Idempotency-Key is done once; that what it tells of a session is told in order, with a number; and that
// every answer is one that openapi.yaml describes, which it serves. It keeps nothing on a disk: what came of a payment, flattoned knows.
//
// It never has a digit of a card but the last four, and takes nothing that could be a card number.
package api

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
)

//go:embed openapi.yaml
var spec []byte

// Client is who may ask.
type Client struct {
	// Secrets prove it: it sends one of them with its name for an access token.
	Secrets []string
	// Lines are those that it may use; none: all.
	Lines []string
}

// Commands are what is asked of flattoned for an agent, as *control.Client has it.
type Commands interface {
	Prove(ctx context.Context, line, language string) (control.Proof, error)
	Bind(ctx context.Context, line, proof string, words []string) error
	Arm(ctx context.Context, line, profile string) (capture string, err error)
	Charge(ctx context.Context, line, profile string, what control.Charge) (control.Charging, error)
	Disarm(ctx context.Context, line string) error
	MoreTime(ctx context.Context, line string) error
	Again(ctx context.Context, line, field string) error
	Cover(ctx context.Context, line string, on bool) error
	Payment(ctx context.Context, id string) (control.Payment, error)
	Confirm(ctx context.Context, id string) (control.Payment, error)
	Cancel(ctx context.Context, id string) (control.Payment, error)
}

// Deps are what an API works with.
type Deps struct {
	Log *slog.Logger
	// Board knows how the lines are.
	Board *board.Board
	// For commands flattoned for an agent.
	For func(agent string) Commands
}

// API answers under /api/v1/. Its handler may be used by many at once.
type API struct {
	deps        Deps
	clients     map[string]Client
	credentials *credentials
	once        *once
	sessions    *sessions
	mux         *http.ServeMux
}

// New is an API for these clients, by their names.
func New(clients map[string]Client, deps Deps) *API {
	secrets := map[string][]string{}
	for name, c := range clients {
		secrets[name] = c.Secrets
	}
	a := &API{deps: deps, clients: clients, credentials: newCredentials(secrets), once: newOnce(), sessions: newSessions(), mux: http.NewServeMux()}
	a.routes()
	return a
}

// Run has the sessions go on as their lines do, until ctx ends.
func (a *API) Run(ctx context.Context) error {
	for range a.deps.Board.Watch(ctx, "") {
		a.follow(time.Now())
	}
	return nil
}

func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

func (a *API) routes() {
	a.mux.HandleFunc("GET /api/v1/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		w.Write(spec)
	})
	a.mux.HandleFunc("POST /api/v1/token", a.token)
	a.mux.Handle("GET /api/v1/lines", a.call(a.lines))
	a.mux.Handle("POST /api/v1/sessions", a.call(a.create))
	a.mux.Handle("GET /api/v1/sessions/{session}", a.about(a.inspect))
	a.mux.Handle("GET /api/v1/sessions/{session}/events", a.stream())
	for path, do := range map[string]func(context.Context, *session, *http.Request) (any, error){
		"prove":                a.prove,
		"bind":                 a.bind,
		"start":                a.start,
		"fields/{field}/again": a.again,
		"cover":                a.cover,
		"more-time":            a.moreTime,
		"confirm":              a.confirm,
		"cancel":               a.cancel,
	} {
		a.mux.Handle("POST /api/v1/sessions/{session}/"+path, a.about(do))
	}
	a.mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		problemOf(http.StatusNotFound, "no_such_call", "there is no such call", "see /api/v1/openapi.yaml").write(w)
	})
}

// may reports whether a client may use a line.
func (a *API) may(client, line string) bool {
	lines := a.clients[client].Lines
	return len(lines) == 0 || slices.Contains(lines, line)
}

// view is how a line is that the client may use.
func (a *API) view(client, name string) (board.View, error) {
	for _, v := range a.deps.Board.Views() {
		if v.Line == name && a.may(client, name) {
			return v, nil
		}
	}
	return board.View{}, problemOf(http.StatusNotFound, control.CodeUnknownLine, fmt.Sprintf("there is no line %q that you may use", name), "GET /api/v1/lines has those that there are")
}

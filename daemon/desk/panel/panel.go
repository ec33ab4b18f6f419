// Package panel is the agents' page: a card is asked for, its fields fill with stars, and what came of it is said. It exists so that an agent needs a browser
// and nothing else, and sees what he may of his own call.
//
// The server renders all there is (html/template); a stream of server-sent events replaces regions of the page when they change, and a little script keeps focus
// and keys. Without a script the page works by reloading itself.
//
// It promises that every command goes to the line that flattoned has bound to the agent, whatever a request says; that a message of the stream is as long for one
// key as for another, and comes when the feed tells of it; that a card whose agent closed the panel is given up after ten seconds; and that what callers, systems
// or agents wrote is text to a browser, never markup. It must never have a digit of a card, and refuses what looks like one wherever something can be typed.
package panel

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/signin"
	"github.com/flattone/flattone/daemon/desk/words"
)

// Box is the part of [control.Client] that is commanded in the name of one agent.
type Box interface {
	Profiles(ctx context.Context) ([]control.Profile, error)
	Prove(ctx context.Context, line, language string) (control.Proof, error)
	Bind(ctx context.Context, line, proof string, words []string) error
	Unbind(ctx context.Context, line string) error
	Arm(ctx context.Context, line, profile string) (capture string, err error)
	Charge(ctx context.Context, line, profile string, what control.Charge) (control.Charging, error)
	Disarm(ctx context.Context, line string) error
	MoreTime(ctx context.Context, line string) error
	Again(ctx context.Context, line, field string) error
	Cover(ctx context.Context, line string, on bool) error
	Confirm(ctx context.Context, id string) (control.Payment, error)
	Cancel(ctx context.Context, id string) (control.Payment, error)
	Act(ctx context.Context, payment, kind, amount string) (control.Act, error)
}

// Deps are what a Panel needs.
type Deps struct {
	Board *board.Board
	// As is flattoned as it is asked in the name of an agent.
	As  func(agent string) Box
	Log *slog.Logger
}

// Panel is the page and what stands behind it. Its methods may be called from many goroutines at once.
type Panel struct {
	brand  config.DeskBrand
	deps   Deps
	words  *words.Catalogue
	static *static
	mux    *http.ServeMux
	// attention says that there is another stream, or one less.
	attention chan struct{}

	mu    sync.Mutex
	seats map[string]*seat
}

// New is a Panel that nobody looks at. It reads the logo, and fails if it can't.
func New(cfg *config.Desk, deps Deps) (*Panel, error) {
	p := &Panel{brand: cfg.Brand, deps: deps, attention: make(chan struct{}, 1), seats: map[string]*seat{}}
	var err error
	if p.words, err = words.New(); err != nil {
		return nil, err
	}
	if p.static, err = newStatic(cfg.Brand); err != nil {
		return nil, err
	}
	p.mux = http.NewServeMux()
	p.mux.HandleFunc("GET /{$}", p.page)
	p.mux.HandleFunc("GET /live", p.live)
	for verb, do := range verbs {
		p.mux.HandleFunc("POST /do/"+verb, p.doing(do))
	}
	return p, nil
}

// ServeHTTP answers an agent who is signed in: see [signin.AgentOf].
func (p *Panel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if signin.AgentOf(r.Context()).Name == "" {
		http.Error(w, "not signed in", http.StatusUnauthorized)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// Static answers with stylesheets, script and logo, which anybody may have: the sign-in page looks the same.
func (p *Panel) Static() http.Handler { return p.static }

// Stylesheet is where Static has the stylesheet.
func (p *Panel) Stylesheet() string { return p.static.cssAt }

// seat is what the panel keeps of one agent, while the desk runs.
type seat struct {
	mu sync.Mutex
	// proof is the one under way, first the word that was picked.
	proof   control.Proof
	line    string
	expires time.Time
	first   string
	// flaw is what went wrong last, to be said once; form what was typed then. notice is the key of what else there is to say.
	flaw   flaw
	form   form
	notice string
	// stream is the page that is kept up to date, of which there is one. streams counts those that aren't over; seen is when the agent was last heard of.
	stream  *stream
	streams int
	seen    time.Time
	// watched is the capture that this panel has shown, forsaken one that it gave up since nobody looked.
	watched, forsaken string
	profiles          []control.Profile
}

// flaw is why something wasn't done: a key of the words or a code, and what flattoned said.
type flaw struct{ Key, Code, Text string }

func (p *Panel) seat(agent string) *seat {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.seats[agent]
	if s == nil {
		s = &seat{}
		p.seats[agent] = s
	}
	return s
}

// attend has [Panel.Run] look who is there.
func (p *Panel) attend() {
	select {
	case p.attention <- struct{}{}:
	default:
	}
}

// Package pause has a recorder that hears a line in front of the box, and so the keys themselves, pause while a card is taken there.
//
// It exists for sites whose recorder can't be moved behind the box. It promises that a recorder is told to pause before a line is armed; that, where
// the owner requires it, no line is armed unless the recorder has said yes; and that it is told to go on once the line masks nothing any more, again and
// again until it says yes, by whichever flattoned there is by then. What it can't promise is that a recorder which says yes does pause.
//
// It must never be told a digit, or anything of a card.
package pause

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/id"
	"github.com/flattone/flattone/daemon/upstream"
)

// What a recorder is told to do, and as what that is noted.
const (
	pauses  = "pause"
	resumes = "resume"
	Paused  = "recorder.paused"
	Resumed = "recorder.resumed"
)

// Sender makes one attempt to tell the recorder: a [webhook.Sender].
type Sender interface {
	Send(ctx context.Context, e upstream.Envelope) upstream.Result
	Close() error
}

// Config says how the recorder is spoken to.
type Config struct {
	Timeout time.Duration // of one attempt
	// Required refuses to arm a line whose recorder doesn't say that it pauses.
	Required bool
}

// Deps are what a Pauser works with.
type Deps struct {
	Sender Sender
	Lines  func() []control.Line
	Feed   *control.Feed
	Health *health.Board
	Log    *slog.Logger
	// Note is for the audit log.
	Note func(ctx context.Context, action, line, result, capture string)
}

// The wait before the recorder is told again to go on doubles from one to the other.
const (
	firstWait = time.Second
	mostWait  = time.Minute
)

// Pauser keeps what the recorder is to be told of each line.
//
//	          about to be armed                the line is idle, and not about to be armed
//	recorded ───────────────────▶ due ◀──────────────────────────────────▶ told to go on
//	    ▲                          ▲     it didn't say yes: a second, two, ... a minute    │
//	    │                          └── flattoned starts: nobody knows                      │
//	    └───────────────────────────────── it said yes ────────────────────────────────────┘
type Pauser struct {
	cfg Config
	Deps

	mu    sync.Mutex
	lines map[string]*line
	look  chan struct{} // what is due may have changed; holds one
}

// line is one for which the recorder has to be told to go on.
type line struct {
	capture string // empty for what an earlier flattoned began
	arming  int
	telling bool          // it is being told
	turn    chan struct{} // holds one while the recorder is spoken to of it, lest what is said later be heard first
	due     time.Time
	wait    time.Duration
}

// New makes a Pauser of a box that has just started.
func New(cfg Config, deps Deps) *Pauser {
	p := &Pauser{cfg: cfg, Deps: deps, lines: map[string]*line{}, look: make(chan struct{}, 1)}
	for _, l := range p.Lines() {
		p.lines[l.Name] = newLine()
	}
	return p
}

func newLine() *line { return &line{wait: firstWait, turn: make(chan struct{}, 1)} }

// Pause must be called before a line is armed, and done once it was, or wasn't. The error says why it must not be.
func (p *Pauser) Pause(ctx context.Context, name, capture string) (done func(), err error) {
	p.mu.Lock()
	l := p.lines[name]
	if l == nil {
		l = newLine()
		p.lines[name] = l
	}
	l.capture, l.due, l.wait = capture, time.Time{}, firstWait
	l.arming++
	p.mu.Unlock()
	done = func() {
		p.mu.Lock()
		l.arming--
		p.mu.Unlock()
		p.lookAgain()
	}
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		done()
		return nil, ctx.Err()
	}
	why := p.tell(ctx, pauses, name, capture)
	<-l.turn
	p.note(ctx, Paused, name, capture, why)
	switch {
	case why == "":
		p.Health.Clear(health.RecorderOn, name)
		return done, nil
	case p.cfg.Required:
		done()
		return nil, &control.Error{Code: control.CodeRecorderOn, Text: fmt.Sprintf("line %s was not armed: the recorder didn't say that it pauses: %s", name, why),
			Remedy: "see that it answers at [recorder_hook] url, and try again"}
	}
	p.Log.Warn("a card is taken although the recorder didn't say that it pauses", "line", name, "capture", capture, "reason", why)
	p.Health.Set(health.RecorderOn, name, why)
	return done, nil
}

func (p *Pauser) lookAgain() {
	select {
	case p.look <- struct{}{}:
	default:
	}
}

// told is what a recorder is told.
type told struct {
	Line    string `json:"line"`
	Capture string `json:"capture"`
	Action  string `json:"action"`
}

// tell makes one attempt, and answers why the recorder didn't say yes.
func (p *Pauser) tell(ctx context.Context, action, name, capture string) (why string) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	body, err := json.Marshal(told{name, capture, action})
	if err != nil {
		return err.Error()
	}
	r := p.Sender.Send(ctx, upstream.Envelope{ID: id.Random("rec_"), Type: "recorder." + action, Key: name, ContentType: "application/json", Body: body})
	switch {
	case r.Outcome == upstream.Delivered:
		return ""
	case ctx.Err() != nil:
		return fmt.Sprintf("no answer within %v", p.cfg.Timeout)
	}
	return r.Reason
}

func (p *Pauser) note(ctx context.Context, action, name, capture, why string) {
	result := "ok"
	if why != "" {
		result = why
	}
	p.Note(context.WithoutCancel(ctx), action, name, result, capture)
}

// Package bond knows which agent is on which line: an agent who has proven that the call in his ear is the one on that line has the line until that call is over.
//
// It exists because a masked path proves nothing to an agent whose call goes another way: he would start a card on one line while the caller keys on another, and hear
// every key. Two words are spoken into the agent's side of one line, and nowhere else; who picks them is there.
//
// It promises that a line is nobody's beyond the edge of a call, and an agent's on one line at a time; that a wrong answer costs the proof, tells nothing of the words,
// and can't be tried fast. It must never know a digit, a caller or a card, and speaks to nobody: who owns it has the words spoken, and is told what changes.
package bond

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/flattone/flattone/audio/words"
)

const (
	// Choices are how many words an agent picks from, two of which were spoken: one guess in 72 is right.
	Choices = 9
	// ProofTime is how long an answer is waited for once the words were spoken.
	ProofTime = time.Minute
	// presumedTime is how long a bond holds without a capture where nobody tells when a call is over.
	presumedTime = 15 * time.Minute
	// mostWrong answers in a row, none of them older than wrongTime, cost waitTime.
	mostWrong = 3
	wrongTime = 15 * time.Minute
	waitTime  = 30 * time.Second
)

// Errors of proofs.
var (
	ErrLanguage = fmt.Errorf("words are spoken in %s", strings.Join(words.Languages(), ", "))
	ErrProving  = errors.New("another agent proves just now that his call is on the line")
	ErrNoProof  = errors.New("there is no such proof, or it is over")
	ErrWrong    = errors.New("these are not the words that were spoken, in that order")
	ErrWait     = errors.New("the words were wrong too often in a row")
)

// Why a bond ended.
type Why string

// The reasons, as the audit log has them.
const (
	GivenUp  Why = "given_up"  // by the agent, or who ends his session
	Moved    Why = "moved"     // he is on another line now
	Taken    Why = "taken"     // another agent has proven to be on the line
	CallEdge Why = "call_edge" // a call began or ended, or nobody tells of calls any more
	Idle     Why = "idle"      // calls are only presumed, and none was taken a card in for a quarter of an hour
	LineDown Why = "line_down" // its process ended
)

// Change is a bond that began (On), or ended and why.
type Change struct {
	Line, Agent string
	On          bool
	Why         Why
}

// Deps of [Bonds].
type Deps struct {
	// Random is crypto/rand's reader.
	Random io.Reader
	// Tell hears of every change, in order. It must not wait, nor call back.
	Tell func(Change)
}

// Bonds are those of all lines. All methods may be called at once from many goroutines.
//
//	          Prove               the right words
//	nobody's ───────▶ asked ─────────────────────▶ bound ──┐ Prove by whomever: asked beside it
//	  ▲  ▲              │                          │    ▲  │
//	  │  └──────────────┘                          │    └──┘ the right words: the other agent's
//	  │   wrong words, a minute, an edge           │
//	  └────────────────────────────────────────────┘
//	      an edge, given up, another line, a quarter of an hour without a capture where calls are presumed
type Bonds struct {
	deps Deps

	mu    sync.Mutex
	lines map[string]*line
	wrong map[string]*tally // by agent
}

// line is one that was ever asked for.
type line struct {
	name     string
	bound    string // the agent
	presumed bool   // nobody tells of its calls
	proof    *Proof
	idle     *time.Timer // ends the bond where calls are presumed; nil where it isn't set
}

// tally counts an agent's wrong answers.
type tally struct {
	n    int
	last time.Time
}

// New has no line be anybody's.
func New(deps Deps) *Bonds {
	return &Bonds{deps: deps, lines: map[string]*line{}, wrong: map[string]*tally{}}
}

// Agent is who is bound to the line; empty if nobody is.
func (b *Bonds) Agent(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.lines[name]; l != nil {
		return l.bound
	}
	return ""
}

// Unbind has the agent give the line up, and does nothing if it isn't his.
func (b *Bonds) Unbind(name, agent string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.of(name); l.bound == agent {
		b.end(l, GivenUp)
	}
}

// Edge says that a call began or ended on the line, or that calls are only presumed there from now on.
func (b *Bonds) Edge(name string, presumed bool) { b.over(name, presumed, CallEdge) }

// Down says that the line's process has ended.
func (b *Bonds) Down(name string) { b.over(name, false, LineDown) }

// over ends whatever was of the line's call.
func (b *Bonds) over(name string, presumed bool, why Why) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.of(name)
	l.presumed, l.proof = presumed, nil
	b.end(l, why)
}

// Captures says that a card is taken on the line just now.
func (b *Bonds) Captures(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l := b.of(name); l.idle != nil {
		l.idle.Reset(presumedTime)
	}
}

// of is the line of that name. The caller holds mu.
func (b *Bonds) of(name string) *line {
	l := b.lines[name]
	if l == nil {
		l = &line{name: name}
		b.lines[name] = l
	}
	return l
}

// begin binds a line. The caller holds mu.
func (b *Bonds) begin(l *line, agent string) {
	for _, other := range b.lines {
		if other != l && other.bound == agent {
			b.end(other, Moved)
		}
	}
	if l.bound == agent { // once more, which is no change
		b.wind(l)
		return
	}
	b.end(l, Taken)
	l.bound = agent
	b.wind(l)
	b.deps.Tell(Change{Line: l.name, Agent: agent, On: true})
}

// wind has the bond end by itself, where calls are presumed. The caller holds mu.
func (b *Bonds) wind(l *line) {
	if !l.presumed {
		return
	}
	if l.idle != nil {
		l.idle.Reset(presumedTime)
		return
	}
	var t *time.Timer
	t = time.AfterFunc(presumedTime, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if l.idle == t {
			b.end(l, Idle)
		}
	})
	l.idle = t
}

// end has a line be nobody's. The caller holds mu.
func (b *Bonds) end(l *line, why Why) {
	if l.idle != nil {
		l.idle.Stop()
		l.idle = nil
	}
	if agent := l.bound; agent != "" {
		l.bound = ""
		b.deps.Tell(Change{Line: l.name, Agent: agent, Why: why})
	}
}

// Package session is one call on one line: it arms the masking, feeds the caller's keys to a capture, hands
// the finished card over and keeps it until somebody says it is stored.
//
// It exists so that being armed belongs to the call and not to the process (a mark on the disk outlives a
// crash), and so that everything that is decided about a call is decided in one place, by one goroutine.
//
// It promises: while a capture is under way the path is armed; every way out, a crash excepted, wipes the card
// and lowers the grade, never before; after a crash, or where the state of the call can't be learnt, the line
// comes up held: the caller masked, nothing captured, until the call ends or somebody acknowledges and it is
// quiet. No key of the agent's is ever one of a card's, and nobody on his side is kept from
// calling for help: see numbers. What is told of keys is told in the slots of the flat tones, not when they were recognised. It must
// never give a digit to the observer but in the card of a hand-over, and never open the path by time alone.
package session

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/secret"
)

// Errors of the commands. What stands in the way is wrapped around them.
var (
	// ErrStopped: the session has ended, with its process.
	ErrStopped = errors.New("the line is stopping")
	// ErrBusy: a capture is under way, or its masking isn't over.
	ErrBusy = errors.New("the line is busy with a card: wait until it is idle, or end that with flattone disarm")
	// ErrHeld: the line is closed until it is acknowledged.
	ErrHeld = errors.New("the line is held: acknowledge it once the caller has stopped keying")
	// ErrBarred: something about the line itself stands in the way; its codes follow.
	ErrBarred = errors.New("the line may not take cards, as flattone lines says in words")
	// ErrTuning: an installer measures the line.
	ErrTuning = errors.New("the line is being tuned: wait until that is over, or end it with flattone disarm")
	// ErrTesting: a technician tests one of its legs.
	ErrTesting = errors.New("the line is being tested: wait until that is over, or end it with flattone disarm")
	// ErrInCall: what was asked for would be heard by people.
	ErrInCall = errors.New("there is a call on the line: do it when that is over")
	// ErrNotTuning: whatever was measured on the line was disturbed.
	ErrNotTuning = errors.New("the tuning was cut short")
	// ErrNoCall: there is nobody to key a card.
	ErrNoCall = errors.New("no call on the line: arm when there is one")
	// ErrProfile: no such profile.
	ErrProfile = errors.New("unknown profile")
	// ErrNoCapture: nothing is being captured, or another card.
	ErrNoCapture = errors.New("no card is being taken")
	// ErrComplete: the card is on its way into the vault.
	ErrComplete = errors.New("the card is complete, and being stored: it can't be cancelled any more")
	// ErrNotHeld: there is nothing to acknowledge.
	ErrNotHeld = errors.New("the line is not held")
)

// ErrBroken ends Run: the path failed, and only a new process has a sound one.
var ErrBroken = errors.New("the sample path failed: the line is closed until its process is started again")

// Path is what a session needs of [path.Path], whose contract it is.
type Path interface {
	SetGrade(mask.Grade)
	Grade() mask.Grade
	Settled() bool
	Broken() bool
	Open()
	OpenField(bool)
	Cover(bool)
	Position() audio.Position
	Next() (path.Event, bool)
	LastSpeech() audio.Position
	CalmFrom() audio.Position
	Stats() path.Stats
}

// Observer is told what happens, in order, by the session's goroutine: it must not call the session back, and
// should return soon. Codes, counts and what may be known of a card are all it learns.
type Observer interface {
	// State tells a new state of the line, the capture it is about ("" for none), and the reason for void and
	// held ("" otherwise). It is also called once when Run begins.
	State(s State, captureID string, reason capture.Code)
	// Key tells how many stars a field shows.
	Key(captureID string, f capture.Field, stars int)
	// Verdict tells the outcome of a field: an event of kind [capture.Verdict].
	Verdict(captureID string, v capture.Event)
	// Warning tells the agent something that doesn't end the capture.
	Warning(captureID string, c capture.Code)
	// Covered tells that the caller is replaced by noise on purpose, and when that is over.
	Covered(on bool)
	// Codec tells that keys are suspected too late on this line ([capture.CodecPoor]), and which look-ahead would do; 0 that they are
	// in time again.
	Codec(needs time.Duration)
	// Barred tells that the line can't be armed for as long as something about itself stands in the way, and when that is over.
	Barred(code capture.Code, on bool)
	// Asked tells what the agent asks for by keys. Nothing is done yet: whoever is told does it, or says why not.
	Asked(a Ask)
	// HandOver gives the complete card, again after Reconnected and after a failure that isn't final. The card
	// is valid during the call only.
	HandOver(h HandOver, card *secret.Card)
}

// HandOver is what may be told of a complete card.
type HandOver struct {
	// Capture is the id under which the card is stored, once however often it is handed over.
	Capture, Profile string
	Brand            capture.Brand
	Last4            string
	// ExpiryMonth is 1 to 12, ExpiryYear has four digits; 0 where the profile asks for no expiry.
	ExpiryMonth, ExpiryYear int
}

// Config of a Session.
type Config struct {
	// Line names the line and its mark.
	Line string
	Rate audio.Rate
	// LookAhead is the path's.
	LookAhead time.Duration
	// MarkDir is the folder of the marks. It should outlive the process and not a reboot.
	MarkDir string
	// Profiles by name. Default is the one that an empty name arms.
	Profiles map[string]capture.Profile
	Default  string
	// TalkingKeypads are the profiles, by name, whose callers have phones that speak the keys: they are covered while they key.
	TalkingKeypads map[string]bool
	// Bars stand in the way of arming from the beginning: see [Session.Bar].
	Bars []capture.Code
	// AgentKeys are what the agent keys to ask for something, 0-9 * # A-D; none of them within another. What has none can't be asked for.
	AgentKeys map[Ask]string
	// Emergency are the numbers that open the line where the agent dials one, 0-9.
	Emergency []string
	// Wire: while the path or its self-test has failed and the line is idle, the caller passes as he is. The path must have been made so, too.
	Wire bool
	// Silence on both legs is the end of a call that is only presumed; 0 for never.
	Silence time.Duration
	// AckDeadline is how long a card is kept for want of an answer; default 30 s.
	AckDeadline time.Duration
}

// Deps are what a Session works with.
type Deps struct {
	Path     Path
	Observer Observer
	// Today gives the date that expiry is judged by.
	Today func() time.Time
	// Cue, if not nil, is told the position at which the caller is to hear that a key was taken.
	Cue func(at audio.Position)
	// Dial, if not nil, is told the number that the caller's side is to hear now.
	Dial func(number string)
}

// Session runs one line's calls. Its methods are safe for concurrent use: they wait for their turn on the
// session's goroutine, so they return [ErrStopped] once Run has, and block until it runs.
type Session struct {
	cfg     Config
	deps    Deps
	mark    mark
	posts   chan post
	answers sync.Pool // of channels that post.done was: a hundred a second are needed, and a line leaves no garbage behind
	stopped chan struct{}
	call    call
}

// post is a piece of work for the session's goroutine.
type post struct {
	work func()
	done chan struct{}
}

// New takes over the path: it comes up idle, or held (see the package). The mark's folder is created if need be.
func New(cfg Config, deps Deps) (*Session, error) {
	if cfg.Line == "" || cfg.Line != filepath.Base(cfg.Line) || cfg.Line[0] == '.' {
		return nil, fmt.Errorf("session: %q can't name a line's mark: use a plain name", cfg.Line)
	}
	if !cfg.Rate.Supported() {
		return nil, fmt.Errorf("session: a rate of %v isn't supported: use 8000, 16000, 44100 or 48000", cfg.Rate)
	}
	var errs []error
	for name, p := range cfg.Profiles {
		if err := p.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("session: profile %s: %w", name, err))
		}
	}
	if _, ok := cfg.Profiles[cfg.Default]; !ok {
		errs = append(errs, fmt.Errorf("%w: %q, the default", ErrProfile, cfg.Default))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if cfg.AckDeadline == 0 {
		cfg.AckDeadline = 30 * time.Second
	}
	s := &Session{cfg: cfg, deps: deps, mark: mark{dir: cfg.MarkDir, line: cfg.Line}, posts: make(chan post), stopped: make(chan struct{})}
	asks, err := newAsks(cfg.AgentKeys, cfg.Rate)
	if err != nil {
		return nil, err
	}
	s.call.asks = asks
	if s.call.numbers, err = newNumbers(cfg.Emergency, cfg.Rate, deps.Path.Position()); err != nil {
		return nil, err
	}
	s.answers.New = func() any { return make(chan struct{}, 1) }
	s.call.init(s)
	return s, nil
}

// Run is the session. It returns nil when ctx ends, and [ErrBroken] when the path has failed; what was being captured
// is then wiped, and if there was anything, the path is closed and the mark stays for the next process to find. Run
// is called once.
func (s *Session) Run(ctx context.Context) error {
	defer close(s.stopped)
	c := &s.call
	if err := c.begin(); err != nil {
		return err
	}
	defer c.quit()
	for {
		select {
		case <-ctx.Done():
			return nil
		case p := <-s.posts:
			p.work()
			p.done <- struct{}{}
			if c.broken {
				return ErrBroken
			}
		case <-c.deadline.C:
			c.giveUp()
		case <-c.again.C:
			c.handOver()
		}
	}
}

// do has the session's goroutine do work, and waits for it.
func (s *Session) do(work func()) error {
	done := s.answers.Get().(chan struct{})
	defer s.answers.Put(done)
	select {
	case s.posts <- post{work, done}:
		<-done
		return nil
	case <-s.stopped:
		return ErrStopped
	}
}

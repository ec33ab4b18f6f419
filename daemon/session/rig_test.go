package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/hw"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	visa   = "4242424242424242"
	second = audio.Position(8000)
	slot   = audio.Position(800)
)

// fakePath meets the session's view of a path: a grade once lowered from Armed stays for the tail of path.Path,
// and what the caller does is put in by hand.
type fakePath struct {
	at, speech, suspicion, lowered audio.Position
	asked                          mask.Grade
	armed                          bool
	open                           bool   // it was opened, and not more was asked for since
	fields                         string // each OpenField: ( for open, ) for closed
	shut                           audio.Position
	blinked                        bool // a field was opened in the tick in which it was closed
	events                         []path.Event
	faults                         int64
	broken                         bool
	through                        bool // and lets the caller through, until more than Idle is asked for
	margin                         int  // of the keys
	covered                        bool
}

func newFakePath() *fakePath {
	return &fakePath{speech: -1, suspicion: -1, asked: mask.Closed, margin: 160}
}

func (p *fakePath) SetGrade(g mask.Grade) {
	if p.armed && g != mask.Armed && p.asked == mask.Armed {
		p.lowered = p.at
	}
	p.asked, p.through = g, p.through && g <= mask.Idle
	p.armed = p.armed || g == mask.Armed
	p.open = p.open && g <= mask.Idle
}

// Open ends the tail 160 ms after the last suspicion.
func (p *fakePath) Open() {
	p.armed, p.asked, p.open = p.armed || p.asked >= mask.Armed, mask.Idle, true
}

func (p *fakePath) Grade() mask.Grade {
	switch {
	case p.broken && p.through:
		return mask.Pass
	case p.broken:
		return mask.Closed
	case p.armed && p.asked < mask.Armed:
		return mask.Armed
	}
	return p.asked
}

func (p *fakePath) Broken() bool { return p.broken }

func (p *fakePath) Settled() bool { return p.asked == mask.Armed || !p.armed }

func (p *fakePath) OpenField(open bool) {
	if open {
		p.fields += "("
		p.blinked = p.blinked || p.shut > 0 && p.at < p.shut+2*8
	} else {
		p.fields += ")"
		p.shut = p.at
	}
}

func (p *fakePath) Cover(on bool) { p.covered = on }

func (p *fakePath) Position() audio.Position   { return p.at }
func (p *fakePath) LastSpeech() audio.Position { return p.speech }
func (p *fakePath) CalmFrom() audio.Position   { return p.suspicion }
func (p *fakePath) Stats() path.Stats          { return path.Stats{Frames: int64(p.at), Faults: p.faults} }

func (p *fakePath) Next() (path.Event, bool) {
	if len(p.events) == 0 || p.events[0].Decided > p.at {
		return path.Event{}, false
	}
	e := p.events[0]
	p.events = p.events[1:]
	return e, true
}

// pass is what the path does of itself as time passes.
func (p *fakePath) pass(at audio.Position) {
	p.at = at
	if tail := at >= p.lowered+second && at >= p.suspicion+3*second; p.asked != mask.Armed && (tail || p.open && at >= p.suspicion+1280) {
		p.armed = false
	}
}

// key presses a key now, for 60 ms. Its slot is the next but one.
func (p *fakePath) key(k byte) {
	d, ok := audio.NewDigit(k)
	if !ok {
		panic("no such key")
	}
	from := p.at
	p.suspicion = from + 480
	p.events = append(p.events,
		path.Event{Kind: path.Key, Digit: d, Start: from, Decided: from + 240, Slot: (from/slot + 2) * slot, Margin: p.margin},
		path.Event{Kind: path.KeyEnd, Start: from, End: from + 480, Decided: from + 500, Slot: -1})
}

// agentKey is a key on the agent's leg, which begins now. Which one it is decides a little when that is known, as of a real one.
func (p *fakePath) agentKey(k byte) {
	d, ok := audio.NewDigit(k)
	if !ok {
		panic("no such key")
	}
	p.events = append(p.events, path.Event{Kind: path.AgentKey, Digit: d, Start: p.at, Decided: p.at + 200 + audio.Position(k%4)*60, Slot: -1})
}

// log is an observer that writes down what it is told.
type log struct {
	said  []string
	cards []session.HandOver
	card  *secret.Card
	fits  func(*secret.Card) bool // if set, what a card must be
	wrong bool
}

func (l *log) State(s session.State, id string, reason capture.Code) {
	l.said = append(l.said, strings.TrimRight(fmt.Sprintf("%s %s %s", s, id, reason), " "))
}

func (l *log) Key(_ string, f capture.Field, stars int) {
	l.said = append(l.said, fmt.Sprintf("%v:%d", f, stars))
}

func (l *log) Verdict(_ string, v capture.Event) {
	l.said = append(l.said, fmt.Sprintf("%v %s", v.Field, v.Code))
}

func (l *log) Warning(_ string, c capture.Code) { l.said = append(l.said, "warn "+string(c)) }

func (l *log) Barred(code capture.Code, on bool) {
	l.said = append(l.said, fmt.Sprintf("barred %s %v", code, on))
}

func (l *log) Codec(needs time.Duration) {
	l.said = append(l.said, fmt.Sprintf("codec needs %v", needs))
}

func (l *log) Covered(on bool) { l.said = append(l.said, fmt.Sprintf("covered %v", on)) }

func (l *log) Asked(a session.Ask) { l.said = append(l.said, "asked "+string(a)) }

func (l *log) HandOver(h session.HandOver, card *secret.Card) {
	l.said = append(l.said, "card "+h.Capture)
	l.cards, l.card = append(l.cards, h), card
	if l.fits != nil && !l.fits(card) {
		l.wrong = true
	}
}

// rig is a session that runs, on a fake path.
type rig struct {
	t    *testing.T
	s    *session.Session
	path *fakePath
	log  *log
	cues []audio.Position
	// dialled are the numbers that the caller's side was to hear.
	dialled []string
	dir     string
	stop    func()
	// ends is what Run is to return.
	ends error
}

type option func(*session.Config)

func in(dir string) option { return func(c *session.Config) { c.MarkDir = dir } }

func newRig(t *testing.T, opts ...option) *rig {
	t.Helper()
	r := &rig{t: t, path: newFakePath(), log: &log{}, dir: filepath.Join(t.TempDir(), "marks")}
	cfg := session.Config{
		Line: "desk-1", Rate: audio.Rate8k, LookAhead: 30 * time.Millisecond, MarkDir: r.dir, Default: "card",
		Profiles:       map[string]capture.Profile{"card": {}, "number": {Fields: []capture.Field{capture.PAN}}, "spoken": {Fields: []capture.Field{capture.PAN, capture.CVV}}},
		TalkingKeypads: map[string]bool{"spoken": true},
	}
	for _, o := range opts {
		o(&cfg)
	}
	r.dir = cfg.MarkDir
	today := func() time.Time { return time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC) }
	s, err := session.New(cfg, session.Deps{
		Path: r.path, Observer: r.log, Today: today,
		Cue:  func(at audio.Position) { r.cues = append(r.cues, at) },
		Dial: func(number string) { r.dialled = append(r.dialled, number) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.s = s
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- s.Run(ctx) }()
	stopped := false
	r.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ran; !errors.Is(err, r.ends) || r.ends == nil && err != nil {
			t.Errorf("the session ended with %v, and should with %v", err, r.ends)
		}
	}
	t.Cleanup(r.stop)
	r.ok(s.Follow(1)) // it runs
	return r
}

func (r *rig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// pass lets audio time pass, a period of 20 ms at a time.
func (r *rig) pass(d time.Duration) {
	r.t.Helper()
	end := r.path.at + audio.Position(audio.Rate8k.Frames(d))
	for r.path.at < end {
		r.path.pass(min(end, r.path.at+160))
		r.ok(r.s.Follow(r.path.at))
	}
}

// sleep lets the wall's time pass, and the session act on it.
func (r *rig) sleep(d time.Duration) {
	r.t.Helper()
	r.ok(r.s.Follow(0)) // hands what the test wrote to the session's goroutine
	time.Sleep(d)
	synctest.Wait()
	r.ok(r.s.Follow(0)) // and back
}

// keys presses keys, five a second, and waits for the last one's slot.
func (r *rig) keys(keys string) {
	r.t.Helper()
	for _, k := range []byte(keys) {
		r.path.key(k)
		r.pass(200 * time.Millisecond)
	}
}

func (r *rig) armed(profile string) *rig {
	r.t.Helper()
	r.ok(r.s.Edge(hw.Edge{Kind: hw.CallBegan, At: r.path.at}))
	r.ok(r.s.Arm("cap", profile))
	r.log.said = nil
	return r
}

// finished has keyed the whole card.
func (r *rig) finished() *rig {
	r.t.Helper()
	r.armed("number").keys(visa)
	r.log.said = nil
	return r
}

func (r *rig) expect(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.log.said, want) {
		r.t.Errorf("the session says\n  %q\nand should say\n  %q", r.log.said, want)
	}
	r.log.said = nil
}

func (r *rig) marked() bool {
	_, err := os.Stat(filepath.Join(r.dir, "desk-1"))
	return err == nil
}

// is checks what must hold in every state.
func (r *rig) is(s session.State) {
	r.t.Helper()
	grade := map[session.State]mask.Grade{
		session.Idle: mask.Idle, session.Armed: mask.Armed, session.Keying: mask.Armed,
		session.Done: mask.Idle, session.Void: mask.Idle, session.Held: mask.Closed,
		session.Tuning: mask.Closed, session.Testing: mask.Closed,
	}[s]
	if r.path.asked != grade {
		r.t.Errorf("%s: the path has grade %v", s, r.path.asked)
	}
	if r.marked() == (s == session.Idle || s == session.Tuning || s == session.Testing) {
		r.t.Errorf("%s: marked is %v", s, r.marked())
	}
}

func virtual(t *testing.T, body func(*testing.T)) { t.Helper(); synctest.Test(t, body) }

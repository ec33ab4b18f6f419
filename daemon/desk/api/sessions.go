package api

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/id"
)

// How many sessions there may be of a client, and how long one is kept after its last change.
const (
	mostSessions = 2_000
	keptFor      = 24 * time.Hour
)

const sessionPrefix = "ses_"

// session is one card that a client has taken. Its fields are guarded by the sessions' mu, but for what never changes.
type session struct {
	client, agent string
	wish          wish
	proof         string // that was asked for last
	capture       string
	starting      bool
	seen          Session
	watchers      map[chan Session]struct{}
}

// sessions are all there are. Safe for concurrent use.
type sessions struct {
	mu  sync.Mutex
	all map[string]*session
}

func newSessions() *sessions { return &sessions{all: map[string]*session{}} }

// add makes one, if there is room.
func (a *sessions) add(client string, what wish, now time.Time) (Session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for key, s := range a.all {
		if now.Sub(s.seen.Changed) > keptFor && len(s.watchers) == 0 {
			delete(a.all, key)
		} else if s.client == client {
			n++
		}
	}
	if n >= mostSessions {
		return Session{}, problemOf(http.StatusTooManyRequests, "too_many", "there are too many sessions", "cancel those that nobody needs")
	}
	s := &session{client: client, agent: what.Agent, wish: what, watchers: map[chan Session]struct{}{}}
	s.seen = Session{ID: id.Random(sessionPrefix), Seq: 1, Agent: what.Agent, Reference: what.Reference, Amount: what.Amount, Currency: what.Currency, State: stateCreated, Created: now, Changed: now}
	a.all[s.seen.ID] = s
	return s.seen, nil
}

// of is a client's session; another's is none.
func (a *sessions) of(client, key string) (*session, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.all[key]; s != nil && s.client == client {
		return s, nil
	}
	return nil, problemOf(http.StatusNotFound, "unknown_session", "there is no such session", "sessions are kept for a day after their last change, and end with the desk")
}

// seen is how a session stands.
func (a *sessions) seen(s *session) Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	return s.seen
}

// change has a session be as do makes it, and tells its watchers where a client would see a difference.
func (a *sessions) change(s *session, now time.Time, do func(*session, Session) Session) Session {
	a.mu.Lock()
	defer a.mu.Unlock()
	after := do(s, s.seen)
	if after.same(s.seen) {
		return s.seen
	}
	after.Seq, after.Changed = s.seen.Seq+1, now
	s.seen = after
	for w := range s.watchers {
		select { // newest wins
		case <-w:
		default:
		}
		w <- after
	}
	return after
}

// watch answers with how the session stands, and then with what becomes of it, the newest only. stop ends it.
func (a *sessions) watch(s *session) (changes <-chan Session, stop func()) {
	w := make(chan Session, 1)
	a.mu.Lock()
	defer a.mu.Unlock()
	w <- s.seen
	s.watchers[w] = struct{}{}
	return w, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(s.watchers, w)
	}
}

// open are those of which something may still come.
func (a *sessions) open() (open []*session) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.all {
		if !s.seen.over() && s.seen.Line != "" {
			open = append(open, s)
		}
	}
	return open
}

// follow has the open sessions stand as their lines do.
func (a *API) follow(now time.Time) {
	views := a.deps.Board.Views()
	for _, s := range a.sessions.open() {
		a.sessions.change(s, now, func(s *session, seen Session) Session {
			i := slices.IndexFunc(views, func(v board.View) bool { return v.Line == seen.Line })
			if i < 0 || s.starting {
				return seen
			}
			return seen.after(s.capture, views[i])
		})
	}
}

// ask learns what came of a session's payment, which its line need not show any more.
func (a *API) ask(ctx context.Context, s *session) error {
	seen := a.sessions.seen(s)
	if seen.Payment == "" || seen.over() && seen.Token != "" {
		return nil
	}
	p, err := a.deps.For(s.agent).Payment(ctx, seen.Payment)
	if err != nil {
		return err
	}
	a.paid(s, p)
	return nil
}

func (a *API) paid(s *session, p control.Payment) Session {
	return a.sessions.change(s, time.Now(), func(_ *session, seen Session) Session { return seen.paid(p) })
}

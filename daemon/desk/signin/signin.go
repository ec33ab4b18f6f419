// Package signin knows who sits at the desk: it signs agents in, keeps their sessions, and lets nobody else past.
//
// It exists so that every command on a line is a named person's, and ends being possible when that person's shift does. An agent is signed in by a code
// that a technician made for him, or by the identity provider of his employer; flattoned keeps the codes, and the provider keeps the passwords, so that
// there is nothing here to steal but sessions, which are in memory.
//
// It promises that a session's id is 256 bits of chance, that it is new at every sign-in, that it ends by idleness, by the shift's end and by the provider's
// word, and that whatever was begun under it, streams above all, ends with it. It never writes down what people type, nor tells anybody why a code was wrong.
package signin

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/flattone/flattone/daemon/config"
)

// cookie is the session's. With this prefix browsers take it from this host alone, for all of it, and in TLS only.
const cookie = "__Host-desk"

// SignIn signs agents in. New makes it; its methods may be called by many goroutines at once.
type SignIn struct {
	cfg      config.SignIn
	framed   bool
	log      *slog.Logger
	box      Box
	pages    *pages
	oidc     *provider // nil: there is none
	sessions *sessions
	asking   chan struct{}
	// following are the sessions whose provider is asked whether it stands by them.
	following sync.WaitGroup
}

// Deps are what a SignIn works with.
type Deps struct {
	Log *slog.Logger
	Box Box
	// Stylesheet is where the panel's is: the page of signing in looks the same.
	Stylesheet string
}

// New is a desk where nobody is signed in yet. The identity provider need not answer.
func New(cfg *config.Desk, d Deps) (*SignIn, error) {
	s := &SignIn{cfg: cfg.SignIn, framed: len(cfg.FrameAncestors) > 0, log: d.Log, box: d.Box, sessions: newSessions(cfg.SignIn.Idle), asking: make(chan struct{}, mostAsking)}
	var err error
	if s.pages, err = newPages(cfg.Brand, d.Stylesheet); err != nil {
		return nil, err
	}
	if cfg.SignIn.OIDC != nil {
		if s.oidc, err = newProvider(cfg); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Close signs everybody out, and has streams end with that.
func (s *SignIn) Close() {
	s.sessions.close()
	s.following.Wait()
}

// Handler has the pages below /signin, and /signout.
func (s *SignIn) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /signin", s.first)
	mux.HandleFunc("POST /signout", s.out)
	if s.cfg.Pairing {
		mux.HandleFunc("POST /signin/pair", s.pair)
	}
	if s.oidc != nil {
		mux.HandleFunc("GET /signin/oidc", s.toProvider)
		mux.HandleFunc("GET /signin/oidc/back", s.fromProvider)
		mux.HandleFunc("POST /signin/oidc/logout", s.loggedOut)
	}
	return mux
}

// first is the page where somebody signs in who isn't.
func (s *SignIn) first(w http.ResponseWriter, r *http.Request) {
	if s.of(r, false) != nil {
		http.Redirect(w, r, local(r.FormValue("then")), http.StatusSeeOther)
		return
	}
	s.page(w, r, http.StatusOK, "")
}

// Required lets agents through to next, who finds them by [AgentOf]. A request's context ends with its session. Somebody who isn't signed in is sent to sign
// in, if it is a page that he wants, and is told 401 otherwise.
func (s *SignIn) Required(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A panel that merely watches isn't somebody who does something.
		watches := strings.HasPrefix(r.Header.Get("Accept"), "text/event-stream")
		found := s.of(r, !watches)
		if found == nil {
			s.refuse(w, r)
			return
		}
		ctx, cancel := contextOf(r, found)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s *SignIn) refuse(w http.ResponseWriter, r *http.Request) {
	page := (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
	if !page {
		http.Error(w, "not signed in", http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, "/signin?then="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
}

// of is the session of a request; nil if it has none.
func (s *SignIn) of(r *http.Request, used bool) *session {
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	return s.sessions.of(c.Value, used)
}

// begin signs somebody in. Whatever session the browser had is over: nobody can have known the new one's id.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request, a Agent, until time.Time, said *word) *session {
	if c, err := r.Cookie(cookie); err == nil {
		s.sessions.finish(c.Value)
	}
	if shift := time.Now().Add(s.cfg.Shift); until.IsZero() || until.After(shift) {
		until = shift
	}
	id, begun := s.sessions.begin(a, until, said)
	http.SetCookie(w, s.bake(cookie, id, 0))
	s.log.Info("an agent signed in", "agent", a.Name, "supervisor", a.Supervisor)
	return begun
}

// bake makes a cookie that scripts don't see. A panel within another's page is a third party there, whose cookies browsers keep apart for each such page
// (CHIPS), and only if they are asked to. Lax, not Strict: the way back from an identity provider begins at the provider.
func (s *SignIn) bake(name, value string, maxAge int) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if s.framed {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c
}

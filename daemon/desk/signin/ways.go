package signin

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// toProvider sends somebody to sign in at the provider.
func (s *SignIn) toProvider(w http.ResponseWriter, r *http.Request) {
	address, sealed, err := s.oidc.there(r.Context(), local(r.FormValue("then")))
	if err != nil {
		s.notIn(w, r, err)
		return
	}
	http.SetCookie(w, s.bake(flowCookie, sealed, int(flowTime.Seconds())))
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// fromProvider signs in who comes back.
func (s *SignIn) fromProvider(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie(flowCookie)
	if err != nil {
		s.notIn(w, r, errFlow)
		return
	}
	http.SetCookie(w, s.bake(flowCookie, "", -1)) // once
	word, then, err := s.oidc.here(r.Context(), c.Value, r.URL.Query())
	if err != nil {
		s.notIn(w, r, err)
		return
	}
	until := word.until
	if word.token.RefreshToken != "" {
		until = time.Time{} // follow ends it
	}
	found := s.begin(w, r, word.agent, until, &word)
	if word.token.RefreshToken != "" {
		s.following.Go(func() { s.follow(found, word) })
	}
	http.Redirect(w, r, then, http.StatusSeeOther)
}

func (s *SignIn) notIn(w http.ResponseWriter, r *http.Request, err error) {
	s.log.Warn("somebody whom the identity provider sent isn't signed in", "from", r.RemoteAddr, "error", err)
	switch {
	case errors.Is(err, errFlow):
		s.page(w, r, http.StatusBadRequest, "signin.again")
	case errors.Is(err, errMixed), errors.Is(err, errDenied), errors.Is(err, errToken), errors.Is(err, errNotYou):
		s.page(w, r, http.StatusForbidden, "signin.not_you")
	default:
		s.page(w, r, http.StatusServiceUnavailable, "signin.provider_away")
	}
}

const (
	// renewBefore is how long before the provider's word is over it is asked again, and askAgain how long one is left alone that doesn't answer.
	renewBefore = 30 * time.Second
	askAgain    = 5 * time.Second
)

// follow has a session last as long as the provider stands by its word: it is asked shortly before that is over, and a no, or none when it is over, ends the session.
func (s *SignIn) follow(of *session, said word) {
	next := time.NewTimer(time.Until(said.until.Add(-renewBefore)))
	defer next.Stop()
	for {
		select {
		case <-of.ctx.Done():
			return
		case <-next.C:
		}
		ctx, cancel := context.WithDeadline(of.ctx, said.until)
		newer, err := s.oidc.renew(ctx, said)
		cancel()
		wait := askAgain
		switch {
		case err == nil:
			said = newer
			of.renewed(newer)
			wait = max(time.Until(said.until.Add(-renewBefore)), askAgain)
		case !errors.Is(err, errAway) || !time.Now().Before(said.until):
			s.log.Info("an agent's session is over, as the identity provider no longer stands by it", "agent", of.agent.Name, "error", err)
			of.end()
			return
		}
		next.Reset(min(wait, max(time.Until(said.until), 0)))
	}
}

// out signs somebody out, at the provider, too.
func (s *SignIn) out(w http.ResponseWriter, r *http.Request) {
	var raw string
	if c, err := r.Cookie(cookie); err == nil {
		raw = s.sessions.finish(c.Value)
	}
	http.SetCookie(w, s.bake(cookie, "", -1))
	if raw != "" && s.oidc != nil {
		if address := s.oidc.away(r.Context(), raw); address != "" {
			// Not by a redirect: browsers hold that of a form against form-action.
			w.Header().Set("Refresh", "0; url="+address)
			s.page(w, r, http.StatusOK, "")
			return
		}
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

package signin

import (
	"context"
	"net/http"

	"github.com/coreos/go-oidc/v3/oidc"
)

// logoutEvent is what a logout token says, and no other token does (OpenID Connect Back-Channel Logout 1.0, 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// loggedOut is the provider telling that somebody's sessions are over: it comes from the provider itself, and proves that by its signature alone.
func (s *SignIn) loggedOut(w http.ResponseWriter, r *http.Request) {
	select {
	case s.asking <- struct{}{}: // a key that isn't known yet is asked for, and anybody may name one
		defer func() { <-s.asking }()
	default:
		http.Error(w, "too many ask just now", http.StatusServiceUnavailable)
		return
	}
	subject, sid, err := s.oidc.loggedOut(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		s.log.Warn("what should have been the identity provider's word that somebody is logged out isn't", "from", r.RemoteAddr, "error", err)
		http.Error(w, "that is no logout token", http.StatusBadRequest)
		return
	}
	ended := s.sessions.endOf(subject, sid)
	s.log.Info("the identity provider has logged somebody out", "sessions", ended)
}

// loggedOut judges a logout token: it has one of a subject and a session, or both.
func (p *provider) loggedOut(ctx context.Context, raw string) (subject, sid string, err error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	token, err := d.verifier.Verify(oidc.ClientContext(ctx, p.client), raw)
	if err != nil {
		return "", "", errToken
	}
	var claims struct {
		SID    string                    `json:"sid"`
		Nonce  *string                   `json:"nonce"`
		Events map[string]map[string]any `json:"events"`
	}
	if err := token.Claims(&claims); err != nil || claims.Nonce != nil || claims.Events[logoutEvent] == nil || token.Subject == "" && claims.SID == "" {
		return "", "", errToken
	}
	return token.Subject, claims.SID, nil
}

// endOf ends the sessions that the provider means: one, if it names one, else all of a subject.
func (s *sessions) endOf(subject, sid string) (ended int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.all {
		said := one.word()
		if said != nil && (sid == "" || said.sid == sid) && (subject == "" || said.subject == subject) {
			one.end()
			ended++
		}
	}
	return ended
}

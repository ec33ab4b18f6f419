package signin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// Box is the part of [control.Client] that knows the codes.
type Box interface {
	RedeemPairing(ctx context.Context, code string) (control.Pairing, error)
}

// mostAsking bounds the codes that flattoned is asked about at a time: whoever guesses must not keep the panel's own questions out.
const mostAsking = 4

// longestCode bounds what is taken for a code.
const longestCode = 32

// pair signs somebody in by a code.
func (s *SignIn) pair(w http.ResponseWriter, r *http.Request) {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	default:
		s.page(w, r, http.StatusServiceUnavailable, "signin.busy")
		return
	}
	code := r.PostFormValue("code")
	if code == "" || len(code) > longestCode {
		s.page(w, r, http.StatusForbidden, "signin.wrong")
		return
	}
	p, err := s.box.RedeemPairing(r.Context(), code)
	refused, isRefusal := errors.AsType[*control.Error](err)
	switch {
	case err == nil:
		s.begin(w, r, Agent{p.Agent, p.Supervisor}, time.Time{}, nil)
		http.Redirect(w, r, local(r.PostFormValue("then")), http.StatusSeeOther)
	case isRefusal && refused.Code == control.CodePairing:
		s.log.Warn("a code for the desk was not taken", "from", r.RemoteAddr, "error", refused.Text)
		s.page(w, r, http.StatusForbidden, "signin.wrong")
	default:
		s.log.Error("nobody can be paired, because flattoned doesn't do it", "error", err)
		s.page(w, r, http.StatusServiceUnavailable, "signin.away")
	}
}

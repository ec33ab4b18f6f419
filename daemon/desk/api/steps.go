package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// created is a session that is new.
type created struct{ Session }

// seenLine is a line, as a client is told of it.
type seenLine struct {
	Line   string   `json:"line"`
	Place  string   `json:"place"`
	State  string   `json:"state"`
	InCall bool     `json:"in_call"`
	Agent  string   `json:"agent,omitempty"`
	Green  bool     `json:"green"`
	Why    []string `json:"why,omitempty"`
}

func (a *API) lines(r *http.Request) (any, error) {
	all := []seenLine{}
	for _, v := range a.deps.Board.Views() {
		if !a.may(clientOf(r.Context()), v.Line) {
			continue
		}
		l := seenLine{Line: v.Line, Place: v.Place, State: v.State, InCall: v.InCall, Agent: v.Bound}
		if why := cmp.Or(v.Blocked(), v.Red(v.Bound)); why != "" {
			l.Why = []string{why}
		}
		l.Green = len(l.Why) == 0
		all = append(all, l)
	}
	return all, nil
}

func (a *API) create(r *http.Request) (any, error) {
	var what wish
	if err := decode(r, &what); err != nil {
		return nil, err
	}
	if err := what.check(); err != nil {
		return nil, err
	}
	s, err := a.sessions.add(clientOf(r.Context()), what, time.Now())
	return created{s}, err
}

func (a *API) inspect(ctx context.Context, s *session, _ *http.Request) (any, error) {
	a.follow(time.Now())
	if err := a.ask(ctx, s); err != nil { // what is known is known
		a.deps.Log.Warn("what came of a payment can't be asked for", "client", s.client, "error", err)
	}
	return a.sessions.seen(s), nil
}

// prove has two words spoken on a line. A session that is under way stays on its line.
func (a *API) prove(ctx context.Context, s *session, r *http.Request) (any, error) {
	ask := struct {
		Line     string `json:"line"`
		Language string `json:"language"`
	}{Language: string(config.English)}
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	if err := a.before(s); err != nil {
		return nil, err
	}
	if _, err := a.view(s.client, ask.Line); err != nil {
		return nil, err
	}
	proof, err := a.deps.For(s.agent).Prove(ctx, ask.Line, ask.Language)
	if err != nil {
		return nil, err
	}
	a.sessions.change(s, time.Now(), func(s *session, seen Session) Session {
		s.proof, seen.Line = proof.ID, ask.Line
		return seen
	})
	return map[string]any{"words": proof.Words}, nil
}

func (a *API) bind(ctx context.Context, s *session, r *http.Request) (any, error) {
	var ask struct {
		Words []string `json:"words"`
	}
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	if err := a.before(s); err != nil {
		return nil, err
	}
	a.sessions.mu.Lock()
	line, proof := s.seen.Line, s.proof
	a.sessions.mu.Unlock()
	if proof == "" {
		return nil, problemOf(http.StatusConflict, control.CodeWrongState, "nothing was spoken to the agent", "ask for words first, with prove")
	}
	if err := a.deps.For(s.agent).Bind(ctx, line, proof, ask.Words); err != nil {
		return nil, err
	}
	return a.sessions.change(s, time.Now(), func(s *session, seen Session) Session {
		s.proof, seen.State = "", stateBound
		return seen
	}), nil
}

// before refuses what only goes before the card is asked for.
func (a *API) before(s *session) error {
	if seen := a.sessions.seen(s); seen.State != stateCreated && seen.State != stateBound {
		return problemOf(http.StatusConflict, control.CodeWrongState, fmt.Sprintf("the session is %s", seen.State), "create another for another card")
	}
	return nil
}

// start readies the line that is bound to the agent, whether it was for this session or at the panel. Two starts of one session don't go side by side.
func (a *API) start(ctx context.Context, s *session, _ *http.Request) (any, error) {
	if err := a.before(s); err != nil {
		return nil, err
	}
	line := a.sessions.seen(s).Line
	if v, is := a.deps.Board.Of(s.agent); is && line == "" {
		line = v.Line
	}
	if _, err := a.view(s.client, line); err != nil {
		return nil, err
	}
	if !a.sessions.starts(s, true) {
		return nil, problemOf(http.StatusConflict, control.CodeWrongState, "the session is being started", "wait for that")
	}
	defer a.sessions.starts(s, false)
	var begun control.Charging
	var err error
	if by := a.deps.For(s.agent); s.wish.Amount == "" && s.wish.Bill == "" {
		begun.Capture, err = by.Arm(ctx, line, s.wish.Profile)
	} else {
		begun, err = by.Charge(ctx, line, s.wish.Profile, s.wish.charge())
	}
	if err != nil {
		return nil, err
	}
	return a.sessions.change(s, time.Now(), func(s *session, seen Session) Session {
		s.capture = begun.Capture
		seen.State, seen.Line, seen.Payment, seen.Later = stateTaking, line, begun.Payment, begun.Later
		return seen
	}), nil
}

// starts notes that a session is being started, or no longer; false if it is already.
func (a *sessions) starts(s *session, now bool) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now && (s.starting || s.capture != "") {
		return false
	}
	s.starting = now
	return true
}

// during does something to the line while its card is being taken.
func (a *API) during(s *session, do func(Commands, string) error) (any, error) {
	seen := a.sessions.seen(s)
	if seen.State != stateTaking {
		return nil, problemOf(http.StatusConflict, control.CodeWrongState, fmt.Sprintf("the session is %s", seen.State), "this is for while the caller keys")
	}
	if err := do(a.deps.For(s.agent), seen.Line); err != nil {
		return nil, err
	}
	return a.sessions.seen(s), nil
}

func (a *API) again(ctx context.Context, s *session, r *http.Request) (any, error) {
	return a.during(s, func(by Commands, line string) error { return by.Again(ctx, line, r.PathValue("field")) })
}

func (a *API) moreTime(ctx context.Context, s *session, _ *http.Request) (any, error) {
	return a.during(s, func(by Commands, line string) error { return by.MoreTime(ctx, line) })
}

// cover needs no card: a caller may begin to read one aloud before he is asked for it.
func (a *API) cover(ctx context.Context, s *session, r *http.Request) (any, error) {
	var ask struct {
		On bool `json:"on"`
	}
	if err := decode(r, &ask); err != nil {
		return nil, err
	}
	line := a.sessions.seen(s).Line
	if _, err := a.view(s.client, line); err != nil {
		return nil, err
	}
	if err := a.deps.For(s.agent).Cover(ctx, line, ask.On); err != nil {
		return nil, err
	}
	return a.sessions.seen(s), nil
}

func (a *API) confirm(ctx context.Context, s *session, _ *http.Request) (any, error) {
	seen := a.sessions.seen(s)
	if seen.Payment == "" {
		return nil, problemOf(http.StatusConflict, control.CodeWrongState, "the session has no payment", "")
	}
	p, err := a.deps.For(s.agent).Confirm(ctx, seen.Payment)
	if err != nil {
		return nil, err
	}
	return a.paid(s, p), nil
}

// cancel ends what can still be ended. A card that is on its way to its provider can't be.
func (a *API) cancel(ctx context.Context, s *session, _ *http.Request) (any, error) {
	by := a.deps.For(s.agent)
	switch seen := a.sessions.seen(s); {
	case seen.over():
		return seen, nil
	case seen.State == stateCreated, seen.State == stateBound:
	case seen.State == stateTaking:
		if err := by.Disarm(ctx, seen.Line); err != nil {
			return nil, err
		}
	case seen.State == stateHeld:
		p, err := by.Cancel(ctx, seen.Payment)
		if err != nil {
			return nil, err
		}
		return a.paid(s, p), nil
	default:
		return nil, problemOf(http.StatusConflict, control.CodeWrongState, fmt.Sprintf("the session is %s: its provider has been asked", seen.State), "wait for the outcome, and have it voided")
	}
	return a.sessions.change(s, time.Now(), func(_ *session, seen Session) Session {
		seen.State = stateCancelled
		return seen
	}), nil
}

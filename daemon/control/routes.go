package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
)

// Limits of a list.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

// call is one entry of the table: it answers with what becomes the JSON body.
type call func(context.Context, Actor, *http.Request) (any, error)

// route is a line of the table from method and path to handler.
type route struct {
	pattern string
	call    call
}

// routes is all that can be asked for; the one stream, GET /v1/events, stands beside it.
func (s *Server) routes() []route {
	b := s.backend
	return []route{
		{"GET /v1/status", func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return b.Status(ctx)
		}},
		{"GET /v1/lines", func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return orEmpty(b.Lines(ctx))
		}},
		{"GET /v1/devices", func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return orEmpty(b.Devices(ctx))
		}},
		{"GET /v1/modems/probe", func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			port := r.URL.Query().Get("port")
			if !filepath.IsAbs(port) {
				return nil, &Error{CodeBadRequest, fmt.Sprintf("%q is no path of a port", port), `name it from the root on ("/dev/...")`}
			}
			return b.ProbeModem(ctx, port)
		}},
		{"POST /v1/lines/{line}/arm", arming(b.Arm)},
		{"POST /v1/lines/{line}/rehearse", arming(b.Rehearse)},
		{"POST /v1/lines/{line}/disarm", command(b.Disarm)},
		{"POST /v1/lines/{line}/more-time", command(b.MoreTime)},
		{"POST /v1/lines/{line}/acknowledge", command(b.Acknowledge)},
		{"POST /v1/lines/{line}/call-began", command(b.CallBegan)},
		{"POST /v1/lines/{line}/call-ended", command(b.CallEnded)},
		{"POST /v1/lines/{line}/answer", command(b.Answer)},
		{"POST /v1/lines/{line}/dial", func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask dialRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Dial(ctx, by, r.PathValue("line"), ask.Number)
		}},
		{"POST /v1/lines/{line}/hang-up", command(b.HangUp)},
		{"POST /v1/lines/{line}/tune", command(b.Tune)},
		{"POST /v1/lines/{line}/restart", func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask forceRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Restart(ctx, by, r.PathValue("line"), ask.Force)
		}},
		{"POST /v1/reload", func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask forceRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return b.Reload(ctx, by, ask.Force)
		}},
		{"GET /v1/lines/{line}/acceptance", func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			return b.Acceptance(ctx, r.PathValue("line"))
		}},
		{"GET /v1/tokens", func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			n, err := limit(r)
			if err != nil {
				return nil, err
			}
			return orEmpty(b.Tokens(ctx, n))
		}},
		{"GET /v1/audit", func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			n, err := limit(r)
			if err != nil {
				return nil, err
			}
			return orEmpty(b.Audit(ctx, n))
		}},
	}
}

const streamPattern = "GET /v1/events"

// arming is a call that takes a line and a profile, and answers with the capture that began.
func arming(do func(ctx context.Context, by Actor, line, profile string) (capture string, err error)) call {
	return func(ctx context.Context, by Actor, r *http.Request) (any, error) {
		var ask armRequest
		if err := decode(r.Body, &ask); err != nil {
			return nil, err
		}
		id, err := do(ctx, by, r.PathValue("line"), ask.Profile)
		return armAnswer{Capture: id}, err
	}
}

// command is a call that takes nothing but the line and answers with nothing but success.
func command(do func(context.Context, Actor, string) error) call {
	return func(ctx context.Context, by Actor, r *http.Request) (any, error) {
		if err := decode(r.Body, &struct{}{}); err != nil {
			return nil, err
		}
		return struct{}{}, do(ctx, by, r.PathValue("line"))
	}
}

// orEmpty makes an absent list an empty one, for clients to whom null is not a list.
func orEmpty[T any](list []T, err error) ([]T, error) {
	if list == nil {
		list = []T{}
	}
	return list, err
}

// handler is the table behind the gate.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	known := []string{streamPattern}
	for _, rt := range s.routes() {
		known = append(known, rt.pattern)
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			by, _ := actorFrom(r.Context())
			ctx, cancel := context.WithTimeout(r.Context(), callTime)
			defer cancel()
			body, err := rt.call(ctx, by, r)
			if err != nil {
				s.refuse(w, r, err)
				return
			}
			answer(w, http.StatusOK, body)
		})
	}
	mux.HandleFunc(streamPattern, s.stream)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, &Error{CodeNoSuchCall, "there is no such call as " + r.Method + " " + r.URL.Path,
			"the calls are: " + strings.Join(known, ", ")})
	})
	return s.gate(mux)
}

// gate refuses everyone whom the policy doesn't allow, and bounds the body.
func (s *Server) gate(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, r.Pattern = mux.Handler(r) // for the log, before the mux gets to it
		by, ok := actorFrom(r.Context())
		if !ok || !s.policy.allows(by) {
			s.refuse(w, r, denied(by, ok, s.group))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

func denied(by Actor, known bool, group string) *Error {
	e := &Error{Code: CodeDenied, Text: "the kernel does not say who you are, so you may not command this box"}
	if known {
		e.Text = fmt.Sprintf("user %s may not command this box", by)
	}
	if group != "" {
		e.Remedy = fmt.Sprintf("have root add you to the group %s and log in again, or ask as root", group)
	} else {
		e.Remedy = "ask as root"
	}
	return e
}

// refuse answers with err. What the daemon failed at, and who was turned away, is for the log too: with the call's
// pattern, for what stands in its path may be anything that somebody typed, even a card number.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := asError(err)
	if e.Code == CodeInternal || e.Code == CodeDenied {
		s.log.Warn("admin socket: refused", "call", r.Pattern, "code", e.Code, "err", e.Text)
	}
	answer(w, e.status(), e)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a client that went away is no failure of ours
}

// decode reads a body strictly: one JSON value, no unknown names, nothing after it. No body at all is the
// zero value.
func decode(body io.Reader, into any) error {
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("there is more after the JSON value")
	}
	return &Error{CodeBadRequest, "the body can't be read: " + err.Error(),
		"send one JSON object with known names only, of at most " + strconv.Itoa(maxBody) + " bytes"}
}

// limit is the request's ?limit=.
func limit(r *http.Request) (int, error) {
	text := r.URL.Query().Get("limit")
	if text == "" {
		return defaultLimit, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		return 0, &Error{CodeBadRequest, fmt.Sprintf("limit %q is not a number from 1 to %d", text, maxLimit),
			"leave it out for " + strconv.Itoa(defaultLimit)}
	}
	return n, nil
}

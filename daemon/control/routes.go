package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
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

// route is a line of the table from method and path to handler, and who may come that way.
type route struct {
	pattern string
	// may are the roles of which one is enough. Of calls that only custodians and installers may, see [Server.vouch].
	may []Role
	// desk is how far the desk may go that way besides; empty, not at all.
	desk leash
	// One of the four; none for the one stream.
	call call
	file file
	hear hear
	tell tell
}

// Who may what. Viewing is for everybody who has a role.
var (
	viewing     = []Role{Viewer}
	commanding  = []Role{Technician}
	handling    = []Role{Technician, Installer} // tries with test cards, tests legs, gives up, restarts, opens devices that are free for a moment: part of both trades
	installing  = []Role{Installer}
	accounting  = []Role{Technician, Custodian, Auditor} // what the vault holds, as far as it may be known
	auditing    = []Role{Auditor}
	overseeing  = []Role{Custodian, Auditor} // how the vault's keys are
	keeping     = []Role{Custodian}
	withFactors = []Role{Custodian, Installer}
	waiting     = []Role{Technician, Custodian, Auditor, Installer} // who waits for custodians, or for whom they wait
)

// routes is all that can be asked for. A test holds it against a matrix of roles, role by role.
func (s *Server) routes() []route {
	b := s.backend
	routes := append([]route{
		{pattern: "GET /v1/status", may: viewing, call: func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return b.Status(ctx)
		}},
		{pattern: streamPattern, may: viewing},
		{pattern: "GET /v1/lines", may: viewing, call: func(ctx context.Context, by Actor, _ *http.Request) (any, error) {
			lines, err := orEmpty(b.Lines(ctx))
			for i := range lines {
				if !by.is(Technician) {
					lines[i].Number = "" // as in Event.spared
				}
			}
			return lines, err
		}},
		{pattern: "GET /v1/profiles", may: viewing, call: func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return orEmpty(b.Profiles(ctx))
		}},
		{pattern: "GET /v1/devices", may: handling, call: func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return orEmpty(b.Devices(ctx))
		}},
		{pattern: "GET /v1/modems/probe", may: handling, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			port := r.URL.Query().Get("port")
			if !filepath.IsAbs(port) {
				return nil, &Error{CodeBadRequest, fmt.Sprintf("%q is no path of a port", port), `name it from the root on ("/dev/...")`}
			}
			return b.ProbeModem(ctx, port)
		}},
		{pattern: "POST /v1/lines/{line}/arm", may: commanding, desk: bound, call: arming(b.Arm)},
		{pattern: "POST /v1/lines/{line}/rehearse", may: handling, call: arming(b.Rehearse)},
		{pattern: "POST /v1/lines/{line}/disarm", may: handling, desk: bound, call: command(b.Disarm)},
		{pattern: "POST /v1/lines/{line}/more-time", may: commanding, desk: bound, call: command(b.MoreTime)},
		{pattern: "POST /v1/lines/{line}/again", may: commanding, desk: bound, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask againRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Again(ctx, by, r.PathValue("line"), ask.Field)
		}},
		{pattern: "POST /v1/lines/{line}/cover", may: commanding, desk: bound, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask coverRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Cover(ctx, by, r.PathValue("line"), ask.On)
		}},
		{pattern: "POST /v1/lines/{line}/acknowledge", may: commanding, call: command(b.Acknowledge)},
		{pattern: "POST /v1/lines/{line}/call-began", may: commanding, desk: free, call: command(b.CallBegan)},
		{pattern: "POST /v1/lines/{line}/call-ended", may: commanding, desk: free, call: command(b.CallEnded)},
		{pattern: "POST /v1/lines/{line}/answer", may: commanding, call: command(b.Answer)},
		{pattern: "POST /v1/lines/{line}/dial", may: commanding, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask dialRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Dial(ctx, by, r.PathValue("line"), ask.Number)
		}},
		{pattern: "POST /v1/lines/{line}/hang-up", may: commanding, call: command(b.HangUp)},
		{pattern: "POST /v1/lines/{line}/tune", may: installing, call: command(b.Tune)},
		{pattern: "POST /v1/lines/{line}/test", may: handling, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask Test
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Test(ctx, by, r.PathValue("line"), ask)
		}},
		{pattern: "DELETE /v1/lines/{line}/test", may: handling, call: command(b.EndTest)},
		{pattern: "POST /v1/lines/{line}/restart", may: handling, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask forceRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Restart(ctx, by, r.PathValue("line"), ask.Force)
		}},
		{pattern: "POST /v1/reload", may: installing, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask forceRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return b.Reload(ctx, by, ask.Force)
		}},
		{pattern: "GET /v1/lines/{line}/acceptance", may: viewing, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			return b.Acceptance(ctx, r.PathValue("line"))
		}},
		{pattern: "GET /v1/tokens", may: accounting, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			n, err := limit(r)
			if err != nil {
				return nil, err
			}
			return orEmpty(b.Tokens(ctx, n))
		}},
		{pattern: "GET /v1/holds", may: accounting, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			n, err := limit(r)
			if err != nil {
				return nil, err
			}
			return orEmpty(b.Holds(ctx, n))
		}},
		{pattern: "GET /v1/vault", may: overseeing, call: func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return b.Vault(ctx)
		}},
		{pattern: "POST /v1/vault/rotate", may: keeping, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			if err := decode(r.Body, &struct{}{}); err != nil {
				return nil, err
			}
			version, err := b.RotateKey(ctx, by)
			return rotateAnswer{version}, err
		}},
		{pattern: "POST /v1/vault/roots", may: keeping, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			if err := decode(r.Body, &struct{}{}); err != nil {
				return nil, err
			}
			return b.AddRoot(ctx, by)
		}},
		{pattern: "DELETE /v1/vault/roots/{root}", may: keeping, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			return b.DropRoot(ctx, by, r.PathValue("root"))
		}},
		{pattern: "GET /v1/vault/certificates", may: overseeing, call: func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return orEmpty(b.Certificates(ctx))
		}},
		{pattern: "GET /v1/cards/{token}", may: accounting, call: func(ctx context.Context, _ Actor, r *http.Request) (any, error) {
			return b.Card(ctx, r.PathValue("token"))
		}},
		{pattern: "POST /v1/cards/{token}/hold", may: keeping, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask holdRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.HoldCard(ctx, by, r.PathValue("token"), ask.Reason)
		}},
		{pattern: "POST /v1/cards/{token}/release", may: keeping, call: cardCommand(b.ReleaseCard)},
		{pattern: "POST /v1/cards/{token}/shred", may: keeping, call: cardCommand(b.ShredCard)},
		{pattern: "GET /v1/audit", may: auditing, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			n, err := limit(r)
			if err != nil {
				return nil, err
			}
			return orEmpty(b.Audit(ctx, by, n))
		}},
		{pattern: "GET /v1/audit/export", may: auditing, file: b.ExportAudit},
		{pattern: "GET /v1/backup/data", may: withFactors, file: b.BackUp},
		{pattern: "GET /v1/backup/purge-log", may: withFactors, file: b.BackUpPurgeLog},
		{pattern: "GET /v1/backup/keys", may: keeping, file: b.BackUpKeys},
		{pattern: "GET /v1/audit/key", may: auditing, call: func(context.Context, Actor, *http.Request) (any, error) {
			return auditKey{b.AuditKey()}, nil
		}},
		{pattern: "POST /v1/factor", may: withFactors, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			if err := decode(r.Body, &struct{}{}); err != nil {
				return nil, err
			}
			uri, err := b.EnrollFactor(ctx, by)
			return enrollAnswer{uri}, err
		}},
		{pattern: "DELETE /v1/factor/{person}", may: installing, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			person := r.PathValue("person")
			defer s.fresh.drop(person)
			return struct{}{}, b.ForgetFactor(ctx, by, person)
		}},
	}, slices.Concat(s.bondRoutes(), s.custodyRoutes(), s.exportRoutes(), s.pairingRoutes(), s.paymentRoutes(), s.upstreamRoutes())...)
	for i, rt := range routes {
		if rt.desk != "" {
			routes[i].may = append(slices.Clone(rt.may), Desk)
		}
	}
	return routes
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

// cardCommand is the same of a card.
func cardCommand(do func(context.Context, Actor, string) error) call {
	return func(ctx context.Context, by Actor, r *http.Request) (any, error) {
		if err := decode(r.Body, &struct{}{}); err != nil {
			return nil, err
		}
		return struct{}{}, do(ctx, by, r.PathValue("token"))
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
	var known []string
	for _, rt := range s.routes() {
		known = append(known, rt.pattern)
		mux.HandleFunc(rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			by, err := s.admit(r, rt)
			switch {
			case err != nil:
				s.refuse(w, r, by, err)
			case rt.pattern == streamPattern:
				s.stream(w, r, by)
			case rt.file != nil:
				s.sendFile(w, r, by, rt.file)
			case rt.hear != nil:
				s.hear(w, r, by, rt.hear)
			case rt.tell != nil:
				s.tell(w, r, by, rt.tell)
			default:
				s.do(w, r, by, rt.call)
			}
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, actorFrom(r.Context()), &Error{CodeNoSuchCall, "there is no such call as " + r.Method + " " + r.URL.Path,
			"the calls are: " + strings.Join(known, ", ")})
	})
	return s.gate(mux)
}

// do makes a call, and answers with what it answers.
func (s *Server) do(w http.ResponseWriter, r *http.Request, by Actor, call call) {
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	body, err := call(ctx, by, r)
	if err != nil {
		s.refuse(w, r, by, err)
		return
	}
	answer(w, http.StatusOK, body)
}

// gate refuses everyone who has no role at all, to whom not even the table is told, and bounds the body.
func (s *Server) gate(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, r.Pattern = mux.Handler(r) // for the logs, before the mux gets to it
		if by := actorFrom(r.Context()); !by.is(Viewer) {
			w.Header().Set("Connection", "close")
			s.refuse(w, r, by, s.policy.denied(by, s.may(r.Pattern)))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

// may is who may make a call; of one that there isn't, everybody who has a role.
func (s *Server) may(pattern string) []Role {
	routes := s.routes()
	if i := slices.IndexFunc(routes, func(rt route) bool { return rt.pattern == pattern }); i >= 0 {
		return routes[i].may
	}
	return viewing
}

// admit answers with who asks, once he may.
func (s *Server) admit(r *http.Request, rt route) (Actor, error) {
	by := actorFrom(r.Context())
	if !by.is(rt.may...) {
		return by, s.policy.denied(by, rt.may)
	}
	ctx, cancel := context.WithTimeout(r.Context(), callTime)
	defer cancel()
	if err := s.lead(ctx, &by, r, rt); err != nil || !guarded(rt.may) {
		return by, err
	}
	err := s.vouch(ctx, &by, r)
	return by, err
}

// refuse answers with err. What the daemon failed at is for its log, and who was turned away is for that and the audit log: with the call's
// pattern, for what stands in its path may be anything that somebody typed, even a card number.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, by Actor, err error) {
	e := asError(err)
	switch e.Code {
	case CodeInternal:
		s.log.Warn("admin socket: failed", "call", r.Pattern, "err", e.Text)
	case CodeDenied, CodeFactor:
		s.refusals.add(r.Context(), by, r.Pattern, e.Text)
	}
	answer(w, e.Status(), e)
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

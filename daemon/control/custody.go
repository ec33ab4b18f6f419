package control

import (
	"context"
	"net/http"
	"time"
)

// Custody is how the custodians of the vault and their ceremony are. It has nothing of a share.
type Custody struct {
	// Set is the name of the set in force, which begins each of its shares; empty where there are no custodians.
	Set string `json:"set,omitempty"`
	// Need is how many of them it takes.
	Need       int              `json:"need,omitempty"`
	Custodians []CustodianState `json:"custodians"`
	// Ceremony is absent where none is under way.
	Ceremony *Ceremony `json:"ceremony,omitempty"`
	// Locked says that the vault is.
	Locked bool `json:"locked"`
}

// CustodianState is one of them.
type CustodianState struct {
	Person string `json:"person"`
	// Wrong counts attempts since the last good one; LockedS is for how many seconds yet none is looked at.
	Wrong   int `json:"wrong"`
	LockedS int `json:"locked_s,omitempty"`
}

// Ceremony is one that is under way.
type Ceremony struct {
	ID string `json:"id"`
	// Purpose and About are what it is for.
	Purpose string    `json:"purpose"`
	About   string    `json:"about"`
	Ends    time.Time `json:"ends"`
	// Done are who gave their shares, or in an enrolment typed theirs back; Missing is how many more it takes.
	Done    []string `json:"done"`
	Missing int      `json:"missing"`
	// Enrolment says that shares are taken in it, and not given.
	Enrolment bool `json:"enrolment,omitempty"`
}

// CustodyPlan is who is to be a custodian, and how many of them it is to take.
type CustodyPlan struct {
	Need   int      `json:"need"`
	People []string `json:"people"`
}

// Custodians is the part of a [Backend] that is about custodians. Text of shares is in locked memory, which is wiped once the call returns.
type Custodians interface {
	// Custody tells how things are.
	Custody(context.Context) (Custody, error)
	// EnrolCustodians begins an enrolment; where there are custodians, they first have to agree.
	EnrolCustodians(ctx context.Context, by Actor, p CustodyPlan) error
	// TakeShare writes the share of who asks, as it goes on paper, into page, once.
	TakeShare(ctx context.Context, by Actor, page []byte) (n int, err error)
	// ConfirmShare is that share typed back; it answers with how many have yet to do so.
	ConfirmShare(ctx context.Context, by Actor, text []byte) (missing int, err error)
	// UnlockVault begins the ceremony that opens the vault, or joins it, and answers with its name.
	UnlockVault(ctx context.Context, by Actor) (ceremony string, err error)
	// GiveShare is the agreement of who asks to a ceremony; it answers with how many are missing yet.
	GiveShare(ctx context.Context, by Actor, ceremony string, text []byte) (missing int, err error)
	// AbortCeremony ends the ceremony that is under way.
	AbortCeremony(ctx context.Context, by Actor) error
}

// takeRequest, ceremonyAnswer and missingAnswer are the bodies of these calls that have any.
type takeRequest struct {
	// Acknowledged is that whoever takes the share knows what it obliges him to.
	Acknowledged bool `json:"acknowledged"`
}

type ceremonyAnswer struct {
	Ceremony string `json:"ceremony"`
}

type missingAnswer struct {
	Missing int `json:"missing"`
}

// custodyRoutes are the table's lines about custodians.
func (s *Server) custodyRoutes() []route {
	b := s.backend
	return []route{
		{pattern: "GET /v1/custody", may: waiting, call: func(ctx context.Context, _ Actor, _ *http.Request) (any, error) {
			return b.Custody(ctx)
		}},
		{pattern: "POST /v1/custody/enrolment", may: withFactors, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask CustodyPlan
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.EnrolCustodians(ctx, by, ask)
		}},
		{pattern: "POST /v1/custody/enrolment/take", may: keeping, tell: func(ctx context.Context, by Actor, r *http.Request, page []byte) (int, error) {
			var ask takeRequest
			if err := decode(r.Body, &ask); err != nil {
				return 0, err
			}
			if !ask.Acknowledged {
				return 0, &Error{CodeBadRequest, "a share is for who acknowledges a custodian's duty", "send acknowledged: true, once that is so"}
			}
			return b.TakeShare(ctx, by, page)
		}},
		{pattern: "POST /v1/custody/enrolment/confirm", may: keeping, hear: func(ctx context.Context, by Actor, _ *http.Request, text []byte) (any, error) {
			missing, err := b.ConfirmShare(ctx, by, text)
			return missingAnswer{missing}, err
		}},
		{pattern: "POST /v1/custody/unlock", may: keeping, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			if err := decode(r.Body, &struct{}{}); err != nil {
				return nil, err
			}
			id, err := b.UnlockVault(ctx, by)
			return ceremonyAnswer{id}, err
		}},
		{pattern: "POST /v1/custody/{ceremony}/give", may: keeping, hear: func(ctx context.Context, by Actor, r *http.Request, text []byte) (any, error) {
			missing, err := b.GiveShare(ctx, by, r.PathValue("ceremony"), text)
			return missingAnswer{missing}, err
		}},
		{pattern: "DELETE /v1/custody/ceremony", may: withFactors, call: func(ctx context.Context, by Actor, _ *http.Request) (any, error) {
			return struct{}{}, b.AbortCeremony(ctx, by)
		}},
	}
}

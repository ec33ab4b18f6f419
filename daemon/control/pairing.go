package control

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// Pairing is an agent as a code of a technician's names him.
type Pairing struct {
	// Agent is his name: see [CanBeAgent].
	Agent string `json:"agent"`
	// Supervisor sees counts and outcomes.
	Supervisor bool `json:"supervisor,omitempty"`
}

// PairingCode is what an agent types, once and before it ends.
type PairingCode struct {
	Code string    `json:"code"`
	Ends time.Time `json:"ends"`
}

// Pairer is the part of a [Backend] that is about agents at the desk.
type Pairer interface {
	// Pair makes a code that names somebody.
	Pair(ctx context.Context, by Actor, p Pairing) (PairingCode, error)
	// RedeemPairing says whom a code names; [CodePairing] if it isn't good, or too many weren't.
	RedeemPairing(ctx context.Context, by Actor, code string) (Pairing, error)
}

type redeemRequest struct {
	Code string `json:"code"`
}

// pairingRoutes are the table's lines about agents.
func (s *Server) pairingRoutes() []route {
	b := s.backend
	return []route{
		{pattern: "POST /v1/desk/pairings", may: commanding, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask Pairing
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			if !CanBeAgent(ask.Agent) {
				return nil, &Error{CodeBadRequest, "that can't be an agent's name", fmt.Sprintf("write 1 to %d bytes that can be printed, at most %d digits among them, without blanks around", maxAgent, maxAgentDigits)}
			}
			return b.Pair(ctx, by, ask)
		}},
		{pattern: "POST /v1/desk/pairings/redeem", desk: itself, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask redeemRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return b.RedeemPairing(ctx, by, ask.Code)
		}},
	}
}

// Pair makes a code that names an agent.
func (c *Client) Pair(ctx context.Context, p Pairing) (PairingCode, error) {
	return ask[PairingCode](ctx, c, "pairing "+p.Agent, http.MethodPost, "desk/pairings", p)
}

// RedeemPairing says whom a code names, once.
func (c *Client) RedeemPairing(ctx context.Context, code string) (Pairing, error) {
	return ask[Pairing](ctx, c, "asking whom a code names", http.MethodPost, "desk/pairings/redeem", redeemRequest{code})
}

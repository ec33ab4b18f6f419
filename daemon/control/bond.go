package control

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// AgentHeader is the header by which the desk says for which agent it asks: 1 to 64 printable bytes. From anybody else it is refused.
const AgentHeader = "Flattone-Agent"

const (
	maxAgent       = 64 // bytes
	maxAgentDigits = 11 // one short of the shortest card number: the name is in the audit log
)

// leash is how far the desk may go by a route, for an agent.
type leash string

const (
	free   leash = "yes"    // whoever he is
	bound  leash = "bound"  // on the line that he is bound to
	own    leash = "own"    // with payments that were begun for him
	itself leash = "itself" // for no agent: nobody knows yet who it is
)

// Bonding is the part of a [Backend] that knows which agent is on which line. Prove, Bind and Unbind are asked for an agent: by.Agent.
type Bonding interface {
	// Prove has two words spoken to whoever is on line's agent side, and answers with the choice that the agent has. It fails with [CodeNoCall], [CodeWrongState] or
	// [CodeLineDown] where the line can't be anybody's now, [CodeProving] while somebody else tries, [CodeWait] for who guessed too often.
	Prove(ctx context.Context, by Actor, line, language string) (Proof, error)
	// Bind takes the words, in the order in which they were spoken; the line is the agent's until its call is over. It fails with [CodeNoProof] or [CodeWrongWords],
	// which doesn't say which word was wrong.
	Bind(ctx context.Context, by Actor, line, proof string, words []string) error
	// Unbind gives the line up.
	Unbind(ctx context.Context, by Actor, line string) error
	// Bound is the agent who is bound to the line; empty if nobody is.
	Bound(line string) string
	// AskedFor is who had a payment begun, as [Actor.String] names him; [CodeUnknownPayment] if there never was one.
	AskedFor(ctx context.Context, payment string) (string, error)
}

// Proof is what an agent is asked who says that his call is on a line.
type Proof struct {
	ID string `json:"proof"`
	// Words are nine, in the language that was asked for; two of them were spoken.
	Words []string `json:"words"`
	// Seconds is how long the answer is waited for.
	Seconds int `json:"seconds"`
}

type proveRequest struct {
	Language string `json:"language"`
}

type bindRequest struct {
	Proof string   `json:"proof"`
	Words []string `json:"words"`
}

// bondRoutes are the table's lines about who is on a line.
func (s *Server) bondRoutes() []route {
	b := s.backend
	return []route{
		{pattern: "POST /v1/lines/{line}/prove", desk: free, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask proveRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return b.Prove(ctx, by, r.PathValue("line"), ask.Language)
		}},
		{pattern: "POST /v1/lines/{line}/bind", desk: free, call: func(ctx context.Context, by Actor, r *http.Request) (any, error) {
			var ask bindRequest
			if err := decode(r.Body, &ask); err != nil {
				return nil, err
			}
			return struct{}{}, b.Bind(ctx, by, r.PathValue("line"), ask.Proof, ask.Words)
		}},
		{pattern: "DELETE /v1/lines/{line}/bond", desk: bound, call: command(b.Unbind)},
	}
}

// lead keeps the desk on its leash, and has by be the agent for whom it asks. Where by came in by another role, and names no agent, nothing is changed.
func (s *Server) lead(ctx context.Context, by *Actor, r *http.Request, rt route) error {
	agents := r.Header.Values(AgentHeader)
	others := slices.DeleteFunc(slices.Clone(rt.may), func(role Role) bool { return role == Desk })
	switch {
	case len(agents) == 0 && (rt.desk == itself || by.is(others...)):
		return nil
	case len(agents) == 0:
		return &Error{CodeBadRequest, "the desk asks for an agent here, and doesn't say for whom", "name him in the header " + AgentHeader}
	case !by.is(Desk):
		return &Error{CodeBadRequest, fmt.Sprintf("user %s asks for an agent, which is the desk's alone", by.Name), "leave out the header " + AgentHeader}
	case rt.desk == itself:
		return &Error{CodeBadRequest, "the desk asks this for itself", "leave out the header " + AgentHeader}
	case len(agents) > 1 || !CanBeAgent(agents[0]):
		return &Error{CodeBadRequest, fmt.Sprintf("the header %s doesn't name an agent", AgentHeader),
			fmt.Sprintf("send one, with a name of 1 to %d printable bytes, of which at most %d are digits", maxAgent, maxAgentDigits)}
	}
	by.Agent, by.roles = agents[0], []Role{Viewer, Desk}
	if !by.is(rt.may...) { // by another role he might, and nobody does so for an agent
		return s.policy.denied(*by, rt.may)
	}
	switch rt.desk {
	case bound:
		if line := r.PathValue("line"); s.backend.Bound(line) != by.Agent {
			return notBound(line)
		}
	case own:
		whose, err := s.backend.AskedFor(ctx, r.PathValue("payment"))
		if err == nil && whose != by.String() {
			err = &Error{CodeUnknownPayment, "this agent has no such payment", "an agent sees those that he began"}
		}
		return err
	}
	return nil
}

// notBound is one answer for a line that isn't the agent's and for one that there isn't.
func notBound(line string) *Error {
	return &Error{CodeNotBound, fmt.Sprintf("the agent is not bound to line %q", line), "have him prove that his call is on it"}
}

// CanBeAgent says whether an agent may be called that: by 1 to 64 bytes that can be printed, no card number among them, and without blanks around, which a header loses.
func CanBeAgent(name string) bool {
	digits := 0
	for _, c := range name {
		if !unicode.IsPrint(c) {
			return false
		}
		if unicode.IsDigit(c) {
			digits++
		}
	}
	return name != "" && len(name) <= maxAgent && strings.TrimSpace(name) == name && utf8.ValidString(name) && digits <= maxAgentDigits
}

// For is the client as the desk has it for an agent. It shares c's connections.
func (c *Client) For(agent string) *Client {
	other := *c
	other.agent = agent
	return &other
}

// Prove has two words spoken to the agent side of line.
func (c *Client) Prove(ctx context.Context, line, language string) (Proof, error) {
	return ask[Proof](ctx, c, "having words spoken on line "+line, http.MethodPost, linePath(line, "prove"), proveRequest{language})
}

// Bind answers with them, and the line is the agent's until its call is over.
func (c *Client) Bind(ctx context.Context, line, proof string, words []string) error {
	_, err := ask[struct{}](ctx, c, "binding line "+line, http.MethodPost, linePath(line, "bind"), bindRequest{proof, words})
	return err
}

// Unbind gives line up.
func (c *Client) Unbind(ctx context.Context, line string) error {
	_, err := ask[struct{}](ctx, c, "giving up line "+line, http.MethodDelete, linePath(line, "bond"), nil)
	return err
}

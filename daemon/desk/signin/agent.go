package signin

import (
	"context"
	"strings"
	"unicode"
)

// Agent is who is signed in.
type Agent struct {
	// Name is 1 to 64 characters that can be printed: as a technician wrote it, or as the identity provider did.
	Name string
	// Supervisor sees counts and outcomes.
	Supervisor bool
}

type agentKey struct{}

// AgentOf is who a request is from that [SignIn.Required] has let through. Elsewhere it is nobody, who has no name.
func AgentOf(ctx context.Context) Agent {
	a, _ := ctx.Value(agentKey{}).(Agent)
	return a
}

// As is ctx as [SignIn.Required] would hand it on, of a request of a's.
func As(ctx context.Context, a Agent) context.Context { return context.WithValue(ctx, agentKey{}, a) }

// longestName is flattoned's bound on an agent's name, in bytes.
const longestName = 64

// nameable says whether flattoned would note somebody by that name.
func nameable(name string) bool {
	return name != "" && len(name) <= longestName && strings.TrimSpace(name) == name && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

package signin

import "context"

// Agent is who is signed in.
type Agent struct {
	// Name is as a technician wrote it, or as the identity provider did: see [control.CanBeAgent].
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

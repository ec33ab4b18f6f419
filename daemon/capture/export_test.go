package capture

import "github.com/flattone/flattone/daemon/secret"

// Card is what m holds, to look into it.
func Card(m *Machine) *secret.Card { return m.card }

// Where names the state that m is in.
func Where(m *Machine) string {
	switch {
	case m.state == entering && m.sounds:
		return "sounding"
	case m.state == entering:
		return "entering"
	case m.state == swallowing:
		return "swallowing"
	case m.state == complete:
		return "complete"
	default:
		return "void"
	}
}

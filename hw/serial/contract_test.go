package serial

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/hwtest/modem"
)

// TestContract is kept by a line of two modems, in a call and without one.
func TestContract(t *testing.T) {
	for _, kind := range kinds {
		for name, called := range map[string]bool{"idle": false, "in a call": true} {
			t.Run(kind.String()+" "+name, func(t *testing.T) {
				hwtest.TestLine(t, hwtest.Suite{
					Within: func(t *testing.T, body func(*testing.T)) { synctest.Test(t, body) },
					Open:   func(t *testing.T, m hwtest.Material) hwtest.Rig { return contracted(t, kind, called, m) },
				})
			})
		}
	}
}

// contracted is a line for the contract. Both its modems are lost with the hub that they hang on.
func contracted(t *testing.T, kind modem.Kind, called bool, m hwtest.Material) hwtest.Rig {
	t.Helper()
	caller := newRig(t, modem.New(t, modem.Spec{Kind: kind, In: m.Caller, PPM: 100}), kind)
	agent := newRig(t, modem.New(t, modem.Spec{Kind: kind, In: m.Agent, Burst: 2}), kind)
	if called {
		caller.far.CallActive("5551234")
		agent.far.CallActive("5556789")
	}
	return hwtest.Rig{
		Line: &hw.Line{
			Device: "two modems", Caller: caller.m, Agent: agent.m, Calls: make(chan hw.Edge),
			Close: func() error { return errors.Join(caller.m.Close(), agent.m.Close()) },
		},
		Again: func() error {
			again, err := caller.opened()
			if err != nil {
				return err
			}
			return again.Close()
		},
		Lose: func(*testing.T) {
			caller.far.Vanish()
			agent.far.Vanish()
		},
	}
}

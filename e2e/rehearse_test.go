package e2e

import (
	"context"
	"testing"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
)

// TestRehearsal is a recorded call with a test card, rehearsed: it is complete, nothing is in the vault, and nobody is told upstream.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	r := newRig(t, oneLine("visa"))
	r.start(t)
	r.wait(t, "the call", func(e control.Event) bool { return e.Code == control.CallBegan })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := r.Tool(ctx, "rehearse", "one", "--wait").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	says(t, string(out), "TEST one: armed for a rehearsal", "TEST complete, and nothing of it was stored", "Visa ending in 4242")
	r.wait(t, "the end of the call", func(e control.Event) bool { return e.Code == control.CallEnded })
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	for _, e := range r.events {
		if e.Kind == control.KindToken || e.Kind == control.KindDelivery || e.Capture != "" && !e.Test {
			t.Errorf("there was %+v", e)
		}
	}
	r.vault(t, func(v *vault.Vault, log *audit.Log) {
		if tokens, err := v.List(t.Context(), 10); err != nil || len(tokens) > 0 {
			t.Errorf("the vault has %+v, %v", tokens, err)
		}
	})
	if r.got.Len() > 0 {
		t.Errorf("upstream received %s", r.got)
	}
}

package daemon

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/control"
)

func TestAgentsArePaired(t *testing.T) {
	h := newHouse(t)
	h.run()
	client := h.client()
	code, err := client.Pair(t.Context(), control.Pairing{Agent: "Anna", Supervisor: true})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := client.RedeemPairing(t.Context(), code.Code); err != nil || got != (control.Pairing{Agent: "Anna", Supervisor: true}) {
		t.Errorf("the code names %+v, %v", got, err)
	}
	_, err = client.Pair(t.Context(), control.Pairing{Agent: " "})
	wantsCode(t, "no name", err, control.CodeBadRequest, "can't be an agent's name")
	for range 9 {
		_, err = client.RedeemPairing(t.Context(), code.Code)
		wantsCode(t, "a used code", err, control.CodePairing, "no code that is good now")
	}
	for range 2 {
		_, err = client.RedeemPairing(t.Context(), code.Code)
		wantsCode(t, "the tenth", err, control.CodePairing, "locked for 30m0s")
	}
	entries, err := client.Audit(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	var log []string
	for _, e := range entries {
		if strings.HasPrefix(e.Action, "agent.") {
			log = append(log, strings.Join([]string{e.Action, e.Object, e.Result}, " "))
		}
	}
	if len(log) != 12 || log[11] != "agent.pairing Anna supervisor" || log[10] != "agent.paired Anna ok" || !strings.Contains(log[0], "agent.refused desk too many") {
		t.Errorf("the audit log has %q", log)
	}
}

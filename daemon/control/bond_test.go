package control

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
)

// bonded has line "one" be anna's, and the payment "p1".
const bonded = "anna"

func (b *scripted) Prove(_ context.Context, by Actor, line, language string) (Proof, error) {
	return aProof, b.told("prove %s %s %s", line, language, by)
}
func (b *scripted) Bind(_ context.Context, by Actor, line, proof string, words []string) error {
	return b.told("bind %s %s %v %s", line, proof, words, by)
}
func (b *scripted) Unbind(_ context.Context, by Actor, line string) error {
	return b.told("unbind %s %s", line, by)
}

// Bound and AskedFor are asked silently: they are part of other questions.
func (b *scripted) Bound(line string) string {
	if line == "one" {
		return bonded
	}
	return ""
}
func (b *scripted) AskedFor(_ context.Context, payment string) (string, error) {
	if payment == "p1" {
		return Actor{Name: b.desk, Agent: bonded}.String(), nil
	}
	return "", &Error{CodeUnknownPayment, "none", "look"}
}

var aProof = Proof{ID: "prf_x", Words: []string{"moon", "tiger"}, Seconds: 60}

// desk serves to this process as the desk alone, and as what else is said.
func desk(t *testing.T, also ...Role) (*scripted, *Client) {
	t.Helper()
	b, socket := serve(t, func(s *Server) {
		s.policy.users = map[uint32][]Role{uint32(os.Geteuid()): append(also, Desk)}
	})
	b.desk = self(t).Name
	return b, dial(t, socket)
}

func code(err error) string {
	if err == nil {
		return "done"
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return err.Error()
}

// TestTheDeskIsOnALeash: what the desk may for an agent is on that agent's line, and with his payments.
func TestTheDeskIsOnALeash(t *testing.T) {
	b, c := desk(t)
	ctx := t.Context()
	anna, ben := c.For("anna"), c.For("ben")
	for name, tc := range map[string]struct {
		err  func() error
		want string
	}{
		"his own line":                     {func() error { return anna.Disarm(ctx, "one") }, "done"},
		"another agent's":                  {func() error { return ben.Disarm(ctx, "one") }, CodeNotBound},
		"nobody's":                         {func() error { return anna.Disarm(ctx, "two") }, CodeNotBound},
		"a line that isn't there":          {func() error { return anna.Unbind(ctx, "nine") }, CodeNotBound},
		"nobody's, to be proven":           {func() error { _, err := ben.Prove(ctx, "two", "en"); return err }, "done"},
		"a call that is told of":           {func() error { return ben.CallBegan(ctx, "two") }, "done"},
		"his own payment":                  {func() error { _, err := anna.Payment(ctx, "p1"); return err }, "done"},
		"another agent's payment":          {func() error { _, err := ben.Act(ctx, "p1", "refund", ""); return err }, CodeUnknownPayment},
		"a payment that isn't there":       {func() error { _, err := anna.Payment(ctx, "p2"); return err }, CodeUnknownPayment},
		"for nobody":                       {func() error { return c.Disarm(ctx, "one") }, CodeBadRequest},
		"for a name of control characters": {func() error { return c.For("a\tb").Disarm(ctx, "one") }, CodeBadRequest},
		"for a name that is too long":      {func() error { return c.For(strings.Repeat("a", 65)).Disarm(ctx, "one") }, CodeBadRequest},
		"for a name like a card's number":  {func() error { return c.For("4242 4242 4242 4242").Disarm(ctx, "one") }, CodeBadRequest},
		"for a name of other letters":      {func() error { return c.For("Zoë").Disarm(ctx, "one") }, CodeNotBound},
		"what technicians may":             {func() error { return anna.Acknowledge(ctx, "one") }, CodeDenied},
		"what viewers may, for nobody":     {func() error { _, err := c.Lines(ctx); return err }, "done"},
	} {
		if got := code(tc.err()); got != tc.want {
			t.Errorf("%s: %s, want %s", name, got, tc.want)
		}
	}
	for asked := range untold(b.asked) {
		if strings.Contains(asked, "disarm") && asked != "disarm one "+self(t).Name+" (anna)" {
			t.Errorf("the backend was asked %q", asked)
		}
	}
}

func untold(asked chan string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for len(asked) > 0 && yield(<-asked) {
		}
	}
}

// TestAnAgentGetsNoOtherRole: whoever is a technician, too, may no more for an agent than the desk; and who is no desk may name none.
func TestAnAgentGetsNoOtherRole(t *testing.T) {
	_, c := desk(t, Technician)
	if err := c.Acknowledge(t.Context(), "one"); err != nil {
		t.Errorf("as a technician: %v", err)
	}
	if got := code(c.For("anna").Acknowledge(t.Context(), "one")); got != CodeDenied {
		t.Errorf("for an agent: %s", got)
	}
	lines, err := c.For("anna").Lines(t.Context())
	if err != nil || len(lines) != 1 || lines[0].Number != "" {
		t.Errorf("lines for an agent are %+v, %v", lines, err)
	}
	_, socket := serve(t, func(s *Server) { s.policy.users = map[uint32][]Role{uint32(os.Geteuid()): {Technician}} })
	err = dial(t, socket).For("anna").Disarm(t.Context(), "one")
	if code(err) != CodeBadRequest || !strings.Contains(err.Error(), "asks for an agent, which is the desk's alone") {
		t.Errorf("a technician who names an agent is answered %v", err)
	}
	first, all := raw(t, socket, "GET /v1/lines HTTP/1.1\r\nHost: x\r\nConnection: close\r\nFlattone-Agent: anna\r\n\r\n")
	if !strings.HasPrefix(first, "HTTP/1.1 400") {
		t.Errorf("a viewer who names an agent is answered %q", all)
	}
}

// TestTheDeskProves: what is asked for an agent reaches the backend with his name, and each way of being turned away has its status.
func TestTheDeskProves(t *testing.T) {
	b, c := desk(t)
	me := self(t).Name + " (anna)"
	anna := c.For("anna")
	p, err := anna.Prove(t.Context(), "two", "fr")
	if err != nil || p.ID != aProof.ID || len(p.Words) != 2 || p.Seconds != 60 {
		t.Errorf("%+v, %v", p, err)
	}
	if err := anna.Bind(t.Context(), "two", p.ID, p.Words); err != nil {
		t.Error(err)
	}
	if err := anna.Unbind(t.Context(), "one"); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"prove two fr " + me, "bind two prf_x [moon tiger] " + me, "unbind one " + me} {
		if got := <-b.asked; got != want {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
	for code, status := range map[string]int{CodeNotBound: http.StatusForbidden, CodeWrongWords: http.StatusForbidden, CodeNoCall: http.StatusConflict,
		CodeProving: http.StatusConflict, CodeNoProof: http.StatusConflict, CodeWait: http.StatusTooManyRequests} {
		if got := (&Error{Code: code}).Status(); got != status {
			t.Errorf("%s is answered %d, want %d", code, got, status)
		}
	}
}

// A machine without the desk's package has no such user, which is no news; a name that somebody wrote is.
func TestADeskThatIsNotThere(t *testing.T) {
	_, unknown, err := newPolicy(config.Roles{Desk: []string{config.DeskUser}})
	if err != nil || len(unknown) > 0 {
		t.Errorf("%q, %v", unknown, err)
	}
	_, unknown, err = newPolicy(config.Roles{Desk: []string{"no-such-user"}, Technician: []string{config.DeskUser + "s"}})
	if err != nil || len(unknown) != 2 {
		t.Errorf("%q, %v", unknown, err)
	}
}

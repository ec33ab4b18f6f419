package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

const wanted = `{"agent": "anna", "amount": "12.34", "currency": "EUR", "reference": "order-7", "profile": "card"}`

// taking is a session whose caller is being asked for his card.
func (c caller) taking(what string) Session {
	c.t.Helper()
	s := c.does("sessions", what)
	c.does("sessions/"+s.ID+"/prove", `{"line": "one", "language": "de"}`)
	c.does("sessions/"+s.ID+"/bind", `{"words": ["castle", "apple"]}`)
	s = c.does("sessions/"+s.ID+"/start", "")
	c.box.events <- control.Event{Kind: control.KindState, Line: "one", Capture: "cap_one", State: control.StateArmed}
	return s
}

// keys has the caller key his card to its end.
func (c caller) keys() {
	for _, e := range []control.Event{
		{Kind: control.KindState, State: control.StateKeying},
		{Kind: control.KindKey, Field: "pan", Stars: 16},
		{Kind: control.KindVerdict, Field: "pan", Code: "luhn"},
		{Kind: control.KindKey, Field: "pan", Stars: 16},
		{Kind: control.KindVerdict, Field: "pan", Code: control.CodeOK, Brand: "visa", Last4: "4242"},
		{Kind: control.KindVerdict, Field: "cvv", Code: control.CodeOK},
		{Kind: control.KindToken, Token: "tok_1"},
		{Kind: control.KindState, State: control.StateDone},
	} {
		e.Line, e.Capture = "one", "cap_one"
		c.box.events <- e
	}
}

func (c caller) payment(state, reason string) {
	c.box.pay(control.Payment{ID: "pay_one", Capture: "cap_one", Line: "one", State: state, Reason: reason, Token: "tok_1"})
	c.box.events <- control.Event{Kind: control.KindPayment, Line: "one", Capture: "cap_one", Payment: "pay_one", State: state, Reason: reason}
}

// TestASession is a card from its wish to its outcome, by every call that there is, each held against the specification.
func TestASession(t *testing.T) {
	r := newRig(t)
	c := r.as("crm", "s1")
	if status, said := c.ask("GET", "lines", "", ""); status != 200 || strings.TrimSpace(string(said)) != `[{"line":"one","place":"trunk-side","state":"idle","in_call":true,"green":false,"why":["not_proven"]}]` {
		t.Errorf("the lines are %s", said)
	}
	s := c.taking(wanted)
	if did := r.box.done(); did != "anna: prove one de, anna: bind one prf_1 castle apple, anna: charge one card 12.34 EUR order-7" {
		t.Errorf("flattoned was asked: %s", did)
	}
	if s.State != stateTaking || s.Payment != "pay_one" || s.Agent != "anna" || s.Line != "one" {
		t.Errorf("it stands %+v", s)
	}
	heard := c.watches(s.ID)
	c.does("sessions/"+s.ID+"/fields/pan/again", "")
	c.does("sessions/"+s.ID+"/more-time", "")
	c.does("sessions/"+s.ID+"/cover", `{"on": true}`)
	if did := r.box.done(); did != "anna: again one pan, anna: more-time one, anna: cover one on" {
		t.Errorf("flattoned was asked: %s", did)
	}
	c.keys()
	c.payment(control.PaymentAsked, "")
	c.stands(s.ID, stateCharging)
	c.refused("POST", "sessions/"+s.ID+"/cancel", "", 409, control.CodeWrongState)
	c.payment(control.PaymentHeld, "")
	c.stands(s.ID, stateHeld)
	c.does("sessions/"+s.ID+"/confirm", "")
	c.payment(control.PaymentUnknown, "")
	c.stands(s.ID, stateUnknown)
	c.payment(control.PaymentDeclined, "funds")
	s = c.stands(s.ID, stateDeclined)
	if s.Reason != "funds" || s.Last4 != "4242" || s.Brand != "visa" || s.Token != "tok_1" || s.Amount != "12.34" {
		t.Errorf("it came to %+v", s)
	}
	all := <-heard
	if n := len(all); n == 0 || all[n-1].State != stateDeclined || !slices.IsSortedFunc(all, func(a, b Session) int { return a.Seq - b.Seq }) {
		t.Errorf("it was watched as %+v", all)
	}
	c.refused("POST", "sessions/"+s.ID+"/start", "", 409, control.CodeWrongState)
	c.does("sessions/"+s.ID+"/cancel", "")
	for _, operation := range strings.Fields("token lines create inspect prove bind start again cover moreTime confirm cancel watch") {
		if operation != "token" && !r.asked[operation] {
			t.Errorf("%s wasn't tried", operation)
		}
	}
	for path, item := range mustSpec(t).Paths.Map() {
		for _, op := range item.Operations() {
			if !r.asked[op.OperationID] {
				t.Errorf("%s of %s is specified, and wasn't tried", op.OperationID, path)
			}
		}
	}
}

// TestOutcomes: however a card's way ends, the session says how.
func TestOutcomes(t *testing.T) {
	for name, test := range map[string]struct {
		wish          string
		happens       func(caller, Session)
		state, reason string
	}{
		"approved": {wanted, func(c caller, _ Session) { c.keys(); c.payment(control.PaymentApproved, "") }, stateApproved, ""},
		"failed":   {wanted, func(c caller, _ Session) { c.keys(); c.payment(control.PaymentFailed, "gateway_refused") }, stateFailed, "gateway_refused"},
		"stored":   {`{"agent": "anna"}`, func(c caller, _ Session) { c.keys() }, stateStored, ""},
		"the caller hangs up in a field": {wanted, func(c caller, _ Session) {
			c.box.events <- control.Event{Kind: control.KindState, Line: "one", Capture: "cap_one", State: control.StateVoid, Reason: "call_ended"}
		}, stateVoid, "call_ended"},
		"cancelled": {wanted, func(c caller, s Session) { c.does("sessions/"+s.ID+"/cancel", "") }, stateCancelled, ""},
		"a held one is given up": {wanted, func(c caller, s Session) {
			c.keys()
			c.payment(control.PaymentHeld, "")
			c.stands(s.ID, stateHeld)
			c.box.pay(control.Payment{ID: "pay_one", State: control.PaymentFailed, Reason: "duplicate"})
			c.does("sessions/"+s.ID+"/cancel", "")
		}, stateFailed, "duplicate"},
		"another call is on the line before the outcome": {wanted, func(c caller, _ Session) {
			c.keys()
			c.payment(control.PaymentAsked, "")
			c.box.events <- control.Event{Kind: control.KindCall, Line: "one", Code: control.CallBegan}
			c.box.pay(control.Payment{ID: "pay_one", State: control.PaymentApproved, Token: "tok_1"})
		}, stateApproved, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newRig(t).as("crm", "s1")
			s := c.taking(test.wish)
			test.happens(c, s)
			if s = c.stands(s.ID, test.state); s.Reason != test.reason {
				t.Errorf("it came to %+v", s)
			}
		})
	}
}

// TestABondEndsWithTheCall: who was bound before a call's edge is not after it.
func TestABondEndsWithTheCall(t *testing.T) {
	c := newRig(t).as("crm", "s1")
	s := c.does("sessions", wanted)
	c.does("sessions/"+s.ID+"/prove", `{"line": "one"}`)
	c.does("sessions/"+s.ID+"/bind", `{"words": ["castle", "apple"]}`)
	c.stands(s.ID, stateBound)
	c.box.events <- control.Event{Kind: control.KindBond, Line: "one", Agent: "anna"}
	c.stands(s.ID, stateCreated)
}

// TestWhoseSession: a client reaches nothing of another's, nor a line that it wasn't given, and can't tell either from what isn't there.
func TestWhoseSession(t *testing.T) {
	r := newRig(t)
	crm, ccaas := r.as("crm", "s1"), r.as("ccaas", "s2")
	s := ccaas.does("sessions", wanted)
	for _, step := range []string{"prove", "bind", "start", "fields/pan/again", "cover", "more-time", "confirm", "cancel"} {
		crm.refused("POST", "sessions/"+s.ID+"/"+step, "", 404, "unknown_session")
	}
	crm.refused("GET", "sessions/"+s.ID, "", 404, "unknown_session")
	crm.refused("GET", "sessions/"+s.ID+"/events", "", 404, "unknown_session")
	own := crm.does("sessions", wanted)
	crm.refused("POST", "sessions/"+own.ID+"/prove", `{"line": "two"}`, 404, control.CodeUnknownLine)
	crm.refused("POST", "sessions/"+own.ID+"/prove", `{"line": "three"}`, 404, control.CodeUnknownLine)
	crm.refused("POST", "sessions/"+own.ID+"/start", "", 404, control.CodeUnknownLine)
	if did := r.box.done(); did != "" {
		t.Errorf("flattoned was asked: %s", did)
	}
	ccaas.does("sessions/"+s.ID+"/prove", `{"line": "two"}`)
}

// TestFlattonedRefuses: what flattoned says against it goes on to the client, and nothing changes.
func TestFlattonedRefuses(t *testing.T) {
	r := newRig(t)
	c := r.as("crm", "s1")
	s := c.does("sessions", wanted)
	c.refused("POST", "sessions/"+s.ID+"/bind", `{"words": ["castle", "apple"]}`, 409, control.CodeWrongState)
	r.box.failing("bind", &control.Error{Code: control.CodeWrongState, Text: "these words weren't spoken"})
	c.does("sessions/"+s.ID+"/prove", `{"line": "one"}`)
	c.refused("POST", "sessions/"+s.ID+"/bind", `{"words": ["castle", "apple"]}`, 409, control.CodeWrongState)
	r.box.failing("charge", &control.Error{Code: control.CodeGatewayAway, Text: "the provider is away"})
	c.refused("POST", "sessions/"+s.ID+"/start", "", 503, control.CodeGatewayAway)
	c.refused("POST", "sessions/"+s.ID+"/fields/pan/again", "", 409, control.CodeWrongState)
	c.refused("POST", "sessions/"+s.ID+"/confirm", "", 409, control.CodeWrongState)
	r.box.failing("charge", nil)
	if s = c.does("sessions/"+s.ID+"/start", ""); s.State != stateTaking {
		t.Errorf("it stands %+v", s)
	}
}

// TestSentAgain: under one key a request is done once, however often and how fast it comes; another request under that key is refused; and one that failed at the box may be tried again.
func TestSentAgain(t *testing.T) {
	r := newRig(t)
	c := r.as("crm", "s1")
	status, first := c.ask("POST", "sessions", wanted, "k1")
	if again, second := c.ask("POST", "sessions", wanted, "k1"); status != 201 || again != 201 || string(first) != string(second) {
		t.Errorf("%d %s, then %d %s", status, first, again, second)
	}
	if status, said := c.ask("POST", "sessions", `{"agent": "ben"}`, "k1"); status != 422 {
		t.Errorf("another request under its key: %d %s", status, said)
	}
	if status, other := r.as("ccaas", "s2").ask("POST", "sessions", wanted, "k1"); status != 201 || string(other) == string(first) {
		t.Errorf("another client's is answered %d %s", status, other)
	}
	var s Session
	json.Unmarshal(first, &s)
	c.does("sessions/"+s.ID+"/prove", `{"line": "one"}`)
	r.box.failing("charge", &control.Error{Code: control.CodeLineDown, Text: "the line is down"})
	if status, said := c.ask("POST", "sessions/"+s.ID+"/start", "", "k2"); status != 503 {
		t.Errorf("it fails with %d %s", status, said)
	}
	r.box.failing("charge", nil)
	r.box.done()
	r.box.block = make(chan struct{})
	var all sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range 8 {
		all.Go(func() {
			status, _ := c.ask("POST", "sessions/"+s.ID+"/start", "", "k2")
			mu.Lock()
			defer mu.Unlock()
			got[status]++
			if status == 409 && got[409] == 7 { // all the others were told to wait
				close(r.box.block)
			}
		})
	}
	all.Wait()
	if did := r.box.done(); got[200] != 1 || got[409] != 7 || strings.Count(did, "charge") != 1 {
		t.Errorf("%v, and flattoned was asked: %s", got, did)
	}
	if status, _ := c.ask("POST", "sessions/"+s.ID+"/start", "", "k2"); status != 200 {
		t.Errorf("the answer is gone: %d", status)
	}
}

// TestNoCardNumber: what could be one isn't taken in any place for words, and what is wrong is said without repeating it.
func TestNoCardNumber(t *testing.T) {
	r := newRig(t)
	c := r.as("crm", "s1")
	for _, body := range []string{`{"agent": "anna", "reference": "4242 4242 4242 4242"}`, `{"agent": "4242424242424242"}`, `{"agent": "anna", "address": "4000-0566-5566-5556"}`,
		`{"agent": "anna", "amount": "4242424242424242"}`, `{"agent": ""}`, `{"agent": "an\u0007na"}`, `{"agent": "anna", "card": "4242424242424242"}`, `{"agent": "anna"} {}`, `[]`,
		`{"agent": "` + strings.Repeat("a", 65) + `"}`} {
		status, said := c.ask("POST", "sessions", body, "")
		if status != 400 || strings.Contains(string(said), "4242") || strings.Contains(string(said), "0566") {
			t.Errorf("%s: %d %s", body, status, said)
		}
	}
	if status, _ := c.ask("POST", "sessions", `{"agent": "`+strings.Repeat("a", mostBody)+`"}`, ""); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large one: %d", status)
	}
}

// TestAccess: without a secret there is no token, without a token nothing, and a token ends after a quarter of an hour.
func TestAccess(t *testing.T) {
	r := newRig(t)
	for _, who := range [][2]string{{"crm", "s2"}, {"nobody", ""}, {"", ""}, {"crm", ""}} {
		req, _ := http.NewRequest("POST", r.url+"/api/v1/token", strings.NewReader("grant_type=client_credentials"))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(who[0], who[1])
		if status, said := r.send(req); status != 401 || !strings.Contains(string(said), "invalid_client") {
			t.Errorf("%v: %d %s", who, status, said)
		}
	}
	r.as("ccaas", "old")
	for _, token := range []string{"", "fta_wrong"} {
		caller{r, token}.refused("GET", "lines", "", 401, "no_token")
		caller{r, token}.refused("POST", "sessions", wanted, 401, "no_token")
	}
	synctest.Test(t, func(t *testing.T) {
		c := newCredentials(map[string][]string{"crm": {"s1"}})
		token, _ := c.grant("crm", "s1", time.Now())
		ask, _ := http.NewRequest("GET", "/", nil)
		ask.Header.Set("Authorization", "Bearer "+token)
		time.Sleep(tokenFor - time.Second)
		if client, ok := c.clientOf(ask, time.Now()); !ok || client != "crm" {
			t.Error("it ended too soon")
		}
		for range mostTokens - 1 {
			c.grant("crm", "s1", time.Now())
		}
		time.Sleep(time.Second)
		if _, ok := c.clientOf(ask, time.Now()); ok {
			t.Error("it doesn't end")
		}
		c.grant("crm", "s1", time.Now())
		if len(c.tokens) != mostTokens || len(c.given["crm"]) != mostTokens {
			t.Errorf("%d are kept", len(c.tokens))
		}
	})
}

// TestSessionsAreBounded: a client has so many, and what is a day old makes room.
func TestSessionsAreBounded(t *testing.T) {
	all, now := newSessions(), time.Now()
	for range mostSessions {
		if _, err := all.add("crm", wish{Agent: "anna"}, now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := all.add("crm", wish{Agent: "anna"}, now); asProblem(err).Status != http.StatusTooManyRequests {
		t.Errorf("one more: %v", err)
	}
	if _, err := all.add("ccaas", wish{Agent: "anna"}, now); err != nil {
		t.Error(err)
	}
	if _, err := all.add("crm", wish{Agent: "anna"}, now.Add(keptFor+time.Second)); err != nil || len(all.all) != 1 {
		t.Errorf("%d are kept: %v", len(all.all), err)
	}
}

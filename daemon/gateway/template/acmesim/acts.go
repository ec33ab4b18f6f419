package acmesim

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/gateway/gatewaytest"
)

func (s *Sim) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	fault := gatewaytest.Fault("")
	if r.Method != http.MethodGet {
		fault, s.next = s.next, ""
	}
	if r.URL.Path == "/elsewhere" {
		s.elsewhere++
	}
	var answer reply
	fields, err := body(r)
	switch key := r.Header.Get("Idempotency-Key"); {
	case fault == gatewaytest.Unheard, fault == gatewaytest.Stale, fault == Redirected: // it doesn't act
	case fault == gatewaytest.Busy:
		answer = no(http.StatusServiceUnavailable, "busy")
	case r.Header.Get("Authorization") != "Bearer "+Key:
		answer = no(http.StatusUnauthorized, "who are you?")
	case err != nil:
		answer = no(http.StatusUnprocessableEntity, "unreadable")
	case key != "" && s.done[key] != (reply{}):
		answer = s.done[key]
	default:
		answer = s.act(r, fields)
		if key != "" && answer.status < 300 {
			s.done[key] = answer
		}
	}
	if p := s.payments[fields["reference"]]; fault == Echoing && p != nil {
		answer.body = strings.Replace(answer.body, p.id, p.number, 1)
	}
	if r.Method != http.MethodGet && s.met != nil {
		close(s.met)
		s.met = nil
	}
	s.mu.Unlock()
	deliver(w, r, fault, answer)
}

// body reads the fields of any encoding.
func body(r *http.Request) (map[string]string, error) {
	raw, err := io.ReadAll(r.Body)
	fields := map[string]string{}
	switch kind := r.Header.Get("Content-Type"); {
	case err != nil || len(raw) == 0:
	case kind == "application/json":
		var doc map[string]any
		err = json.Unmarshal(raw, &doc)
		for name, value := range doc {
			fields[name] = fmt.Sprint(value)
		}
	case kind == "application/x-www-form-urlencoded":
		var form url.Values
		form, err = url.ParseQuery(string(raw))
		for name := range form {
			fields[name] = form.Get(name)
		}
	case kind == "application/xml":
		var doc struct {
			Fields []struct {
				XMLName xml.Name
				Text    string `xml:",chardata"`
			} `xml:",any"`
		}
		err = xml.Unmarshal(raw, &doc)
		for _, f := range doc.Fields {
			fields[f.XMLName.Local] = f.Text
		}
	default:
		err = fmt.Errorf("a body of the type %q", kind)
	}
	return fields, err
}

// act does what a request asks for.
func (s *Sim) act(r *http.Request, f map[string]string) reply {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	minor, _ := strconv.ParseInt(f["amount"], 10, 64)
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/v1/payments":
		if p := s.payments[r.URL.Query().Get("reference")]; p != nil {
			return p.say(http.StatusOK)
		}
		return no(http.StatusNotFound, "no such payment")
	case r.Method == http.MethodPost && r.URL.Path == "/v1/payments":
		return s.pay(f, minor)
	case r.Method == http.MethodPost && len(path) == 2 && path[0] == "voids": // by the box's own name, known or not
		if s.payments[path[1]] == nil {
			s.payments[path[1]] = &payment{id: "ac-v", reference: path[1], status: "authorised"}
		}
		return s.payments[path[1]].void()
	case r.Method == http.MethodPost && r.URL.Path == "/v1/refunds":
		p := s.payments[f["payment"]]
		if p == nil || minor < 1 || minor > p.taken-p.returned {
			return no(http.StatusUnprocessableEntity, "not so much was taken")
		}
		p.returned += minor
		return reply{http.StatusOK, fmt.Sprintf(`{"id": "rf-1", "reference": %q, "status": "refunded"}`, p.reference)}
	case r.Method != http.MethodPost || len(path) != 3 || s.payments[path[1]] == nil:
		return no(http.StatusNotFound, "no such payment")
	}
	p := s.payments[path[1]]
	switch path[2] {
	case "void":
		return p.void()
	case "capture":
		if p.status != "authorised" || minor < 1 || minor > p.amount {
			return no(http.StatusUnprocessableEntity, "it is "+p.status)
		}
		p.status, p.taken = "captured", minor
	}
	return p.say(http.StatusOK)
}

func (p *payment) void() reply {
	if p.status != "authorised" && p.status != "captured" {
		return no(http.StatusUnprocessableEntity, "it is "+p.status)
	}
	p.status, p.returned = "voided", p.taken
	return p.say(http.StatusOK)
}

func (s *Sim) pay(f map[string]string, minor int64) reply {
	if len(f["number"]) < 12 || len(f["month"]) != 2 || len(f["year"]) != 4 || f["reference"] == "" || minor < 1 || f["currency"] != "EUR" || s.payments[f["reference"]] != nil {
		return no(http.StatusUnprocessableEntity, "it isn't a payment, or is one already")
	}
	p := &payment{id: fmt.Sprintf("ac-%d", 1+len(s.payments)/2), reference: f["reference"], amount: minor, number: f["number"]}
	s.payments[p.id], s.payments[p.reference] = p, p
	if p.cvc = "M"; f["cvc"] == "" {
		p.cvc = ""
	}
	reason, declined := Verdicts[f["number"]]
	switch {
	case declined:
		p.status, p.reason = "declined", reason
		return p.say(http.StatusPaymentRequired)
	case f["capture"] == "true":
		p.status, p.taken = "captured", minor
	default:
		p.status = "authorised"
	}
	p.charges++
	return p.say(http.StatusCreated)
}

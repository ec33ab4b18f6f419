package browser

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// program is a system of the owner's that uses the API.
type program struct {
	t     *testing.T
	r     *rig
	http  *http.Client
	token string
}

// session is what a program is told of one.
type session struct {
	ID, State, Reason, Brand, Last4, Token, Payment, Line string
	Words                                                 []string
	Fields                                                []struct {
		Name, State, Code string
		Stars             int
	}
}

func (p *program) asks(method, path, body string) *http.Response {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.r.origin+"/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.token == "" {
		req.SetBasicAuth("crm", p.r.secret)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	got, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	return got
}

func (p *program) does(path, body string) (s session) {
	p.t.Helper()
	got := p.asks("POST", path, body)
	defer got.Body.Close()
	said, _ := io.ReadAll(got.Body)
	var as struct {
		session
		Session string
	}
	if err := json.Unmarshal(said, &as); err != nil || got.StatusCode >= 300 {
		p.t.Fatalf("%s: %s %s (%v)", path, got.Status, said, err)
	}
	as.session.ID = as.Session
	return as.session
}

// inCall reports whether a call is on one of the lines.
func (p *program) inCall() bool {
	p.t.Helper()
	got := p.asks("GET", "lines", "")
	defer got.Body.Close()
	said, _ := io.ReadAll(got.Body)
	return strings.Contains(string(said), `"in_call":true`)
}

// TestAProgramTakesACard: with nothing but the API, for an agent who tells it which words he heard; the caller mistypes, and pays.
func TestAProgramTakesACard(t *testing.T) {
	t.Parallel()
	r := newRig(t, "[client.crm]\nsecret_file = \"crm.secret\"\n", line("desk-1", caller(t, "{150}4242#{50}4242424242424242#1229#123#{300}")))
	p := &program{t: t, r: r, http: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	got := p.asks("POST", "token", "grant_type=client_credentials")
	var given struct {
		Token string `json:"access_token"`
	}
	err := json.NewDecoder(got.Body).Decode(&given)
	got.Body.Close()
	if p.token = given.Token; err != nil || p.token == "" {
		t.Fatalf("no access token: %s (%v)", got.Status, err)
	}
	s := p.does("sessions", `{"agent": "anna", "amount": "12.05", "currency": "EUR", "reference": "order-7"}`)
	at := "sessions/" + s.ID
	for until := time.Now().Add(patience); !p.inCall(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("no call is told of")
		}
	}
	words := p.does(at+"/prove", `{"line": "desk-1"}`).Words
	first, second := r.hear(t, "desk-1", words)
	if s = p.does(at+"/bind", fmt.Sprintf(`{"words": [%q, %q]}`, words[first], words[second])); s.State != "bound" {
		t.Fatalf("it stands %+v", s)
	}
	if s = p.does(at+"/start", ""); s.State != "taking" || s.Payment == "" {
		t.Fatalf("it stands %+v", s)
	}
	stream := p.asks("GET", at+"/events", "")
	defer stream.Body.Close()
	refused, last := false, session{}
	for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
		data, is := strings.CutPrefix(lines.Text(), "data: ")
		if !is {
			continue
		}
		if strings.Contains(data, "42424242") {
			t.Fatal("eight digits of the card are told")
		}
		if err := json.Unmarshal([]byte(data), &last); err != nil {
			t.Fatal(err)
		}
		for _, f := range last.Fields {
			refused = refused || f.Name == "pan" && f.State == "refused" && f.Code != ""
		}
	}
	if !refused || last.State != "approved" || last.Last4 != "4242" || last.Brand != "visa" {
		t.Errorf("refused %v, and it came to %+v", refused, last)
	}
}

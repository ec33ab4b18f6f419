package signin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const back = "/signin/oidc/back?"

func TestTheProviderSignsIn(t *testing.T) {
	p, d := newIDP(t, "groups = [\"agents\"]\nsupervisors = \"leads\"")
	defer d.Close()
	b := d.browser()
	if w := b.get("/signin"); strings.Contains(w.Body.String(), "code") || !strings.Contains(w.Body.String(), `href="/signin/oidc?then=%2f"`) {
		t.Errorf("%s", w.Body)
	}
	if w := b.post("/signin/pair", "code", "ABCD-EFGH"); w.Code != http.StatusNotFound {
		t.Errorf("codes are taken all the same: %d", w.Code)
	}
	if w := b.get(back + p.authorize(t, b).Encode()); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/lines/one" {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	b.is(t, anna)
	if b.cookies[flowCookie] != nil {
		t.Error("what was brought back is kept")
	}
	w := b.post("/signout")
	if to := w.Header().Get("Refresh"); !strings.HasPrefix(to, "0; url="+issuer+"/logout?client_id=flattone&id_token_hint=ey") || !strings.HasSuffix(to, "&post_logout_redirect_uri="+url.QueryEscape(origin+"/signin")) {
		t.Errorf("signed out to %s", to)
	}
	b.is(t, "")
	p.claims["groups"], p.claims["preferred_username"] = []string{"leads"}, "Løvå"
	b.get(back + p.authorize(t, b).Encode())
	b.is(t, "{Name:Løvå Supervisor:true}")
}

// TestWhatIsWrongKeepsOut has one thing wrong at a time.
func TestWhatIsWrongKeepsOut(t *testing.T) {
	for name, test := range map[string]struct {
		status  int
		provide func(p *idp)
		answer  func(q url.Values)
		browse  func(b *browser)
	}{
		"nothing":                      {status: http.StatusSeeOther},
		"another state":                {status: 400, answer: func(q url.Values) { q.Set("state", "other") }},
		"no state":                     {status: 400, answer: func(q url.Values) { q.Del("state") }},
		"another browser":              {status: 400, browse: func(b *browser) { delete(b.cookies, flowCookie) }},
		"a forged flow":                {status: 400, browse: func(b *browser) { b.cookies[flowCookie].Value = strings.Repeat("A", 300) }},
		"a code that was never given":  {status: 403, answer: func(q url.Values) { q.Set("code", "other") }},
		"the provider's refusal":       {status: 403, answer: func(q url.Values) { q.Set("error", "access_denied") }},
		"another issuer in the answer": {status: 403, answer: func(q url.Values) { q.Set("iss", "https://evil.example.com") }},
		"another issuer":               {status: 403, provide: func(p *idp) { p.claims["iss"] = "https://evil.example.com" }},
		"another audience":             {status: 403, provide: func(p *idp) { p.claims["aud"] = "other" }},
		"another party":                {status: 403, provide: func(p *idp) { p.claims["aud"], p.claims["azp"] = []string{client, "other"}, "other" }},
		"another nonce":                {status: 403, provide: func(p *idp) { p.nonce = "other" }},
		"expired":                      {status: 403, provide: func(p *idp) { p.lasts = -time.Minute }},
		"not signed":                   {status: 403, provide: func(p *idp) { p.algorithm = "none" }},
		"signed by the public key":     {status: 403, provide: func(p *idp) { p.algorithm = jose.HS256 }},
		"another group":                {status: 403, provide: func(p *idp) { p.claims["groups"] = []string{"others"} }},
		"no groups":                    {status: 403, provide: func(p *idp) { p.claims["groups"] = "agents" }},
		"another domain":               {status: 403, provide: func(p *idp) { p.claims["groups"], p.claims["email"] = nil, "anna@example.com.evil.org" }},
		"an address that isn't his": {status: 403, provide: func(p *idp) {
			p.claims["groups"], p.claims["email"], p.claims["email_verified"] = nil, "anna@example.com", false
		}},
		"an address of the domain":   {status: http.StatusSeeOther, provide: func(p *idp) { p.claims["groups"], p.claims["email"] = nil, "anna@Example.com" }},
		"no name":                    {status: 403, provide: func(p *idp) { p.claims["preferred_username"] = "" }},
		"a name that breaks the log": {status: 403, provide: func(p *idp) { p.claims["preferred_username"] = "anna\nflattone: ok" }},
		"a provider that is away":    {status: 503, answer: func(url.Values) {}, browse: func(b *browser) { b.desk.oidc.client.Transport.(*idp).away = true }},
	} {
		t.Run(name, func(t *testing.T) {
			p, d := newIDP(t, "groups = [\"agents\"]\ndomains = [\"example.com\"]")
			defer d.Close()
			b := d.browser()
			q := p.authorize(t, b)
			if test.provide != nil {
				test.provide(p)
			}
			if test.answer != nil {
				test.answer(q)
			}
			if test.browse != nil {
				test.browse(b)
			}
			if w := b.get(back + q.Encode()); w.Code != test.status || strings.Contains(w.Body.String(), "other") {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
			if want := map[bool]string{true: anna}[test.status == http.StatusSeeOther]; want != "" || !p.away {
				b.is(t, want)
			}
		})
	}
}

func TestAWayBackIsGoneOnce(t *testing.T) {
	p, d := newIDP(t, "groups = [\"agents\"]")
	defer d.Close()
	b := d.browser()
	q := p.authorize(t, b)
	kept := *b.cookies[flowCookie]
	b.get(back + q.Encode())
	b.is(t, anna)
	if w := b.get(back + q.Encode()); w.Code != http.StatusBadRequest {
		t.Errorf("again: %d", w.Code)
	}
	thief := d.browser()
	thief.cookies[flowCookie] = &kept
	if w := thief.get(back + q.Encode()); w.Code != http.StatusForbidden {
		t.Errorf("a code that was replayed: %d", w.Code)
	}
	thief.is(t, "")
}

func TestTheWayThereEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, d := newIDP(t, "groups = [\"agents\"]")
		defer d.Close()
		b := d.browser()
		q := p.authorize(t, b)
		time.Sleep(flowTime + time.Second)
		if w := b.get(back + q.Encode()); w.Code != http.StatusBadRequest {
			t.Errorf("%d", w.Code)
		}
	})
}

// A session lasts as long as the provider's word: its token, or what renews that.
func TestTheProvidersWordIsTheLast(t *testing.T) {
	for name, test := range map[string]struct {
		renews bool
		after  func(p *idp)
		lasts  time.Duration
	}{
		"a token":                        {false, func(*idp) {}, 5 * time.Minute},
		"one that is renewed":            {true, func(*idp) {}, 12 * time.Hour},
		"a refusal":                      {true, func(p *idp) { p.refuses = true }, 5*time.Minute - renewBefore},
		"a provider that is away":        {true, func(p *idp) { p.away = true }, 5 * time.Minute},
		"another person":                 {true, func(p *idp) { p.claims["sub"] = "u2" }, 5*time.Minute - renewBefore},
		"a person who may less now":      {true, func(p *idp) { p.claims["groups"] = []string{} }, 5*time.Minute - renewBefore},
		"a person who is called bob now": {true, func(p *idp) { p.claims["preferred_username"] = "bob" }, 5*time.Minute - renewBefore},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, d := newIDP(t, "groups = [\"agents\"]")
				defer d.Close()
				p.lasts, p.renews = 5*time.Minute, test.renews
				b := d.browser()
				b.get(back + p.authorize(t, b).Encode())
				p.mu.Lock()
				test.after(p)
				p.mu.Unlock()
				began := time.Now()
				for d.sessions.of(b.cookies[cookie].Value, true) != nil {
					time.Sleep(time.Second)
					synctest.Wait()
				}
				if lasted := time.Since(began); (lasted - test.lasts).Abs() > 2*time.Second {
					t.Errorf("the session lasted %v, want %v", lasted, test.lasts)
				}
				if p.asked > 200 {
					t.Errorf("the provider was asked %d times", p.asked)
				}
			})
		})
	}
}

func TestTheProviderNeedNotBeThereAtFirst(t *testing.T) {
	p, d := newIDP(t, "groups = [\"agents\"]")
	defer d.Close()
	p.away = true
	b := d.browser()
	if w := b.get("/signin/oidc"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "does not answer") {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
	p.away = false
	b.get(back + p.authorize(t, b).Encode())
	b.is(t, anna)
}

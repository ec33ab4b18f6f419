package signin

import (
	"net/http"
	"testing"
	"time"
)

// The provider ends the sessions that it means, whoever brings its word; and no other token of its is taken for that.
func TestTheProviderLogsOut(t *testing.T) {
	for name, test := range map[string]struct {
		claims map[string]any
		change func(p *idp)
		nonce  string
		status int
		left   []string
	}{
		"a person":                         {claims: map[string]any{"sub": "u1"}, status: 200, left: []string{"", "", "{Name:bob Supervisor:false}"}},
		"one session":                      {claims: map[string]any{"sub": "u1", "sid": "s2"}, status: 200, left: []string{anna, "", "{Name:bob Supervisor:false}"}},
		"a session, without a person":      {claims: map[string]any{"sid": "s1"}, status: 200, left: []string{"", anna, "{Name:bob Supervisor:false}"}},
		"another's session":                {claims: map[string]any{"sub": "u2", "sid": "s1"}, status: 200, left: []string{anna, anna, "{Name:bob Supervisor:false}"}},
		"nobody":                           {claims: map[string]any{}, status: 400},
		"an id token":                      {claims: map[string]any{"sub": "u1", "events": nil}, status: 400},
		"with a nonce":                     {claims: map[string]any{"sub": "u1"}, nonce: "n", status: 400},
		"for another":                      {claims: map[string]any{"sub": "u1", "aud": "other"}, status: 400},
		"old":                              {claims: map[string]any{"sub": "u1", "exp": time.Now().Add(-time.Minute).Unix()}, status: 400},
		"not signed":                       {claims: map[string]any{"sub": "u1"}, change: func(p *idp) { p.algorithm = "none" }, status: 400},
		"from a provider that is away now": {claims: map[string]any{"sub": "u1"}, change: func(p *idp) { p.away = true }, status: 200, left: []string{"", "", "{Name:bob Supervisor:false}"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, d := newIDP(t, "groups = [\"agents\"]")
			defer d.Close()
			var browsers []*browser
			for _, who := range []map[string]any{{"sub": "u1", "sid": "s1"}, {"sub": "u1", "sid": "s2"}, {"sub": "u2", "sid": "s3", "preferred_username": "bob"}} {
				for k, v := range who {
					p.claims[k] = v
				}
				b := d.browser()
				b.get(back + p.authorize(t, b).Encode())
				browsers = append(browsers, b)
			}
			p.claims = map[string]any{"events": map[string]any{logoutEvent: map[string]any{}}}
			if test.nonce == "" {
				p.claims["nonce"] = nil
			}
			for k, v := range test.claims {
				p.claims[k] = v
			}
			if test.change != nil {
				test.change(p)
			}
			if w := d.browser().post("/signin/oidc/logout", "logout_token", p.sign(test.nonce)); w.Code != test.status {
				t.Errorf("%d: %s", w.Code, w.Body)
			}
			if test.status != http.StatusOK {
				test.left = []string{anna, anna, "{Name:bob Supervisor:false}"}
			}
			for i, b := range browsers {
				b.is(t, test.left[i])
			}
		})
	}
}

package signin

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	issuer = "https://idp.example.com/realm"
	client = "flattone"
	withID = "[signin]\npairing = false\n[signin.oidc]\nissuer = \"" + issuer + "\"\nclient_id = \"" + client + "\"\nclient_secret_file = \"secret\"\n"
)

// idp is an identity provider of OpenID Connect, in memory: it signs with a key of its own, gives each code and each refresh token once, and looks at
// the client's secret and at PKCE. What a test changes is what is wrong with it.
type idp struct {
	t   *testing.T
	key *rsa.PrivateKey

	mu     sync.Mutex
	claims map[string]any // beside what every token has
	lasts  time.Duration
	nonce  string // of tokens, where it isn't the one that was asked for
	// renews has it give refresh tokens; refuses has it answer 400 to them; away has it answer nobody.
	renews, refuses, away bool
	algorithm             jose.SignatureAlgorithm // none: it doesn't sign
	grants                map[string]url.Values   // by code
	refresh               string
	asked                 int
}

var signing = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// newIDP is a provider, and a desk that asks it.
func newIDP(t *testing.T, more string) (*idp, *desk) {
	t.Helper()
	p := &idp{t: t, key: signing(), lasts: time.Hour, algorithm: jose.RS256, grants: map[string]url.Values{},
		claims: map[string]any{"sub": "u1", "preferred_username": "anna", "groups": []string{"agents"}}}
	d := newDesk(t, withID+more)
	d.oidc.client.Transport = p
	return p, d
}

// RoundTrip has the desk reach the provider without a network.
func (p *idp) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return nil, http.ErrServerClosed
	}
	w := httptest.NewRecorder()
	switch strings.TrimPrefix(r.URL.String(), issuer) {
	case "/.well-known/openid-configuration":
		json.NewEncoder(w).Encode(map[string]any{"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/keys",
			"end_session_endpoint": issuer + "/logout", "id_token_signing_alg_values_supported": []string{"RS256", "none", "HS256"}, "scopes_supported": []string{"openid", "offline_access"}})
	case "/keys":
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	case "/token":
		p.token(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
	return w.Result(), nil
}

func (p *idp) token(w http.ResponseWriter, r *http.Request) {
	p.asked++
	w.Header().Set("Content-Type", "application/json")
	refuse := func(why string) {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": why})
	}
	if id, secret, _ := r.BasicAuth(); id != client || secret != url.QueryEscape("the secret") {
		refuse("invalid_client")
		return
	}
	grant := url.Values{}
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		var known bool
		grant, known = p.grants[r.PostFormValue("code")]
		delete(p.grants, r.PostFormValue("code"))
		challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if !known || grant.Get("redirect_uri") != r.PostFormValue("redirect_uri") || grant.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]) {
			refuse("invalid_grant")
			return
		}
	case "refresh_token":
		if p.refuses || r.PostFormValue("refresh_token") != p.refresh {
			refuse("invalid_grant")
			return
		}
	}
	answer := map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": int(p.lasts.Seconds()), "id_token": p.sign(grant.Get("nonce"))}
	if p.renews {
		p.refresh = rand.Text()
		answer["refresh_token"] = p.refresh
	}
	json.NewEncoder(w).Encode(answer)
}

func (p *idp) sign(nonce string) string {
	claims := map[string]any{"iss": issuer, "aud": client, "exp": time.Now().Add(p.lasts).Unix(), "iat": time.Now().Unix(), "nonce": nonce}
	if p.nonce != "" {
		claims["nonce"] = p.nonce
	}
	maps.Copy(claims, p.claims)
	body, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	var key any = p.key
	switch p.algorithm {
	case "none":
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(body) + "."
	case jose.HS256: // by the public key, for whoever takes that for a secret
		key = p.key.N.Bytes()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: p.algorithm, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(body)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// authorize is somebody signing in at the provider: it answers with what his browser brings back.
func (p *idp) authorize(t *testing.T, b *browser) url.Values {
	t.Helper()
	w := b.get("/signin/oidc?then=/lines/one")
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(to.String(), issuer+"/authorize?") {
		t.Fatalf("%d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	q := to.Query()
	if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("redirect_uri") != origin+"/signin/oidc/back" || q.Get("client_id") != client || len(q.Get("state")) < 26 || len(q.Get("nonce")) < 26 {
		t.Errorf("asked for %v", q)
	}
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grants[code] = q
	return url.Values{"state": {q.Get("state")}, "code": {code}}
}

package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

const (
	// askTime bounds one question to the provider, mostAnswer what is read of its answer.
	askTime    = 10 * time.Second
	mostAnswer = 1 << 20
	// flowTime is how long somebody may take at the provider.
	flowTime = 10 * time.Minute
)

// What keeps somebody out whom the provider sent. None of them repeats what was sent.
var (
	errFlow   = errors.New("the way back from the identity provider doesn't belong to a way there")
	errMixed  = errors.New("the answer is another identity provider's")
	errDenied = errors.New("the identity provider let nobody in")
	errToken  = errors.New("the identity provider's token isn't good")
	errNotYou = errors.New("the account may not sign in here")
	errAway   = errors.New("the identity provider doesn't answer")
)

// provider is the owner's identity provider: OpenID Connect Core 1.0, the authorization code flow, with PKCE (RFC 7636) and the issuer in the answer
// (RFC 9207) where it sends that.
type provider struct {
	cfg    config.OIDC
	back   string
	client *http.Client
	flows  *flows

	mu    sync.Mutex
	found *discovered
}

// discovered is what the provider says of itself.
type discovered struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
	said     struct {
		EndSession string   `json:"end_session_endpoint"`
		Scopes     []string `json:"scopes_supported"`
		SaysIssuer bool     `json:"authorization_response_iss_parameter_supported"`
	}
}

func newProvider(cfg *config.Desk) (*provider, error) {
	roots, err := cfg.SignIn.OIDC.Roots()
	if err != nil {
		return nil, err
	}
	if _, err := cfg.SignIn.OIDC.ClientSecret(); err != nil {
		return nil, err
	}
	flows, err := newFlows()
	if err != nil {
		return nil, err
	}
	return &provider{cfg: *cfg.SignIn.OIDC, back: cfg.Origin + "/signin/oidc/back", flows: flows, client: &http.Client{Timeout: askTime,
		Transport:     bounded{&http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, Proxy: http.ProxyFromEnvironment, MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: time.Minute}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

// bounded reads so much of an answer and no more.
type bounded struct{ http.RoundTripper }

// RoundTrip is [http.RoundTripper]'s.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, mostAnswer), answer.Body}
	}
	return answer, err
}

// discover asks the provider once for what it is; until it has answered, each time.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	secret, err := p.cfg.ClientSecret()
	if err != nil {
		return nil, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	issuer, err := oidc.NewProvider(ctx, p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAway, err)
	}
	d := &discovered{verifier: issuer.VerifierContext(oidc.ClientContext(context.Background(), p.client), &oidc.Config{ClientID: p.cfg.ClientID})}
	if err := issuer.Claims(&d.said); err != nil {
		return nil, fmt.Errorf("%w: %w", errAway, err)
	}
	scopes := []string{oidc.ScopeOpenID, "profile", "email"}
	if slices.Contains(d.said.Scopes, oidc.ScopeOfflineAccess) {
		scopes = append(scopes, oidc.ScopeOfflineAccess) // so that the provider can be asked whether the agent may still be here
	}
	d.oauth = oauth2.Config{ClientID: p.cfg.ClientID, ClientSecret: secret, Endpoint: issuer.Endpoint(), RedirectURL: p.back, Scopes: scopes}
	p.found = d
	return d, nil
}

// there is where a browser goes to sign in at the provider, and what it has to bring back besides.
func (p *provider) there(ctx context.Context, then string) (address, sealed string, err error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", "", err
	}
	f := flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Then: then, Until: time.Now().Add(flowTime)}
	return d.oauth.AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), p.flows.seal(f), nil
}

// word is the provider's about somebody.
type word struct {
	agent Agent
	// until is how long it holds, and token what it may be renewed with, or the agent signed out.
	until time.Time
	token *oauth2.Token
	raw   string
	// subject is whom the provider means, sid which session of his; empty: it doesn't say.
	subject, sid string
}

// here is who came back from the provider, and where he wanted to go.
func (p *provider) here(ctx context.Context, sealed string, q url.Values) (w word, then string, err error) {
	f, err := p.flows.open(sealed)
	if err != nil || subtle.ConstantTimeCompare([]byte(f.State), []byte(q.Get("state"))) != 1 {
		return word{}, "", errFlow
	}
	d, err := p.discover(ctx)
	if err != nil {
		return word{}, "", err
	}
	if issuer := q.Get("iss"); issuer != p.cfg.Issuer && (issuer != "" || d.said.SaysIssuer) {
		return word{}, "", errMixed
	}
	if q.Get("error") != "" || q.Get("code") == "" {
		return word{}, "", errDenied
	}
	token, err := d.oauth.Exchange(oidc.ClientContext(ctx, p.client), q.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return word{}, "", failed(err)
	}
	w, err = p.read(ctx, d, token, f.Nonce)
	return w, f.Then, err
}

// failed tells a refusal from an absence.
func failed(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil && refused.Response.StatusCode < http.StatusInternalServerError {
		return fmt.Errorf("%w: it answers %d", errDenied, refused.Response.StatusCode)
	}
	return fmt.Errorf("%w: %w", errAway, err)
}

// read judges the token that somebody is known by. The nonce is empty where one is renewed (OpenID Connect Core 1.0, 12.2).
func (p *provider) read(ctx context.Context, d *discovered, token *oauth2.Token, nonce string) (word, error) {
	raw, _ := token.Extra("id_token").(string)
	id, err := d.verifier.Verify(oidc.ClientContext(ctx, p.client), raw)
	if err != nil {
		return word{}, errToken // its text has parts of the token
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return word{}, errToken
	}
	if azp, there := claims["azp"]; nonce != "" && subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1 || there && azp != p.cfg.ClientID {
		return word{}, errToken
	}
	agent, err := p.agent(claims)
	sid, _ := claims["sid"].(string)
	return word{agent: agent, until: id.Expiry, token: token, raw: raw, subject: id.Subject, sid: sid}, err
}

// agent is whom claims name, if he may sign in.
func (p *provider) agent(claims map[string]any) (Agent, error) {
	name, _ := claims[p.cfg.NameClaim].(string)
	var groups []string
	list, _ := claims[p.cfg.GroupsClaim].([]any)
	for _, g := range list {
		if group, isText := g.(string); isText {
			groups = append(groups, group)
		}
	}
	email, _ := claims["email"].(string)
	verified, said := claims["email_verified"] // Microsoft's doesn't say; what it has is the directory's
	_, domain, _ := strings.Cut(email, "@")
	inDomain := slices.ContainsFunc(p.cfg.Domains, func(d string) bool { return strings.EqualFold(d, domain) }) && (!said || verified == true)
	inGroup := slices.ContainsFunc(groups, func(g string) bool { return slices.Contains(p.cfg.Groups, g) })
	supervisor := p.cfg.Supervisors != "" && slices.Contains(groups, p.cfg.Supervisors)
	if !control.CanBeAgent(name) || !inDomain && !inGroup && !supervisor {
		return Agent{}, errNotYou
	}
	return Agent{Name: name, Supervisor: supervisor}, nil
}

// renew asks the provider whether its word still holds.
func (p *provider) renew(ctx context.Context, old word) (word, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return word{}, err
	}
	token, err := d.oauth.TokenSource(oidc.ClientContext(ctx, p.client), &oauth2.Token{RefreshToken: old.token.RefreshToken}).Token()
	if err != nil {
		return word{}, failed(err)
	}
	if token.Extra("id_token") == nil { // it need not send one: then its word is as long as the new access token
		return word{agent: old.agent, until: token.Expiry, token: token, raw: old.raw, subject: old.subject, sid: old.sid}, nil
	}
	w, err := p.read(ctx, d, token, "")
	if w.sid == "" {
		w.sid = old.sid // a renewed token need not say again
	}
	if err == nil && (w.subject != old.subject || w.agent != old.agent) {
		return word{}, errNotYou // another person, or another part: he signs in again
	}
	return w, err
}

// away is where a browser goes to sign out at the provider, too; empty where it has no such place (RP-Initiated Logout 1.0).
func (p *provider) away(ctx context.Context, raw string) string {
	d, err := p.discover(ctx)
	if err != nil || d.said.EndSession == "" {
		return ""
	}
	u, err := url.Parse(d.said.EndSession)
	if err != nil || u.Scheme != "https" && u.Hostname() != "127.0.0.1" {
		return ""
	}
	q := u.Query()
	q.Set("id_token_hint", raw)
	q.Set("client_id", p.cfg.ClientID)
	q.Set("post_logout_redirect_uri", strings.TrimSuffix(p.back, "/oidc/back"))
	u.RawQuery = q.Encode()
	return u.String()
}

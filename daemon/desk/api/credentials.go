package api

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// tokenFor is how long an access token is good for.
const tokenFor = 15 * time.Minute

// mostTokens of one client are good at a time; the oldest end first.
const mostTokens = 100

// credentials are who may ask, and the access tokens that they were given (OAuth 2.0 client credentials, RFC 6749, section 4.4). Tokens are opaque, live in memory, and are
// kept as hashes. Safe for concurrent use.
type credentials struct {
	secrets map[string][][sha256.Size]byte // hashes, by client

	mu     sync.Mutex
	tokens map[[sha256.Size]byte]grant
	given  map[string][][sha256.Size]byte // by client, oldest first
}

type grant struct {
	client string
	until  time.Time
}

func newCredentials(secrets map[string][]string) *credentials {
	c := &credentials{secrets: map[string][][sha256.Size]byte{}, tokens: map[[sha256.Size]byte]grant{}, given: map[string][][sha256.Size]byte{}}
	for client, all := range secrets {
		for _, secret := range all {
			c.secrets[client] = append(c.secrets[client], sha256.Sum256([]byte(secret)))
		}
	}
	return c
}

// grant is a new access token for the client; false if that isn't its secret. Hashes are compared: how long that takes says nothing of a secret.
func (c *credentials) grant(client, secret string, now time.Time) (token string, ok bool) {
	if !slices.Contains(c.secrets[client], sha256.Sum256([]byte(secret))) {
		return "", false
	}
	token = "fta_" + rand.Text() + rand.Text()
	hash := sha256.Sum256([]byte(token))
	c.mu.Lock()
	defer c.mu.Unlock()
	given := c.given[client]
	for len(given) > 0 && (len(given) >= mostTokens || !now.Before(c.tokens[given[0]].until)) {
		delete(c.tokens, given[0])
		given = given[1:]
	}
	c.tokens[hash], c.given[client] = grant{client, now.Add(tokenFor)}, append(given, hash)
	return token, true
}

// clientOf is who sent the request, by its access token.
func (c *credentials) clientOf(r *http.Request, now time.Time) (client string, ok bool) {
	kind, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(kind, "Bearer") {
		return "", false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	g, ok := c.tokens[sha256.Sum256([]byte(token))]
	return g.client, ok && now.Before(g.until)
}

package control

import (
	"context"
	"net/http"
)

// Profile is what a card may be asked for by.
type Profile struct {
	Name string `json:"name"`
	// Fields are what the caller keys, in order: pan, expiry, cvv.
	Fields []string `json:"fields"`
	// Gateway is who charges the card, by the owner's name for him; empty: it is only stored.
	Gateway string `json:"gateway,omitempty"`
	// Keep is what becomes of the card: none, vault, once or oneway.
	Keep string `json:"keep"`
}

// Profiles are those of the configuration, by name.
func (c *Client) Profiles(ctx context.Context) ([]Profile, error) {
	return ask[[]Profile](ctx, c, "asking for the profiles", http.MethodGet, "profiles", nil)
}

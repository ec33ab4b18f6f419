package export

import (
	"encoding/json"
	"io"
	"time"

	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/vault"
)

// line is a card but for its number, which goes before it.
type line struct {
	Token       string        `json:"token"`
	Aliases     []vault.Alias `json:"aliases"`
	Tenant      string        `json:"tenant"`
	Brand       string        `json:"brand"`
	ExpiryMonth int           `json:"exp_month,omitzero"`
	ExpiryYear  int           `json:"exp_year,omitzero"`
	Created     time.Time     `json:"created"`
	Kind        vault.Kind    `json:"kind"`
	Hold        bool          `json:"hold"`
}

// writeCard writes a card as a line of JSON. Its number goes from one locked page to another.
func writeCard(to io.Writer, c vault.Exported, card *secret.Card) error {
	rest, err := json.Marshal(line{c.Token, c.Aliases, c.Tenant, c.Brand, c.ExpiryMonth, c.ExpiryYear, c.Created, c.Kind, c.Held})
	if err != nil {
		return err
	}
	for _, part := range [][]byte{[]byte(`{"pan":"`), card.PAN.Reveal(), []byte(`",`), rest[1:], []byte("\n")} {
		if _, err := to.Write(part); err != nil {
			return err
		}
	}
	return nil
}

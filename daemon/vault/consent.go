package vault

import (
	"errors"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/store"
)

// ErrNoConsent: the holder has not agreed that the card is used without him.
var ErrNoConsent = errors.New("nobody has agreed that this card is used without its holder")

// Consent is a card holder's word that his card may be used without him, and what goes with it.
type Consent struct {
	Payment string // the one that he was on the phone for
	// Network is the card network's transaction id of it, which each later use refers to; "" where the provider doesn't say it.
	Network string
}

// Agree records a consent, in the transaction of the payment that it was given with. A later one takes an earlier one's place. A card that isn't kept for
// reuse, or is gone, has none.
func (v *Vault) Agree(tx *store.Tx, by, token string, c Consent) error {
	now := v.calendar.now()
	n, err := tx.Exec(`INSERT INTO consent (token, payment, network, given) SELECT token, $1, $2, $3 FROM card WHERE token = $4 AND kind = $5
		ON CONFLICT (token) DO UPDATE SET payment = excluded.payment, network = excluded.network, given = excluded.given`, c.Payment, c.Network, now.UnixMicro(), token, string(Reusable))
	if err != nil || n == 0 {
		return err
	}
	return v.audit.Append(tx, audit.Event{Actor: by, Action: "card.consented", Object: token, Result: "ok", Origin: "payment " + c.Payment, Time: now})
}

// Agreed is a card's consent, or [ErrNoConsent].
func (v *Vault) Agreed(tx *store.Tx, token string) (c Consent, err error) {
	err = tx.One([]any{&c.Payment, &c.Network}, "SELECT payment, network FROM consent WHERE token = $1", token)
	if errors.Is(err, store.ErrNoRow) {
		err = ErrNoConsent
	}
	return c, err
}

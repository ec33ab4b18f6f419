package payment

import (
	"context"
	"fmt"
	"time"
)

// longestReach is how long a provider may take to be there: an agent waits for it before he asks for the card.
const longestReach = 3 * time.Second

// Reach asks, before anybody keys a card, whether there is a way to a provider: [ErrAway] says why there isn't, within three seconds. Where there is, he may be gone all
// the same when the card comes, so a payment doesn't rely on it.
func (p *Payments) Reach(ctx context.Context, name string) error {
	connector := p.deps.Gateways[name]
	if connector == nil {
		return fmt.Errorf("%w: no gateway %q is configured", ErrBadOrder, name)
	}
	ctx, cancel := context.WithTimeout(ctx, longestReach)
	defer cancel()
	if err := connector.Reach(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return nil
}

package upstream

import (
	"context"
	"fmt"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Figures are how it stands with a destination.
type Figures struct {
	Name  string
	State State
	// Unknown says that events wait for it, and the config doesn't name it: nobody sends them, unless another box on the same store does.
	Unknown bool
	// Waiting counts the events that it doesn't have, dead letters and what waits behind them included; Dead the dead letters.
	Waiting, Dead int
	// Oldest is the time of the event that was put in first of those; zero if none waits.
	Oldest time.Time
	// Attempts and Failures count since the start.
	Attempts, Failures int64
}

// Figures are those of all destinations, in the order of the config, and of those that the config no longer names while events wait for them. What is known
// without the store is there even if it fails.
func (o *Outbox) Figures(ctx context.Context) ([]Figures, error) {
	all := make([]Figures, 0, len(o.to))
	at := map[string]int{}
	for i, d := range o.to {
		at[d.to.Name] = i
		all = append(all, Figures{Name: d.to.Name, State: State(d.state.Load()), Attempts: d.attempts.Load(), Failures: d.failures.Load()})
	}
	err := o.store.Read(ctx, func(tx *store.Tx) error {
		first := map[string]int64{}
		of := func(name string) *Figures {
			i, known := at[name]
			if !known {
				i = len(all)
				at[name], all = i, append(all, Figures{Name: name, Unknown: true})
			}
			return &all[i]
		}
		err := tx.Each(func(scan func(...any) error) error {
			var name string
			var waiting, seq int64
			err := scan(&name, &waiting, &seq)
			of(name).Waiting, first[name] = int(waiting), seq
			return err
		}, "SELECT destination, COUNT(*), MIN(seq) FROM outbox WHERE ended = 0 GROUP BY destination ORDER BY destination")
		if err != nil {
			return err
		}
		for name, seq := range first {
			var queued int64
			if err := tx.One([]any{&queued}, "SELECT queued FROM outbox WHERE seq = $1", seq); err != nil {
				return err
			}
			of(name).Oldest = time.UnixMicro(queued)
		}
		return tx.Each(func(scan func(...any) error) error {
			var name string
			var dead int64
			err := scan(&name, &dead)
			of(name).Dead = int(dead)
			return err
		}, "SELECT destination, COUNT(*) FROM outbox WHERE state = 'dead' GROUP BY destination")
	})
	if err != nil {
		return all, fmt.Errorf("upstream: count what waits: %w", err)
	}
	return all, nil
}

// Pending counts the events that aren't delivered, of all destinations.
func (o *Outbox) Pending(ctx context.Context) (int, error) {
	var n int
	if err := o.store.One(ctx, []any{&n}, "SELECT COUNT(*) FROM outbox WHERE ended = 0"); err != nil {
		return 0, fmt.Errorf("upstream: count pending events: %w", err)
	}
	return n, nil
}

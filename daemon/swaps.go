package daemon

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/swap"
)

// swapEvery is how often it is looked what the machine swaps to.
const swapEvery = 10 * time.Minute

// watchSwap looks until ctx ends whether what is in memory may be written to a disk as it is.
func (d *Daemon) watchSwap(ctx context.Context) error {
	tick := time.NewTicker(swapEvery)
	defer tick.Stop()
	for {
		d.swapVitals(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

func (d *Daemon) swapVitals(ctx context.Context) {
	all, err := d.swaps(ctx)
	open := swap.Open(all)
	switch {
	case ctx.Err() != nil:
	case err != nil: // what stands goes on standing
		d.log.Warn("nobody says what the machine swaps to; it is asked again in ten minutes", "error", err)
	case len(open) > 0:
		d.health.Set(health.SwapOn, "", strings.Join(open, ", "))
	default:
		d.health.Clear(health.SwapOn, "")
	}
}

// swapAreas is the kernel's list, or systemd's where its unit hides that from flattoned.
func swapAreas(ctx context.Context) ([]swap.Area, error) {
	all, err := swap.Read("/")
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return all, err
	case !host.Supervised(): // nothing hides it: the kernel knows no swap
		return nil, nil
	}
	names, err := host.Swaps(ctx)
	return swap.Of("/", names), err
}

package host

import (
	"context"
	"strings"

	"github.com/coreos/go-systemd/v22/dbus"
	"github.com/coreos/go-systemd/v22/unit"
)

// Swaps are the names of what the machine swaps to, as systemd has units of them, which make one of each name that a device has. It is for who may not see the kernel's list.
func Swaps(ctx context.Context) (names []string, err error) {
	conn, err := dbus.NewSystemConnectionContext(ctx)
	if err != nil {
		return nil, explained("reach systemd", err)
	}
	defer conn.Close()
	found, err := conn.ListUnitsByPatternsContext(ctx, []string{"active"}, []string{"*.swap"})
	if err != nil {
		return nil, explained("list what the machine swaps to", err)
	}
	for _, f := range found {
		names = append(names, unit.UnitNamePathUnescape(strings.TrimSuffix(f.Name, ".swap")))
	}
	return names, nil
}

package host

import (
	"context"

	"github.com/godbus/dbus/v5"
)

const (
	clockService = "org.freedesktop.timedate1"
	clockPath    = "/org/freedesktop/timedate1"
)

// Clock is timedated: who knows whether the machine's clock is set by others.
type Clock struct{ bus *Bus }

// NewClock speaks to timedated on a bus.
func NewClock(bus *Bus) *Clock { return &Clock{bus} }

// Synchronised reports whether the machine's clock follows one that others set, as the kernel has it (NTPSynchronized). timedated is started for that
// each time, and says so in the journal: don't ask every second.
func (c *Clock) Synchronised(ctx context.Context) (bool, error) {
	conn, err := c.bus.connect()
	if err != nil {
		return false, err
	}
	return property[bool](ctx, conn, clockService, clockPath, clockService, "NTPSynchronized")
}

// Changed yields when something about the clock was set, such as whether it is to be synchronised. timedated tells nobody when it comes to be
// (NTPSynchronized has no change signal): for that, ask now and then. The channel is closed when ctx ends or the bus is lost.
func (c *Clock) Changed(ctx context.Context) (<-chan struct{}, error) {
	conn, err := c.bus.connect()
	if err != nil {
		return nil, err
	}
	const changed = "org.freedesktop.DBus.Properties"
	return hear(ctx, conn, func(s *dbus.Signal) bool { return s.Name == changed+".PropertiesChanged" && s.Path == clockPath },
		[]dbus.MatchOption{dbus.WithMatchSender(clockService), dbus.WithMatchObjectPath(clockPath), dbus.WithMatchInterface(changed), dbus.WithMatchMember("PropertiesChanged")})
}

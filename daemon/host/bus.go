package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// callTime bounds one question on the bus; services answer in milliseconds, and a bus that hangs must keep nobody waiting.
const callTime = 2 * time.Second

// Bus is the process's place on the system bus: one connection, made when it is first needed and again once it was lost. [Login], [Clock] and [Appliance]
// share it. Safe for concurrent use.
type Bus struct {
	mu     sync.Mutex
	conn   *dbus.Conn
	closed bool
}

var errClosed = errors.New("the process is about to end")

// Close hangs up for good.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.conn == nil {
		return nil
	}
	return b.conn.Close()
}

// connect is the connection that there is, or a new one.
func (b *Bus) connect() (*dbus.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, errClosed
	case b.conn != nil && b.conn.Connected():
		return b.conn, nil
	}
	alive, lose := context.WithCancel(context.Background()) // of the connection, not of whoever needs it first
	late := time.AfterFunc(callTime, lose)
	// One signal after the other, lest the end of something overtake its beginning.
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(alive), dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err == nil && !late.Stop() {
		err = errors.Join(context.DeadlineExceeded, conn.Close())
	}
	if err != nil {
		lose()
		return nil, fmt.Errorf("reach the system bus: %w; look at systemctl status dbus.socket, it is tried again", err)
	}
	b.conn = conn
	return conn, nil
}

// property asks a service for a property's value.
func property[T any](ctx context.Context, conn *dbus.Conn, service string, path dbus.ObjectPath, iface, name string) (value T, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	err = conn.Object(service, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, iface, name).Store(&value)
	if err != nil {
		return value, fmt.Errorf("ask %s for %s: %w", service, name, err)
	}
	return value, nil
}

// hear yields after signals that fit, of those that the rules have the bus deliver, until ctx ends. Then, or when the connection is lost, the channel is
// closed. It doesn't tell what a signal says: whoever is on the bus may send one like it to this process alone, past all rules, so it is only a reason to ask.
func hear(ctx context.Context, conn *dbus.Conn, fits func(*dbus.Signal) bool, rules ...[]dbus.MatchOption) (<-chan struct{}, error) {
	signals := make(chan *dbus.Signal, 1)
	conn.Signal(signals)
	forget := func() {
		conn.RemoveSignal(signals)
		for _, rule := range rules {
			_ = conn.RemoveMatchSignal(rule...) // of a connection that may be lost
		}
	}
	for _, rule := range rules {
		within, cancel := context.WithTimeout(ctx, callTime)
		err := conn.AddMatchSignalContext(within, rule...)
		cancel()
		if err != nil {
			forget()
			return nil, fmt.Errorf("hear of signals: %w", err)
		}
	}
	heard := make(chan struct{}, 1)
	go func() {
		defer close(heard)
		defer forget()
		for {
			select {
			case <-ctx.Done():
				return
			case s, ok := <-signals:
				if !ok {
					return
				}
				if !fits(s) {
					continue
				}
			}
			select {
			case heard <- struct{}{}:
			default: // whoever hears is to ask anyway
			}
		}
	}()
	return heard, nil
}

//go:build cgo

package line

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/hwtest/card"
)

// waiter is a line that waits for a card, and what becomes of it.
func waiter(t *testing.T, b *box) (*card.Card, context.CancelFunc, <-chan error) {
	made := card.New(t, card.Spec{Name: "trunk", Rate: 8000, Channels: 2})
	made[0].Unplug()
	b.cfg.Lines[0].Sound = &config.Sound{Caller: "trunk", CallerChannel: 1, Agent: "trunk", AgentChannel: 2}
	ctx, cancel := context.WithCancel(t.Context())
	opened := make(chan error, 1)
	go func() {
		l, err := NewOnceThere(ctx, b.cfg, "desk-1", Deps{Log: slog.New(slog.NewTextHandler(&b.log, nil))})
		if l != nil {
			err = errors.Join(err, l.close())
		} else if err == nil {
			err = context.Canceled
		}
		opened <- err
	}()
	return made[0], cancel, opened
}

// A line without its device is held, to flattoned as to everybody, and says so to each flattoned anew, until the device is there.
func TestALineWaitsForItsDevice(t *testing.T) {
	if !hwtest.IsApart() {
		hwtest.Apart(t, t.Name())
		return
	}
	b := newBox(t, "")
	b.listen()
	trunk, _, opened := waiter(t, b)
	for range 2 {
		d := b.accept()
		if got := d.next().m; got != (wire.State{State: "held", Reason: "device_absent"}) {
			t.Errorf("it says %+v", got)
		}
		for i, m := range []wire.Message{wire.Arm{ID: 1, Capture: "cap_a"}, wire.Cancel{ID: 2}, wire.MoreTime{ID: 3}, wire.Acknowledge{ID: 4},
			wire.CallTold{ID: 5, Edge: "call_ended"}, wire.Tune{ID: 6}} {
			if answer := d.ask(uint64(i+1), m); !strings.Contains(answer, "it waits for its sound device") {
				t.Errorf("to %T it answers %q", m, answer)
			}
		}
		d.hangUp()
	}
	d := b.accept()
	trunk.Plug()
	if err := <-opened; err != nil {
		t.Error(err)
	}
	<-d.done // before the line connects, it has hung up
	if n := strings.Count(b.log.String(), "the line waits for a device"); n != 1 {
		t.Errorf("it is logged %d times", n)
	}
}

func TestALineThatWaitsCanBeStopped(t *testing.T) {
	b := newBox(t, "")
	b.listen()
	_, stop, opened := waiter(t, b)
	d := b.accept()
	stop()
	if err := <-opened; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	<-d.done
}

// What no card can mend is no reason to wait.
func TestSpoiltDevicesEndTheLine(t *testing.T) {
	b := newBox(t, "")
	if err := os.WriteFile(b.path(config.DevicesName), []byte("version = 1\n[device.trunk]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, opened := waiter(t, b)
	if err := <-opened; !errors.Is(err, config.ErrInvalid) {
		t.Error(err)
	}
}

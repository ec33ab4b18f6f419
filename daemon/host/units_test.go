package host_test

import (
	"context"
	"errors"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/host"
	"github.com/flattone/flattone/daemon/host/hosttest"
)

func sleeping(string) *exec.Cmd { return exec.Command("sleep", "1000") }

// until looks after each change of a unit, until what it sees is right.
func until(t *testing.T, u *host.Units, right func([]host.Unit) bool) {
	t.Helper()
	late := time.After(soon)
	for {
		list, err := u.List(t.Context(), "flattone-line@*.service")
		if err != nil {
			t.Fatal(err)
		}
		if right(list) {
			return
		}
		select {
		case <-u.Changed():
		case <-late:
			t.Fatalf("systemd has %+v", list)
		}
	}
}

func TestUnits(t *testing.T) {
	hosttest.Bus(t)
	running := make(chan *exec.Cmd, 10)
	systemd := hosttest.NewSystemd(t, func(unit string) *exec.Cmd {
		cmd := sleeping(unit)
		running <- cmd
		return cmd
	})
	u, err := host.OpenUnits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	const one, other = "flattone-line@desk-1.service", "another.service"
	for _, unit := range []string{one, other} {
		if err := u.Start(t.Context(), unit); err != nil {
			t.Error(err)
		}
	}
	until(t, u, func(list []host.Unit) bool { return reflect.DeepEqual(list, []host.Unit{{Name: one, State: "active"}}) })
	cmd := <-running
	cmd.Process.Kill()
	until(t, u, func(list []host.Unit) bool { return list[0].State == "active" && list[0].Restarts == 1 })
	if err := u.Restart(t.Context(), one); err != nil {
		t.Error(err)
	}
	until(t, u, func(list []host.Unit) bool { return list[0].State == "active" && list[0].Restarts == 0 })
	if err := u.Stop(t.Context(), one); err != nil {
		t.Error(err)
	}
	until(t, u, func(list []host.Unit) bool { return list[0].State == "inactive" })

	systemd.Refuse(true)
	err = u.Start(t.Context(), one)
	if !errors.Is(err, host.ErrRefused) || !strings.Contains(err.Error(), one) || !strings.Contains(err.Error(), "polkit") {
		t.Errorf("refused, it says %v", err)
	}
	systemd.Away(true)
	if err := u.Start(t.Context(), one); !errors.Is(err, host.ErrNoBus) {
		t.Errorf("with systemd away it says %v", err)
	}
}

func TestUnitsWithoutABus(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+t.TempDir()+"/none")
	if _, err := host.OpenUnits(context.Background()); !errors.Is(err, host.ErrNoBus) || !strings.Contains(err.Error(), "dbus.socket") {
		t.Errorf("it says %v", err)
	}
}

// What the machine swaps to is told by the names of files, and not of units.
func TestSwaps(t *testing.T) {
	hosttest.Bus(t)
	hosttest.NewSystemd(t, sleeping)
	u, err := host.OpenUnits(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for _, unit := range []string{`dev-dm\x2d0.swap`, "swapfile.swap", "another.service"} {
		if err := u.Start(t.Context(), unit); err != nil {
			t.Error(err)
		}
	}
	names, err := host.Swaps(t.Context())
	if err != nil || !reflect.DeepEqual(names, []string{"/dev/dm-0", "/swapfile"}) {
		t.Errorf("%q, %v", names, err)
	}
}

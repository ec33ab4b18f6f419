package host

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// booted is there where systemd runs the machine (sd_booted(3)).
const booted = "/run/systemd/system"

// Supervised reports whether systemd runs this machine and started this process itself, as a unit. Whoever only descends from a unit,
// such as a shell on a desktop, inherits its variables but not its process id.
func Supervised() bool {
	_, err := os.Stat(booted)
	return err == nil && os.Getenv("SYSTEMD_EXEC_PID") == strconv.Itoa(os.Getpid())
}

// Alive tells systemd that the process does what it is for, and what that is just now: it is ready, where that was awaited still, and need not
// be killed. Where no systemd listens it does nothing.
func Alive(doing string) error {
	return notify(daemon.SdNotifyReady + "\n" + daemon.SdNotifyWatchdog + "\nSTATUS=" + doing)
}

// Stopping tells systemd that the process is about to end.
func Stopping() error { return notify(daemon.SdNotifyStopping) }

func notify(state string) error {
	if _, err := daemon.SdNotify(false, state); err != nil {
		return fmt.Errorf("tell systemd how the process is: %w", err)
	}
	return nil
}

// KeepAlive is [Alive] for a process that has to look whether it works: until ctx ends it looks twice in the time after which systemd would kill it,
// and tells systemd only if works finds nothing wrong. What takes longer is wrong. The first look is at once.
//
// Where systemd doesn't watch it looks once.
func KeepAlive(ctx context.Context, log *slog.Logger, doing string, works func(context.Context) error) error {
	most, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("ask how often systemd wants to hear of the process: %w; see WatchdogSec= of the unit", err)
	}
	var next <-chan time.Time
	if most > 0 {
		tick := time.NewTicker(most / 2)
		defer tick.Stop()
		next = tick.C
	}
	for {
		if err := look(ctx, most/2, works); err != nil && ctx.Err() == nil {
			log.Error("the process doesn't work as it should: systemd isn't told that it does", "error", err, "killed_after", most)
		} else if err == nil {
			err = Alive(doing)
			if err != nil {
				log.Error("systemd takes the process for dead", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-next:
		}
	}
}

func look(ctx context.Context, most time.Duration, works func(context.Context) error) error {
	if most > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, most)
		defer cancel()
	}
	if err := works(ctx); err != nil {
		return err
	}
	return ctx.Err()
}

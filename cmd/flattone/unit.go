package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/control"
)

// unitTime is for flattoned to be back.
const unitTime = 30 * time.Second

// runsByUnit reports whether systemd's flattoned.service is the flattoned of that pid.
func runsByUnit(ctx context.Context, pid int) bool {
	out, err := exec.CommandContext(ctx, "systemctl", "show", "--property=MainPID", "--value", "flattoned.service").Output()
	return err == nil && strings.TrimSpace(string(out)) == strconv.Itoa(pid)
}

// restartUnit has systemd start flattoned again, and waits until it answers.
func restartUnit(ctx context.Context, box *control.Client) error {
	ctx, cancel := context.WithTimeout(ctx, unitTime)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "systemctl", "restart", "flattoned.service").CombinedOutput(); err != nil {
		return fmt.Errorf("flattoned does not start with it: %w: %s", err, bytes.TrimSpace(out))
	}
	for {
		_, err := box.Status(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(peek):
		case <-ctx.Done():
			return fmt.Errorf("flattoned does not answer: %w", err)
		}
	}
}

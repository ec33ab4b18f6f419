package daemon

import (
	"cmp"
	"context"
	"fmt"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/pause"
)

// newPauser is nil where no recorder is in front of the box.
func (d *Daemon) newPauser() (*pause.Pauser, error) {
	hook := d.cfg.RecorderHook
	if hook == nil {
		return nil, nil
	}
	by, err := newWebhook(config.Destination{Webhook: hook.Webhook, TLS: hook.TLS})
	if err != nil {
		return nil, fmt.Errorf("recorder_hook: %w", err)
	}
	return pause.New(pause.Config{Timeout: hook.Timeout, Required: hook.Required}, pause.Deps{Sender: by, Lines: d.board.views, Feed: d.feed, Health: d.health, Log: d.log,
		Note: func(ctx context.Context, action, line, result, capture string) {
			if err := d.note(ctx, "flattoned", action, "line "+line, result, cmp.Or(capture, "daemon")); err != nil {
				d.log.Error("what the recorder was told could not be noted in the audit log", "action", action, "line", line, "error", err)
			}
		}}), nil
}

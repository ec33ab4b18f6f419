package daemon

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"

	"github.com/flattone/flattone/daemon/audit/witness"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/upstream"
)

// checkpointMessage is the journal's MESSAGE_ID of a checkpoint's record. It never changes: whoever collects them goes by it.
const checkpointMessage = "d1b8c7b5e4f34f6e8f0c2a9d7e615b38"

// checkpointType is the type of the event that bears a checkpoint upstream; its key, too, so that they stay in order.
const checkpointType = "audit.checkpoint"

// checkpoints makes who takes the audit log's checkpoints off the box.
func (d *Daemon) checkpoints() *witness.Witness {
	cfg := d.cfg.Audit
	deps := witness.Deps{Checkpoint: d.audit.Checkpoint, Journal: d.logCheckpoint, Stuck: func(err error) {
		if err != nil {
			d.health.Set(health.CheckpointStuck, "", err.Error())
			return
		}
		now := time.Now()
		d.vouched.Store(&now)
		d.health.Clear(health.CheckpointStuck, "")
	}}
	if cfg.CheckpointWebhook {
		deps.Upstream = d.sendCheckpoint
	}
	return witness.New(witness.Config{Every: cfg.CheckpointEvery, File: cfg.CheckpointFile}, deps)
}

func (d *Daemon) logCheckpoint(ctx context.Context, checkpoint []byte, size int64) error {
	d.log.LogAttrs(ctx, slog.LevelInfo, "a checkpoint of the audit log", slog.Int64("entries", size),
		slog.String("checkpoint", string(checkpoint)), slog.String("message_id", checkpointMessage))
	return nil
}

// sendCheckpoint puts it into the outbox, for every destination. That it waits there for long is upstream's condition.
func (d *Daemon) sendCheckpoint(ctx context.Context, checkpoint []byte, size int64) error {
	data, err := json.Marshal(struct {
		Entries    int64  `json:"entries"`
		Checkpoint string `json:"checkpoint"`
	}{size, string(checkpoint)})
	if err != nil {
		return err
	}
	now := time.Now()
	return d.store.Write(ctx, func(tx *store.Tx) error {
		for _, to := range d.outbox.Names() {
			e := upstream.Event{ID: "evt_checkpoint_" + strconv.FormatInt(size, 10), To: to, Type: checkpointType, Key: checkpointType, Time: now, Data: data}
			if err := d.outbox.Enqueue(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

package config

import "time"

// Audit is where the audit log's checkpoints go, by which others can tell that it is whole. The journal has them in any case.
type Audit struct {
	// CheckpointEvery is how long at most an entry waits for one.
	CheckpointEvery time.Duration
	// CheckpointFile is appended to; empty: none.
	CheckpointFile string
	// CheckpointWebhook has all destinations upstream told, as events of the type audit.checkpoint.
	CheckpointWebhook bool
}

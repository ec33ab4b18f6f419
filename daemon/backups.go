package daemon

import (
	"context"
	"io"

	"github.com/flattone/flattone/daemon/control"
)

// BackUp makes a backup of the data.
func (b *backend) BackUp(ctx context.Context, by control.Actor, to io.Writer) error {
	return b.d.backups.Data(ctx, by.String(), to)
}

// BackUpKeys makes one of the keys.
func (b *backend) BackUpKeys(ctx context.Context, by control.Actor, to io.Writer) error {
	return b.d.backups.Keys(ctx, by.String(), to)
}

// BackUpPurgeLog makes one of the purge log.
func (b *backend) BackUpPurgeLog(ctx context.Context, by control.Actor, to io.Writer) error {
	return b.d.backups.PurgeLog(ctx, by.String(), to)
}

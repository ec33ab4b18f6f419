package control

import (
	"context"
	"io"
)

// BackUp writes a backup of the data to to. It fails if what came isn't all.
func (c *Client) BackUp(ctx context.Context, to io.Writer) error {
	return c.file(ctx, "backup/data", to)
}

// BackUpKeys is BackUp for the keys.
func (c *Client) BackUpKeys(ctx context.Context, to io.Writer) error {
	return c.file(ctx, "backup/keys", to)
}

// BackUpPurgeLog is BackUp for the purge log.
func (c *Client) BackUpPurgeLog(ctx context.Context, to io.Writer) error {
	return c.file(ctx, "backup/purge-log", to)
}

package daemon

import (
	"context"
	"io"
	"path/filepath"

	"github.com/flattone/flattone/daemon/backup"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// auditKey is the file of the audit log's signing key.
func auditKey(cfg *config.Config) string { return filepath.Join(cfg.StateDir, "audit.key") }

// maker makes backups of the box.
func (d *Daemon) maker() (*backup.Maker, error) {
	box, err := boxName(d.cfg)
	if err != nil {
		return nil, err
	}
	return backup.New(backup.Config{Box: box, AuditKey: auditKey(d.cfg)}, backup.Deps{Store: d.store, Vault: d.vault, Audit: d.audit}), nil
}

// BackUp makes a backup of the data.
func (b *backend) BackUp(ctx context.Context, by control.Actor, to io.Writer) error {
	return b.backUp(func(m *backup.Maker) error { return m.Data(ctx, by.String(), to) })
}

// BackUpKeys makes one of the keys.
func (b *backend) BackUpKeys(ctx context.Context, by control.Actor, to io.Writer) error {
	return b.backUp(func(m *backup.Maker) error { return m.Keys(ctx, by.String(), to) })
}

// BackUpPurgeLog makes one of the purge log.
func (b *backend) BackUpPurgeLog(ctx context.Context, by control.Actor, to io.Writer) error {
	return b.backUp(func(m *backup.Maker) error { return m.PurgeLog(ctx, by.String(), to) })
}

func (b *backend) backUp(make func(*backup.Maker) error) error {
	m, err := b.d.maker()
	if err != nil {
		return err
	}
	return make(m)
}

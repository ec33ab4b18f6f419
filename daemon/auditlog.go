package daemon

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/config"
)

// auditKey is the file of the audit log's signing key.
func auditKey(cfg *config.Config) string { return filepath.Join(cfg.StateDir, "audit.key") }

func auditConfig(cfg *config.Config, box string) audit.Config {
	return audit.Config{Box: box, Shared: cfg.Store.Postgres != "", KeyFile: auditKey(cfg)}
}

// NewAuditLog begins an audit log in the place of one whose signing key is lost for good. It must not run while flattoned does.
func NewAuditLog(ctx context.Context, cfg *config.Config) (err error) {
	box, err := boxName(cfg)
	if err != nil {
		return err
	}
	db, err := openStore(ctx, cfg, box)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = audit.Begin(ctx, auditConfig(cfg, box), audit.Deps{Store: db})
	return err
}

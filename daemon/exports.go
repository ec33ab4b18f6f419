package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/export"
	"github.com/flattone/flattone/daemon/export/recipient"
	"github.com/flattone/flattone/daemon/vault"
)

// newExporter is who has cards leave for those whom the config names.
func (d *Daemon) newExporter() (*export.Exporter, error) {
	to := map[string]recipient.Recipient{}
	for _, r := range d.cfg.Vault.Export {
		var err error
		if to[r.Name], err = recipient.Parse(r.Key); err != nil { // the config would have refused it
			return nil, err
		}
	}
	return export.New(export.Config{Folder: exportFolder(d.cfg), Recipients: to, LeastRoom: leastRoom},
		export.Deps{Store: d.store, Audit: d.audit, Vault: d.vault, Custody: d.custody, Log: d.log}), nil
}

// exportFolder is where files of exported cards lie.
func exportFolder(cfg *config.Config) string { return filepath.Join(cfg.StateDir, "exports") }

// AskExport has custodians be asked. What they agree to is noted by custody, and what came of it by the exporter; that they weren't asked is noted here.
func (b *backend) AskExport(ctx context.Context, by control.Actor, to, tenant string) (string, error) {
	id, err := b.d.exports.Ask(ctx, by.String(), to, tenant)
	return id, b.undone(ctx, by, "export.refused", "cards", b.exportError(err, by))
}

func (b *backend) Exports(context.Context) ([]control.Export, error) {
	var out []control.Export
	for _, e := range b.d.exports.List() {
		one := control.Export{ID: e.ID, By: e.By, To: e.Recipient, Key: e.Key, Tenant: e.Tenant, Began: e.Began, Ended: e.Ended, Of: e.Of, Cards: e.Cards, File: e.File, SHA256: e.SHA256}
		if e.Failed != nil {
			one.Failed = e.Failed.Error()
		}
		out = append(out, one)
	}
	return out, nil
}

// exportError is a refusal as a person can act on it. It doesn't repeat what was given as a recipient or a tenant, for the audit log has it.
func (b *backend) exportError(err error, by control.Actor) error {
	switch {
	case errors.Is(err, export.ErrNoRecipients):
		return &control.Error{Code: control.CodeWrongState, Text: export.ErrNoRecipients.Error(), Remedy: "name one in a [vault.export.NAME] table, and say flattone apply"}
	case errors.Is(err, export.ErrUnknownRecipient):
		return &control.Error{Code: control.CodeBadRequest, Text: export.ErrUnknownRecipient.Error(), Remedy: "there are: " + strings.Join(b.d.exports.Recipients(), ", ")}
	case errors.Is(err, export.ErrNoCards):
		return &control.Error{Code: control.CodeWrongState, Text: export.ErrNoCards.Error(), Remedy: "flattone tokens lists cards: those of the kinds vault and once leave; is it the right tenant?"}
	case errors.Is(err, export.ErrBusy):
		return &control.Error{Code: control.CodeWrongState, Text: export.ErrBusy.Error(), Remedy: "wait for its end: flattone vault exports"}
	case errors.Is(err, vault.ErrLocked):
		return vaultLocked("no card was exported")
	}
	return custodyError(err, by)
}

package daemon

import (
	"context"
	"errors"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
)

func (b *backend) Vault(ctx context.Context) (control.Vault, error) {
	v := b.d.vault
	roots, err := v.Roots(ctx)
	if err != nil {
		return control.Vault{}, err
	}
	p, err := v.Progress(ctx)
	if err != nil {
		return control.Vault{}, err
	}
	s, err := v.Stock(ctx)
	if err != nil {
		return control.Vault{}, err
	}
	out := control.Vault{Locked: v.Locked(), Roots: []control.Root{}, Key: p.Version, KeySince: p.Since, Records: p.Records, Remaining: p.Remaining,
		RetentionS: int64(b.d.cfg.Vault.Retention.Seconds()), Cards: map[string]int64{}, Held: s.Held, NextPurge: s.Next, Counted: s.At}
	for _, r := range roots {
		out.Roots = append(out.Roots, control.Root{ID: r.ID, Kind: string(r.Kind), Opened: r.Opened, Created: r.Created})
	}
	for kind, n := range s.Kinds {
		out.Cards[string(kind)] = n
	}
	return out, nil
}

// RotateKey is in the log by the vault's own entry, in the transaction that makes the version.
func (b *backend) RotateKey(ctx context.Context, by control.Actor) (int64, error) {
	version, err := b.d.vault.Rotate(ctx, by.String(), "admin socket")
	if errors.Is(err, vault.ErrLocked) {
		err = vaultLocked("its key was not rotated")
	}
	return version, b.undone(ctx, by, "key.rotated", "vault", err)
}

func (b *backend) Certificates(ctx context.Context) ([]control.Certificate, error) {
	all, err := b.d.vault.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]control.Certificate, 0, len(all))
	for _, c := range all {
		out = append(out, control.Certificate{Kind: c.Kind, Note: string(c.Note), Created: c.Created})
	}
	return out, nil
}

// vaultLocked says what didn't come about because nobody has opened the vault.
func vaultLocked(undone string) *control.Error {
	return &control.Error{Code: control.CodeVaultLocked, Text: undone + ": the vault is locked", Remedy: "custodians unlock it: flattone custody unlock"}
}

package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/hsm"
	"github.com/flattone/flattone/daemon/keys/tpm"
	"github.com/flattone/flattone/daemon/vault"
)

// unlock opens the vault by the root that the config names. Where that fails, or the custodians are the root, it stays locked until they open it: lines come up,
// and none is armed.
func (d *Daemon) unlock(ctx context.Context) error {
	err := d.openByRoot(ctx)
	if err != nil {
		s, unknown := d.custody.Status(ctx)
		if unknown != nil || s.Set == "" {
			return errors.Join(err, unknown)
		}
		d.log.Error("the vault's root doesn't open it, so its custodians have to", "error", err)
		d.health.Set(health.VaultLocked, "", err.Error())
		return nil
	}
	if d.vault.Locked() {
		d.health.Set(health.VaultLocked, "", "")
	}
	return nil
}

func (d *Daemon) openByRoot(ctx context.Context) error {
	if d.cfg.Vault.Custodians {
		return nil
	}
	root, err := openRoot(d.cfg.Vault)
	if err != nil {
		return err
	}
	if root.Kind() == keys.File {
		d.health.Set(health.KeyFile, "", "")
	}
	if err := d.vault.Unlock(ctx, root); err != nil {
		return errors.Join(err, root.Close())
	}
	return nil
}

// openRoot opens what the vault's keys hang on, from where the config has it. Close it at the end.
func openRoot(v config.Vault) (keys.Root, error) {
	switch {
	case v.Credential != "":
		return keys.OpenCredential(v.Credential)
	case v.TPM.File != "":
		return tpm.Open(v.TPM.Device, v.TPM.File)
	case v.HSM.Module != "":
		return hsm.Open(hsm.Config(v.HSM))
	}
	return keys.OpenFile(v.KeyFile)
}

func vaultConfig(c *config.Config) vault.Config {
	v := c.Vault
	return vault.Config{
		Retention: v.Retention, OnceTTL: v.OnceTTL, DeskSide: v.DeskSide, RotateAfter: v.RotateAfter, RotateRecords: int64(v.RotateRecords),
		Destinations: destinations(c.Upstream),
		Rules:        chargeRules(c),
	}
}

// kinds are what the config's words are in the vault.
var kinds = map[config.Keep]vault.Kind{config.KeepNone: vault.Flight, config.KeepVault: vault.Reusable, config.KeepOnce: vault.Once, config.KeepOneWay: vault.OneWay}

// mayKeep refuses a configuration by which cards would be kept for later where a root is on the disk (PCI DSS 3.6.1.2).
func (d *Daemon) mayKeep(cfg *config.Config) error {
	for _, l := range cfg.Lines {
		if err := d.mayKeepBy(cfg, l, l.Profile); err != nil {
			return err
		}
	}
	return nil
}

func (d *Daemon) mayKeepBy(cfg *config.Config, l config.Line, profile string) error {
	p := cfg.Profiles[profile]
	if !p.Keep.Stored() || d.vault.MayKeep(string(l.Place)) {
		return nil
	}
	why := "the line is desk-side, where nothing is kept"
	if root := d.vault.OnDisk(); root != "" {
		why = fmt.Sprintf("a root of the vault (%s) lies on the disk with the cards: whoever copies it could read them; have one off it instead (docs/keys.md)", root)
	}
	return fmt.Errorf(`profile %s of line %s has keep = %q, and %s, or write keep = "none"`, profile, l.Name, p.Keep, why)
}

// purged tells what the vault's housework has come to.
func (d *Daemon) purged(p vault.Purged, err error) {
	if err != nil {
		d.log.Error("the vault's housework failed, and is tried again in a minute", "error", err)
		d.health.Set(health.VaultTrouble, "", err.Error())
		return
	}
	d.health.Clear(health.VaultTrouble, "")
	if p.Cards == 0 {
		return
	}
	d.log.Info("cards whose time was over were shredded", "cards", p.Cards, "unresolved", p.Unresolved, "on_hold", p.Held)
	if p.Unresolved > 0 {
		d.health.Set(health.Unresolved, "", fmt.Sprintf("%d cards", p.Unresolved))
	}
}

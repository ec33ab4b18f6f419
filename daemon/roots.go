package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/vault"
)

// What custodians agree to, where there are any: whoever may add a root could add one of his own, and then open the vault alone (PCI DSS 3.7.7).
const (
	addRoot  custody.Purpose = "have another root open the vault"
	dropRoot custody.Purpose = "have a root no longer open the vault"
)

// AddRoot goes by the configuration file as it is now: flattoned itself goes by the one it was started with.
func (b *backend) AddRoot(ctx context.Context, by control.Actor) (control.RootChange, error) {
	out, err := b.addRoot(ctx, by)
	return out, b.undone(ctx, by, "key.root_added", "vault", rootError(err))
}

func (b *backend) addRoot(ctx context.Context, by control.Actor) (out control.RootChange, err error) {
	cfg, err := config.Load(b.d.configPath)
	if err != nil {
		return out, badConfig(b.d.configPath, err)
	}
	root, err := b.newRoot(ctx, cfg.Vault)
	if err != nil {
		return out, err
	}
	what := string(root.Kind()) + ", " + rootPlace(cfg.Vault)
	if err := root.Close(); err != nil {
		return out, err
	}
	return b.agreed(ctx, by, addRoot, what, func(ctx context.Context) (id string, err error) {
		root, err := b.newRoot(ctx, cfg.Vault) // anew: nobody keeps it open while people look for their papers
		if err != nil {
			return "", err
		}
		id, err = b.d.vault.AddRoot(ctx, by.String(), root)
		return id, errors.Join(err, root.Close())
	})
}

func (b *backend) DropRoot(ctx context.Context, by control.Actor, id string) (out control.RootChange, err error) {
	if err = b.mayDrop(ctx, id); err == nil {
		out, err = b.agreed(ctx, by, dropRoot, id, func(ctx context.Context) (string, error) { return id, b.d.vault.DropRoot(ctx, by.String(), id) })
	}
	return out, b.undone(ctx, by, "key.root_dropped", "vault", rootError(err))
}

// errCustodiansRoot: their root goes with them.
var errCustodiansRoot = errors.New("that is the custodians' root")

// mayDrop says before anybody is asked to agree what would be said after.
func (b *backend) mayDrop(ctx context.Context, id string) error {
	if b.d.vault.Locked() {
		return vault.ErrLocked
	}
	people, err := b.d.custody.Status(ctx)
	if err != nil {
		return err
	}
	if people.Root == id {
		return errCustodiansRoot
	}
	all, err := b.d.vault.Roots(ctx)
	if err != nil {
		return err
	}
	switch i := slices.IndexFunc(all, func(r vault.RootEntry) bool { return r.ID == id }); {
	case i < 0:
		return vault.ErrUnknownRoot
	case all[i].Opened:
		return vault.ErrOwnRoot
	}
	return nil
}

// newRoot opens the root that a configuration names, unless it can't come to open the vault.
func (b *backend) newRoot(ctx context.Context, v config.Vault) (keys.Root, error) {
	switch {
	case b.d.vault.Locked():
		return nil, vault.ErrLocked
	case v.Custodians:
		return nil, errNoRootNamed
	}
	root, err := openRoot(v)
	if err != nil {
		return nil, err
	}
	err = b.d.vault.MayAdd(ctx, root)
	if err == nil && !root.Kind().OffDisk() && b.d.keeps() {
		err = vault.ErrRootOnDisk
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return root, nil
}

// errNoRootNamed: [vault] custodians is true.
var errNoRootNamed = errors.New("the configuration has the vault opened by its custodians alone, and names no root")

// rootPlace is where the configuration has the root, in words for who agrees to it.
func rootPlace(v config.Vault) string {
	switch {
	case v.Credential != "":
		return "credential " + v.Credential
	case v.TPM.File != "":
		return v.TPM.File
	case v.HSM.Module != "":
		return fmt.Sprintf("key %s of token %s", v.HSM.Key, v.HSM.Token)
	}
	return v.KeyFile
}

// keeps reports that cards of some line are kept for later.
func (d *Daemon) keeps() bool {
	cfg := d.lined.Load()
	return slices.ContainsFunc(cfg.Lines, func(l config.Line) bool { return cfg.Profiles[l.Profile].Keep.Stored() })
}

// agreed changes a root once custodians have agreed to it; where there are none, at once.
func (b *backend) agreed(ctx context.Context, by control.Actor, purpose custody.Purpose, object string, change func(context.Context) (id string, err error)) (control.RootChange, error) {
	ceremony, err := b.d.custody.Approve(ctx, by.String(), purpose, object, func(ctx context.Context, theirs keys.Root) error {
		if err := theirs.Close(); err != nil {
			return err
		}
		_, err := change(ctx)
		return rootError(err)
	})
	if errors.Is(err, custody.ErrNoCustodians) {
		id, err := change(ctx)
		return control.RootChange{Root: id}, err
	}
	return control.RootChange{Ceremony: ceremony}, custodyError(err, by)
}

// rootErrors are refusals, with what to do.
var rootErrors = []struct {
	err    error
	remedy string
}{
	{vault.ErrKnownRoot, "have the configuration name the new one first; flattone vault status lists those that open it"},
	{vault.ErrRootOnDisk, "choose one that is off the disk: docs/keys.md has them"},
	{vault.ErrOwnRoot, "have the configuration name another that opens it, and restart flattoned: flattone apply"},
	{vault.ErrUnknownRoot, "flattone vault status lists them"},
	{errCustodiansRoot, "replace the custodians, and theirs is dropped: flattone custody enrol"},
	{errNoRootNamed, "name one in [vault] first"},
}

// rootError is a refusal as a person can act on it. What a root itself says has its remedy with it.
func rootError(err error) error {
	if _, said := errors.AsType[*control.Error](err); said || err == nil {
		return err
	}
	if errors.Is(err, vault.ErrLocked) {
		return vaultLocked("its roots stay as they are")
	}
	for _, r := range rootErrors {
		if errors.Is(err, r.err) {
			return &control.Error{Code: control.CodeWrongState, Text: err.Error(), Remedy: r.remedy}
		}
	}
	return &control.Error{Code: control.CodeWrongState, Text: err.Error(), Remedy: "docs/keys.md says what each root needs, and what its refusals mean"}
}

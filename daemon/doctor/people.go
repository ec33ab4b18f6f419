package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/flattone/flattone/daemon/private"
)

// secrets says whether files that are for flattoned alone are so. It opens none of them.
func secrets(_ context.Context, m *Machine) (all []Finding) {
	if m.Config == nil {
		return []Finding{{Verdict: Unseen, Found: "the configuration can't be read, so nobody knows where they are"}}
	}
	c := m.Config
	type file struct {
		path, what, exposed string
		may                 bool // it may be missing
	}
	files := []file{
		{c.Vault.KeyFile, "the vault's key", private.VaultKey.Exposed, false},
		{filepath.Join(c.StateDir, "audit.key"), "the audit log's key", private.AuditKey.Exposed, true},
		{filepath.Join(c.StateDir, "flattone.db"), "the vault", "chmod 600 it, and look who could have a copy", true},
		{c.StateDir, "the state folder", "", true},
	}
	for _, d := range c.Upstream {
		what := "what upstream." + d.Name + " is signed by or signed in with"
		for _, path := range []string{d.Webhook.SecretFile, d.Webhook.OldSecretFile, d.JetStream.CredsFile, d.JetStream.NKeyFile, d.JetStream.PasswordFile, d.TLS.KeyFile} {
			files = append(files, file{path, what, private.WebhookSecret.Exposed, false})
		}
	}
	for _, one := range c.Clients {
		for _, path := range []string{one.SecretFile, one.OldSecretFile} {
			files = append(files, file{path, "the secret of client." + one.Name, private.WebhookSecret.Exposed, false})
		}
	}
	for _, f := range files {
		if f.path == "" { // systemd hands it over
			continue
		}
		info, err := os.Lstat(m.path(f.path))
		switch {
		case errors.Is(err, fs.ErrNotExist) && (f.may || m.Box == nil && strings.HasPrefix(f.path, "/run/credentials/")): // which are there while flattoned runs
			continue
		case errors.Is(err, fs.ErrNotExist):
			all = append(all, Finding{Verdict: Bad, Found: f.what + " is not there: " + f.path, Means: "flattoned doesn't start", Do: "restore it from its backup, or name the right file in " + m.ConfigFile})
			continue
		case err != nil:
			all = append(all, unseen(err)...)
			continue
		case info.IsDir():
			err = private.JudgeFolder(f.path, info, m.User)
		default:
			err = private.Judge(f.path, info, m.User, f.exposed)
		}
		if flaw, bad := errors.AsType[private.Flaw](err); bad {
			all = append(all, Finding{Verdict: Bad, Found: f.what + ": " + flaw.Reason, Means: "flattoned refuses it; others may have read it", Do: flaw.Remedy})
		}
	}
	if info, err := os.Stat(m.path(m.ConfigFile)); err == nil && (info.Mode().Perm()&0o022 != 0 || !rootsOr(info, m.User)) {
		all = append(all, Finding{Verdict: Bad, Found: fmt.Sprintf("%s can be written by others (mode %#o)", m.ConfigFile, info.Mode().Perm()),
			Means: "whoever writes it decides what is masked", Do: "chown root " + m.ConfigFile + " && chmod go-w " + m.ConfigFile})
	}
	if all == nil {
		all = []Finding{{Verdict: OK, Found: "all are closed to others"}}
	}
	return all
}

func rootsOr(info fs.FileInfo, user int) bool {
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	return owner == 0 || owner == user
}

// units says whether systemd keeps flattone, from the next boot on too.
func units(ctx context.Context, m *Machine) (all []Finding) {
	if _, err := os.Stat(m.path("run/systemd/system")); err != nil {
		return []Finding{{Verdict: Warn, Found: "no systemd runs here", Means: "flattoned keeps the lines itself: they end with it, and nobody starts it again", Do: "run flattone by the units of its package"}}
	}
	out, err := m.Run(ctx, "systemctl", "show", "--property=LoadState,UnitFileState,ActiveState", "flattone.target")
	if errors.Is(err, exec.ErrNotFound) || err != nil {
		return unseen(fmt.Errorf("systemctl: %w: %s", err, first(out)))
	}
	state := properties(out)
	switch {
	case state["LoadState"] != "loaded":
		return []Finding{{Verdict: Warn, Found: "flattone.target is not installed", Means: "nobody starts flattone at a boot", Do: "install the package"}}
	case state["UnitFileState"] != "enabled":
		all = append(all, Finding{Verdict: Bad, Found: "flattone.target is " + state["UnitFileState"], Means: "flattone is not there after the next boot", Do: "systemctl enable flattone.target"})
	}
	if state["ActiveState"] != "active" {
		all = append(all, Finding{Verdict: Bad, Found: "flattone.target is " + state["ActiveState"], Means: "flattone does not run", Do: "systemctl start flattone.target"})
	}
	out, err = m.Run(ctx, "systemctl", "show", "--property=ActiveState,NRestarts", "flattoned.service")
	if state := properties(out); err == nil && state["ActiveState"] != "active" && state["NRestarts"] != "0" {
		all = append(all, Finding{Verdict: Bad, Found: "flattoned doesn't come up: systemd has tried " + state["NRestarts"] + " times", Means: "no card is taken",
			Do: "journalctl -u flattoned -n 50. Is it the vault's key, /etc/flattone/vault-key.cred? One that a TPM has sealed opens on that machine alone, booted as it was: put the disk back into it, or have custodians open the vault and another root added (docs/keys.md)"})
	}
	failed, err := m.Run(ctx, "systemctl", "list-units", "--failed", "--plain", "--no-legend", "flattone*")
	if err != nil {
		return append(all, unseen(fmt.Errorf("systemctl: %w: %s", err, first(failed)))...)
	}
	for line := range strings.Lines(failed) {
		if unit, _, _ := strings.Cut(strings.TrimSpace(line), " "); unit != "" {
			all = append(all, Finding{Verdict: Bad, Found: unit + " has failed", Means: "systemd has given it up", Do: "journalctl -u " + unit + " -n 50; then systemctl restart " + unit})
		}
	}
	if all == nil {
		all = []Finding{{Verdict: OK, Found: "flattone.target is enabled and active, and none of its units has failed"}}
	}
	return all
}

// properties are those of a unit, as systemctl shows them.
func properties(shown string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(shown) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			all[name] = value
		}
	}
	return all
}

// adminGroup is whose members may command the box.
const adminGroup = "flattone-admin"

// admins says who may command the box.
func admins(_ context.Context, m *Machine) []Finding {
	groups, err := m.read("etc/group")
	if err != nil {
		return unseen(err)
	}
	for line := range strings.Lines(groups) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 4 || fields[0] != adminGroup {
			continue
		}
		if fields[3] == "" {
			return []Finding{{Verdict: Warn, Found: adminGroup + " has no member", Means: "only root may command the box", Do: "adduser NAME " + adminGroup}}
		}
		return []Finding{{Verdict: OK, Found: "in " + adminGroup + ": " + strings.ReplaceAll(fields[3], ",", ", ")}}
	}
	return []Finding{{Verdict: Warn, Found: "there is no group " + adminGroup, Means: "only root may command the box, unless its configuration names others", Do: "groupadd --system " + adminGroup}}
}

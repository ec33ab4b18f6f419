package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/tpm"
	"github.com/flattone/flattone/daemon/keys/tpm/tpmtest"
)

// names writes a configuration whose [vault] names a root, and has the next start go by it.
func (h *house) names(root string) {
	h.t.Helper()
	h.write("flattone.toml", fmt.Sprintf(`version = 1
state_dir = "state"
runtime_dir = "run"
[roles]
custodian = ["self"]
%s
[upstream.webhook]
url = "http://127.0.0.1:1/"
secret_file = "webhook.secret"
[profile.card]
[[line]]
name = "one"
place = "trunk-side"
profile = "card"
lookahead_ms = 30
[line.wav]
caller_in = ["a.wav"]
agent_in = ["a.wav"]
agent_out = "b.wav"
caller_out = "c.wav"
`, root), 0o600)
	cfg, err := config.Load(h.path("flattone.toml"))
	if err != nil {
		h.t.Fatal(err)
	}
	h.cfg.Vault = cfg.Vault
}

// sealed names a new key, sealed to a TPM as it is now.
func (h *house) sealed(device, file string) {
	h.t.Helper()
	if err := tpm.New(device, h.path(file), []uint{tpm.SecureBoot}); err != nil {
		h.t.Fatal(err)
	}
	h.names(fmt.Sprintf("[vault.tpm]\nfile = %q\ndevice = %q", file, device))
}

// rootsOf are the roots of the vault by kind, the one that opened it in brackets.
func rootsOf(t *testing.T, c *control.Client) (all string, ids map[string]string) {
	t.Helper()
	v, err := c.Vault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids = map[string]string{}
	for _, r := range v.Roots {
		name := r.Kind
		if r.Opened {
			name = "[" + name + "]"
		}
		all += name + " "
		ids[name] = r.ID
	}
	return all, ids
}

// credential names what systemd hands over: a new key.
func (h *house) credential(dir string) {
	h.t.Helper()
	key := make([]byte, keys.Size)
	rand.Read(key)
	if err := os.WriteFile(filepath.Join(dir, "vault-key"), key, 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.names("[vault]\ncredential = \"vault-key\"")
}

// machineRoot is one that only this machine opens, as it is.
type machineRoot struct {
	kind  keys.Kind
	place func(n int) string
	// seal makes the n-th one and names it; change is of the machine, after which that one isn't to be had, as says says.
	seal   func(n int)
	change func()
	says   string
}

var machineRoots = map[string]func(t *testing.T, h *house) machineRoot{
	"TPM": func(t *testing.T, h *house) machineRoot {
		device := tpmtest.Start(t)
		file := func(n int) string { return fmt.Sprintf("root-%d.tpm", n) }
		return machineRoot{keys.TPM, func(n int) string { return h.path(file(n)) }, func(n int) { h.sealed(device, file(n)) },
			func() { tpmtest.Boot(t, device, "a new boot loader's key") }, "PCR [7] changed"}
	},
	// systemd unseals nothing any more, and so hands over a new one, or flattoned doesn't start.
	"credential": func(t *testing.T, h *house) machineRoot {
		dir := t.TempDir()
		t.Setenv("CREDENTIALS_DIRECTORY", dir)
		seal := func(int) { h.credential(dir) }
		return machineRoot{keys.Credential, func(int) string { return "credential vault-key" }, seal, func() { seal(2) }, "wrong vault key"}
	},
}

// TestAfterAChangeOfFirmware is what docs/keys.md has to be done: the machine's root is no more, which is said with what to do; custodians unlock the vault, and agree that
// one which was sealed to the machine as it is now opens it; the next start needs nobody, and the old one is dropped.
func TestAfterAChangeOfFirmware(t *testing.T) {
	for name, prepare := range machineRoots {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			afterAChange(t, h, prepare(t, h))
		})
	}
}

func afterAChange(t *testing.T, h *house, root machineRoot) {
	h.withPeople()
	root.seal(1)
	_, stop, _ := h.run()
	papers := enrol(t, h.client())
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	root.change()
	_, stop, _ = h.run()
	c := h.client()
	if said, locked := vaultLockedSays(t, c); !locked || !strings.Contains(said, root.says) || !strings.Contains(said, "custodians") {
		t.Errorf("the machine is another, and it says %q, locked %v", said, locked)
	}
	root.seal(2)
	_, err := c.AddRoot(t.Context())
	wantsCode(t, "added while it is locked", err, control.CodeVaultLocked, "the vault is locked")
	id, err := c.UnlockVault(t.Context())
	if err := errors.Join(err, giveShares(t, c, papers, id)); err != nil {
		t.Fatal(err)
	}
	asked, err := c.AddRoot(t.Context())
	if err != nil || asked.Ceremony == "" || asked.Root != "" {
		t.Fatalf("custodians aren't asked: %+v, %v", asked, err)
	}
	if s, err := c.Custody(t.Context()); err != nil || s.Ceremony == nil || s.Ceremony.Purpose != "have another root open the vault" || s.Ceremony.About != string(root.kind)+", "+root.place(2) {
		t.Errorf("they are asked %+v, %v", s.Ceremony, err)
	}
	if all, _ := rootsOf(t, c); all != string(root.kind)+" [custodians] " {
		t.Errorf("before they agree there are %s", all)
	}
	if err := giveShares(t, c, papers, asked.Ceremony); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	_, stop, _ = h.run()
	c = h.client()
	if said, locked := vaultLockedSays(t, c); locked {
		t.Errorf("with its new root it doesn't open: %s", said)
	}
	all, ids := rootsOf(t, c)
	if all != fmt.Sprintf("%s custodians [%[1]s] ", root.kind) {
		t.Errorf("there are %s", all)
	}
	_, err = c.AddRoot(t.Context())
	wantsCode(t, "added twice", err, control.CodeWrongState, "opens this vault already")
	_, err = c.DropRoot(t.Context(), ids["["+string(root.kind)+"]"])
	wantsCode(t, "the one that opened it", err, control.CodeWrongState, "opened by that root")
	_, err = c.DropRoot(t.Context(), ids["custodians"])
	wantsCode(t, "the custodians'", err, control.CodeWrongState, "custodians' root")
	_, err = c.DropRoot(t.Context(), "root_none")
	wantsCode(t, "none", err, control.CodeWrongState, "no root has this id")
	if asked, err = c.DropRoot(t.Context(), ids[string(root.kind)]); err != nil || asked.Ceremony == "" {
		t.Fatalf("custodians aren't asked: %+v, %v", asked, err)
	}
	if err := giveShares(t, c, papers, asked.Ceremony); err != nil {
		t.Fatal(err)
	}
	if all, _ := rootsOf(t, c); all != fmt.Sprintf("custodians [%s] ", root.kind) {
		t.Errorf("the old one is dropped, and there are %s", all)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// TestFromAKeyFileToATPM: where there are no custodians, whoever has their role does it alone. No card is kept until the file is dropped, though the TPM has opened the vault.
func TestFromAKeyFileToATPM(t *testing.T) {
	h := newHouse(t)
	h.cfg.Roles.Custodian = []string{config.Self}
	h.names(`[vault]` + "\n" + `key_file = "vault.key"`)
	_, stop, _ := h.run()
	c := h.client()
	_, err := c.AddRoot(t.Context())
	wantsCode(t, "what opens it already", err, control.CodeWrongState, "opens this vault already")
	h.write("flattone.toml", strings.Replace(h.read("flattone.toml"), "vault.key", "no.key", 1), 0o600)
	_, err = c.AddRoot(t.Context())
	wantsCode(t, "what isn't there", err, control.CodeWrongState, "does not exist")
	h.write("flattone.toml", strings.Replace(h.read("flattone.toml"), `key_file = "no.key"`, "custodians = true", 1), 0o600)
	_, err = c.AddRoot(t.Context())
	wantsCode(t, "nothing", err, control.CodeWrongState, "names no root")
	h.sealed(tpmtest.Start(t), "root.tpm")
	if change, err := c.AddRoot(t.Context()); err != nil || change.Ceremony != "" || !strings.HasPrefix(change.Root, "root_") {
		t.Fatalf("it is %+v, %v", change, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	d, stop, _ := h.run()
	c = h.client()
	all, ids := rootsOf(t, c)
	if all != "file [tpm] " {
		t.Errorf("there are %s", all)
	}
	keep := *h.cfg
	keep.Lines = slices.Clone(keep.Lines[1:])
	keep.Lines[0].Profile = "card"
	keep.Profiles = map[string]config.Profile{"card": {Keep: config.KeepVault}}
	if err := d.mayKeep(&keep); err == nil || !strings.Contains(err.Error(), ids["file"]) {
		t.Errorf("cards may be kept beside a key file: %v", err)
	}
	d.lined.Store(&keep)
	_, err = c.Arm(t.Context(), keep.Lines[0].Name, "")
	wantsCode(t, "armed", err, control.CodeWrongState, ids["file"])
	if change, err := c.DropRoot(t.Context(), ids["file"]); err != nil || change.Root != ids["file"] {
		t.Fatalf("it is %+v, %v", change, err)
	}
	if err := d.mayKeep(&keep); err != nil {
		t.Errorf("the file is dropped: %v", err)
	}
	h.names(`[vault]` + "\n" + `key_file = "vault.key"`)
	_, err = c.AddRoot(t.Context())
	wantsCode(t, "back on the disk where cards are kept", err, control.CodeWrongState, "lies on the disk")
	if kind := d.vault.RootKind(); kind != keys.TPM {
		t.Errorf("it was opened by %s", kind)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

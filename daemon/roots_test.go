package daemon

import (
	"errors"
	"fmt"
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

// TestAfterAChangeOfFirmware is what docs/keys.md has to be done: the TPM no longer unseals, which is said with what to do; custodians unlock the vault, and agree that
// a key which was sealed to the machine as it is now opens it; the next start needs nobody, and the old key is dropped.
func TestAfterAChangeOfFirmware(t *testing.T) {
	h, device := newHouse(t), tpmtest.Start(t)
	h.withPeople()
	h.sealed(device, "root.tpm")
	_, stop, _ := h.run()
	papers := enrol(t, h.client())
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	tpmtest.Boot(t, device, "a new boot loader's key")
	_, stop, _ = h.run()
	c := h.client()
	if says, locked := vaultLockedSays(t, c); !locked || !strings.Contains(says, "PCR [7] changed") || !strings.Contains(says, "custodians") {
		t.Errorf("the machine booted otherwise, and it says %q, locked %v", says, locked)
	}
	h.sealed(device, "root-2.tpm")
	_, err := c.AddRoot(t.Context())
	wantsCode(t, "added while it is locked", err, control.CodeVaultLocked, "the vault is locked")
	id, err := c.UnlockVault(t.Context())
	if err := errors.Join(err, giveShares(t, c, papers, id)); err != nil {
		t.Fatal(err)
	}
	change, err := c.AddRoot(t.Context())
	if err != nil || change.Ceremony == "" || change.Root != "" {
		t.Fatalf("custodians aren't asked: %+v, %v", change, err)
	}
	if s, err := c.Custody(t.Context()); err != nil || s.Ceremony == nil || s.Ceremony.Purpose != "have another root open the vault" || s.Ceremony.About != "tpm, "+h.path("root-2.tpm") {
		t.Errorf("they are asked %+v, %v", s.Ceremony, err)
	}
	if all, _ := rootsOf(t, c); all != "tpm [custodians] " {
		t.Errorf("before they agree there are %s", all)
	}
	if err := giveShares(t, c, papers, change.Ceremony); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	_, stop, _ = h.run()
	c = h.client()
	if says, locked := vaultLockedSays(t, c); locked {
		t.Errorf("with its new key it doesn't open: %s", says)
	}
	all, ids := rootsOf(t, c)
	if all != "tpm custodians [tpm] " {
		t.Errorf("there are %s", all)
	}
	_, err = c.AddRoot(t.Context())
	wantsCode(t, "added twice", err, control.CodeWrongState, "opens this vault already")
	_, err = c.DropRoot(t.Context(), ids["[tpm]"])
	wantsCode(t, "the one that opened it", err, control.CodeWrongState, "opened by that root")
	_, err = c.DropRoot(t.Context(), ids["custodians"])
	wantsCode(t, "the custodians'", err, control.CodeWrongState, "custodians' root")
	_, err = c.DropRoot(t.Context(), "root_none")
	wantsCode(t, "none", err, control.CodeWrongState, "no root has this id")
	if change, err = c.DropRoot(t.Context(), ids["tpm"]); err != nil || change.Ceremony == "" {
		t.Fatalf("custodians aren't asked: %+v, %v", change, err)
	}
	if err := giveShares(t, c, papers, change.Ceremony); err != nil {
		t.Fatal(err)
	}
	if all, _ := rootsOf(t, c); all != "custodians [tpm] " {
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

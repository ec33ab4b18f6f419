package config

import (
	"errors"
	"os"
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/private"
)

// Vault is where the key is kept that every card is sealed under, in the end: its root. Exactly one of these is set.
type Vault struct {
	// KeyFile holds the 32 bytes of a key, mode 0600.
	KeyFile string
	// Credential is the name under which systemd hands the same over.
	Credential string
	// TPM is this machine's, asked directly, if it names a file.
	TPM TPM
	// HSM is a security module, if it names a token.
	HSM HSM
	// Custodians have the vault opened by people alone.
	Custodians bool
	Cards
	// Export is who cards may be exported to, by name.
	Export []Recipient
}

// Cards is what becomes of cards that are kept.
type Cards struct {
	// Retention is how long a card is kept that is kept for later, OnceTTL how long one for a single use.
	Retention, OnceTTL time.Duration
	// DeskSide lets cards of desk-side lines be kept for later.
	DeskSide bool
	// RotateAfter and RotateRecords end the use of a key version.
	RotateAfter   time.Duration
	RotateRecords int
}

// TPM is a key that a TPM seals.
type TPM struct {
	// File holds the key as it is sealed, and which registers it is bound to.
	File string
	// Device is where the TPM is, or the socket of one in software.
	Device string
}

// HSM is a key in a token, by PKCS#11.
type HSM struct {
	// Module is the file of the vendor's PKCS#11 module.
	Module string
	// Token and Key are labels.
	Token, Key string
	// PINFile holds the PIN of the token's user.
	PINFile string
}

// tpmDevice is where Linux has a TPM, with the kernel managing what is in it.
const tpmDevice = "/dev/tpmrm0"

func (t *table) vault(v *Vault) {
	roots := []string{"key_file", "credential", "tpm", "hsm", "custodians"}
	first := ""
	for _, root := range roots {
		switch {
		case !t.has(root) || t.broken:
		case first != "":
			t.fault(root, "stands beside "+first, "leave one of the two out: a vault has one root")
		default:
			first = root
		}
	}
	if first == "" {
		t.need("key_file", `name a key file, which flattone key new FILE makes; or leave that to systemd: credential = "vault-key"; or write a [vault.tpm] or [vault.hsm] table`)
	}
	t.period("retention_days", &v.Retention, 24*time.Hour, 1, 3650)
	t.period("once_hours", &v.OnceTTL, time.Hour, 1, 720)
	t.truth("desk_side", &v.DeskSide)
	t.period("rotate_after_days", &v.RotateAfter, 24*time.Hour, 1, 730)
	t.whole("rotate_records", &v.RotateRecords, 1000, 1_000_000_000)
	t.secretFile("key_file", &v.KeyFile)
	t.text("credential", &v.Credential)
	if name := v.Credential; t.has("credential") && !isCredential(name) {
		t.fault("credential", "is no name of a credential", `write the name that LoadCredentialEncrypted= of flattoned.service has before the colon: "vault-key"`)
	}
	if t.truth("custodians", &v.Custodians); t.has("custodians") && !v.Custodians {
		t.fault("custodians", "is false", "leave it out, and name the vault's root")
	}
	t.recipients(&v.Export)
	tpm, hsm := t.sub("tpm"), t.sub("hsm")
	if t.has("tpm") {
		v.TPM.Device = tpmDevice
		tpm.need("file", "name a key that is sealed to this machine's TPM, which flattone key new --tpm FILE makes")
		tpm.file("file", &v.TPM.File)
		tpm.file("device", &v.TPM.Device)
	}
	if t.has("hsm") {
		hsm.need("module", "name the file of the HSM's PKCS#11 module")
		hsm.file("module", &v.HSM.Module)
		hsm.need("token", "write the token's label: pkcs11-tool --list-slots shows it")
		hsm.text("token", &v.HSM.Token)
		hsm.need("key", "write the label of an AES-256 key in the token: pkcs11-tool --list-objects shows it")
		hsm.text("key", &v.HSM.Key)
		hsm.need("pin_file", "name a file of mode 0600 with the PIN of the token's user")
		hsm.file("pin_file", &v.HSM.PINFile)
		hsm.label("token", v.HSM.Token)
		hsm.label("key", v.HSM.Key)
	}
}

func (t *table) label(key, label string) {
	if t.has(key) && (label == "" || len(label) > longestLabel) {
		t.fault(key, "is no label", "write 1 to 32 bytes")
	}
}

// longestLabel is PKCS#11's bound on a token's label (v2.40, CK_TOKEN_INFO); nobody needs more for a key's.
const longestLabel = 32

// isCredential reports whether systemd could have a credential of the name; it is a file's, too, and leads nowhere else.
func isCredential(name string) bool {
	odd := strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.", r)
	})
	return name != "" && name[0] != '.' && len(name) <= longestCredential && !odd
}

// longestCredential is systemd's bound, which is that of a file's name.
const longestCredential = 255

// kept is a file of a root's, and what it must look like.
type kept struct {
	key, path string
	kind      private.Kind
}

// files are those that the root is read from.
func (v Vault) files() (list []kept) {
	for _, f := range []kept{{"vault.key_file", v.KeyFile, private.VaultKey}, {"vault.tpm.file", v.TPM.File, private.TPMKey}, {"vault.hsm.pin_file", v.HSM.PINFile, private.PIN}} {
		if f.path != "" {
			list = append(list, f)
		}
	}
	return list
}

// readable judges a private file.
func readable(kind private.Kind, path string, user int) error {
	f, err := kind.OpenFor(path, user)
	if err != nil {
		return err
	}
	return f.Close()
}

// module judges what is to be loaded into flattoned.
func module(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return private.Flaw{Reason: path + " is no module", Remedy: "name the file of the HSM's PKCS#11 module"}
	}
	return err
}

// consequence says what the root means to the owner.
func (v Vault) consequence() string {
	switch {
	case v.Custodians:
		return "vault.custodians: the key is in no machine. After each start no card is taken until enough custodians have unlocked the vault, at the box itself; " +
			"and once too few shares are left, no card can ever be read again."
	case v.Credential != "":
		return "vault.credential: systemd unseals the key for flattoned, and flattone status says what it is sealed with. Sealed to the TPM (systemd-creds encrypt --with-key=host+tpm2), " +
			"it opens on this machine alone; with the host's key only (--with-key=host), whoever copies the whole disk has every card."
	case v.TPM.File != "":
		return "vault.tpm: the key opens on this machine alone, and only as long as it boots as it did when the key was sealed. After a change of firmware, secure boot or main board " +
			"the vault opens by its custodians alone."
	case v.HSM.Module != "":
		return "vault.hsm: the key stays in the HSM. Without it, or with another PIN, flattoned doesn't start; whoever copies this disk and reaches the HSM as this machine does has every card."
	}
	return "vault.key_file: demo only. Whoever copies this file together with the state folder has every card; " +
		"a key in a file is not protected in the sense of PCI DSS 3.6 and 3.7."
}

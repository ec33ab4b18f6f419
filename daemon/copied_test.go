package daemon

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/tpm"
	"github.com/flattone/flattone/daemon/keys/tpm/tpmtest"
)

// A disk that was copied whole, with everything that the config names, opens nothing elsewhere, for each kind of root that isn't on it: flattoned doesn't start, and no
// 32 bytes that lie anywhere on it are the key.
func TestCopiedDisk(t *testing.T) {
	for name, prepare := range offDisk {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			elsewhere := prepare(t, h)
			box := used(t, h)
			if keyLiesIn(t, h.dir, box) {
				t.Error("the key is on the disk")
			}
			for where, start := range elsewhere {
				there := copied(t, h)
				there.cfg.Vault = start.vault(there.dir)
				d, err := there.open()
				switch {
				case err == nil:
					t.Errorf("%s: it opens", where)
					d.close()
				case start.want != nil && !errors.Is(err, start.want) || !strings.Contains(err.Error(), start.says):
					t.Errorf("%s: %v", where, err)
				}
			}
		})
	}
}

// The same that finds no key there finds one where it is.
func TestCopiedDiskHasAKeyFile(t *testing.T) {
	h := newHouse(t)
	if box := used(t, h); !keyLiesIn(t, h.dir, box) {
		t.Error("the key is in a file, and isn't found")
	}
}

// elsewhere is a start of the copy, as the thief tries it, and what it says.
type elsewhere struct {
	vault func(dir string) config.Vault
	want  error
	says  string
}

// offDisk prepares a box whose root isn't on its disk, and says where a copy of that is started.
var offDisk = map[string]func(t *testing.T, h *house) map[string]elsewhere{
	"TPM": func(t *testing.T, h *house) map[string]elsewhere {
		here, there := tpmtest.Start(t), tpmtest.Start(t)
		if err := tpm.New(here, h.path("root.tpm"), []uint{tpm.SecureBoot}); err != nil {
			t.Fatal(err)
		}
		on := func(device string) func(string) config.Vault {
			return func(dir string) config.Vault {
				return config.Vault{TPM: config.TPM{File: filepath.Join(dir, "root.tpm"), Device: device}}
			}
		}
		h.cfg.Vault = on(here)(h.dir)
		return map[string]elsewhere{
			"on a machine with another TPM": {on(there), tpm.ErrAnotherTPM, "custodians"},
			"on a machine without one":      {on(h.path("tpmrm0")), tpm.ErrNoTPM, "no such file"},
		}
	},
	// systemd hands it over from memory. That it is sealed to the TPM on the disk is tested with a real systemd, by make e2e-qemu.
	"credential": func(t *testing.T, h *house) map[string]elsewhere {
		dir := t.TempDir()
		key, err := os.ReadFile(h.path("vault.key"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "vault-key"), key, 0o400)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("CREDENTIALS_DIRECTORY", dir)
		h.cfg.Vault = config.Vault{Credential: "vault-key"}
		take := func(handed string) func(string) config.Vault {
			return func(string) config.Vault {
				t.Setenv("CREDENTIALS_DIRECTORY", handed)
				return h.cfg.Vault
			}
		}
		return map[string]elsewhere{
			"where systemd can't unseal it": {take(t.TempDir()), os.ErrNotExist, "LoadCredentialEncrypted="},
			"without systemd":               {take(""), nil, "run flattoned as flattoned.service"},
		}
	},
}

// used runs a box, as far as its disk can tell, and seals something under its root.
func used(t *testing.T, h *house) (box []byte) {
	t.Helper()
	if err := h.daemon().close(); err != nil {
		t.Fatal(err)
	}
	root, err := openRoot(h.cfg.Vault)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if box, err = root.Seal(make([]byte, keys.Size), nil); err != nil {
		t.Fatal(err)
	}
	if h.cfg.Vault.KeyFile == "" {
		if err := os.Remove(h.path("vault.key")); err != nil {
			t.Fatal(err)
		}
	}
	return box
}

// copied is a house with a copy of all that lies in another.
func copied(t *testing.T, h *house) *house {
	t.Helper()
	dir, cfg := t.TempDir(), *h.cfg
	there := &house{t: t, dir: dir, cfg: &cfg}
	cfg.StateDir, cfg.RuntimeDir = there.path("state"), there.path("run")
	if out, err := exec.Command("cp", "-a", h.dir+"/.", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return there
}

// keyLiesIn tries whatever lies in a folder's files as the key of a box: as it is, and where it is base64, what that stands for.
func keyLiesIn(t *testing.T, dir string, box []byte) (found bool) {
	t.Helper()
	tried := 0
	try := func(content []byte) {
		for ; len(content) >= keys.Size; content = content[1:] {
			tried++
			block, err := aes.NewCipher(content[:keys.Size])
			if err != nil {
				t.Fatal(err)
			}
			gcm, err := cipher.NewGCMWithRandomNonce(block)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := gcm.Open(nil, nil, box, nil); err == nil {
				found = true
			}
		}
	}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for part := range bytes.SplitSeq(content, make([]byte, keys.Size)) { // no key is zeros alone
			try(part)
		}
		for _, text := range regexp.MustCompile(`[A-Za-z0-9+/]{43,}=*`).FindAll(content, -1) {
			if decoded, err := base64.StdEncoding.DecodeString(string(text)); err == nil {
				try(decoded)
			}
		}
		return nil
	})
	if err != nil || tried < 100 {
		t.Fatalf("%d keys tried, %v", tried, err)
	}
	return found
}

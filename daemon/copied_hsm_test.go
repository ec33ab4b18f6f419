//go:build pkcs11

package daemon

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/ThalesGroup/crypto11"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/keys/hsm"
)

// A token lies outside of the box's folder, as an HSM stands outside of its machine. What SoftHSM keeps on a disk is that of its HSM.
func TestCopiedDiskHSM(t *testing.T) {
	const module, pin = "/usr/lib/softhsm/libsofthsm2.so", "not-1234"
	tokens := func() string {
		dir := t.TempDir()
		conf := filepath.Join(dir, "softhsm2.conf")
		if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nlog.level = ERROR\n", dir), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("SOFTHSM2_CONF", conf)
		if out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "flattone", "--pin", pin, "--so-pin", pin).CombinedOutput(); err != nil {
			t.Fatalf("%v: apt-get install softhsm2: %s", err, out)
		}
		return conf
	}
	h := newHouse(t)
	tokens()
	c, err := crypto11.Configure(&crypto11.Config{Path: module, TokenLabel: "flattone", Pin: pin})
	if err == nil {
		_, err = c.GenerateSecretKeyWithLabel([]byte{1}, []byte("root"), 256, crypto11.CipherAES)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	h.write("pin", pin, 0o600)
	on := func(dir string) config.Vault {
		return config.Vault{HSM: config.HSM{Module: module, Token: "flattone", Key: "root", PINFile: filepath.Join(dir, "pin")}}
	}
	h.cfg.Vault = on(h.dir)
	box := used(t, h)
	if keyLiesIn(t, h.dir, box) {
		t.Error("the key is on the disk")
	}
	tokens() // of the thief: the label and the PIN are in what he has
	there := copied(t, h)
	there.cfg.Vault = on(there.dir)
	if d, err := there.open(); err == nil {
		d.close()
		t.Error("with another HSM it opens")
	} else if !errors.Is(err, hsm.ErrNoKey) {
		t.Error(err)
	}
}

//go:build pkcs11

package hsm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ThalesGroup/crypto11"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/keystest"
)

// module is SoftHSM2's, which Debian has.
const module = "/usr/lib/softhsm/libsofthsm2.so"

const pin = "not-1234"

// token makes a token with keys of these labels, and says how it is reached. The module looks once in a process where tokens are: in the test's folder.
func token(t *testing.T, label string, loose bool, keys ...string) Config {
	t.Helper()
	if os.Getenv("SOFTHSM2_CONF") == "" {
		t.Fatal("a test that needs a token begins with tokens(t)")
	}
	out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", "so-"+pin).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: apt-get install softhsm2: %s", err, out)
	}
	cfg := Config{Module: module, Token: label, PINFile: filepath.Join(t.TempDir(), "pin")}
	if err := os.WriteFile(cfg.PINFile, []byte(pin+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := crypto11.Configure(&crypto11.Config{Path: module, TokenLabel: label, Pin: pin})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i, key := range keys {
		cfg.Key = key
		template, err := crypto11.NewAttributeSetWithIDAndLabel([]byte{byte(i)}, []byte(key))
		if err == nil {
			err = template.Set(crypto11.CkaExtractable, loose)
		}
		if err == nil {
			_, err = c.GenerateSecretKeyWithAttributes(template, 256, crypto11.CipherAES)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// tokens makes a folder of tokens for this test.
func tokens(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nlog.level = ERROR\n", dir), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	return dir
}

func opened(t *testing.T, cfg Config) keys.Root {
	t.Helper()
	root, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func TestIsARoot(t *testing.T) {
	tokens(t)
	one := token(t, "flattone", false, "other", "root")
	other := one
	other.Key = "other"
	keystest.Root(t, keys.HSM, func(t *testing.T) keys.Root { return opened(t, one) }, func(t *testing.T) keys.Root { return opened(t, other) })
}

// What a token refuses is an error that says why, and what to do; and none of them prints the PIN.
func TestRefused(t *testing.T) {
	tokens(t)
	good := token(t, "flattone", false, "root", "twice", "twice")
	loose := token(t, "loose", true, "root")
	for name, test := range map[string]struct {
		change func(*Config)
		want   error
	}{
		"wrong PIN":       {func(c *Config) { c.PINFile = written(t, "wrong-"+pin) }, ErrPIN},
		"short PIN":       {func(c *Config) { c.PINFile = written(t, "1") }, ErrPIN},
		"no PIN":          {func(c *Config) { c.PINFile += ".not" }, os.ErrNotExist},
		"no such token":   {func(c *Config) { c.Token = "elsewhere" }, ErrNoToken},
		"no such key":     {func(c *Config) { c.Key = "lost" }, ErrNoKey},
		"two such keys":   {func(c *Config) { c.Key = "twice" }, ErrNoKey},
		"no module":       {func(c *Config) { c.Module = "/usr/lib/none.so" }, ErrModule},
		"not a module":    {func(c *Config) { c.Module = c.PINFile }, ErrModule},
		"extractable key": {func(c *Config) { *c = loose }, ErrLoose},
	} {
		cfg := good
		test.change(&cfg)
		root, err := Open(cfg)
		if err == nil {
			root.Close()
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), pin) {
			t.Errorf("%s: the error has the PIN", name)
		}
	}
}

func written(t *testing.T, text string) string {
	file := filepath.Join(t.TempDir(), "pin")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A token that is taken away while it is used opens and seals nothing, and says so; so does the next start.
func TestTokenTakenAway(t *testing.T) {
	dir := tokens(t)
	cfg := token(t, "flattone", false, "root")
	root := opened(t, cfg)
	defer root.Close()
	box, err := root.Seal(make([]byte, keys.Size), nil)
	if err != nil {
		t.Fatal(err)
	}
	took, err := filepath.Glob(filepath.Join(dir, "*-*"))
	if err != nil || len(took) != 1 {
		t.Fatalf("tokens: %v, %v", took, err)
	}
	if err := os.RemoveAll(took[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := root.Seal(make([]byte, keys.Size), nil); !errors.Is(err, ErrGone) {
		t.Errorf("sealing: %v", err)
	}
	if err := root.Open(make([]byte, keys.Size), box, nil); !errors.Is(err, ErrGone) {
		t.Errorf("opening: %v", err)
	}
	root.Close()
	if _, err := Open(cfg); !errors.Is(err, ErrNoToken) {
		t.Errorf("the next start: %v", err)
	}
}

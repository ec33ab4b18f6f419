package keys_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/keystest"
	"github.com/flattone/flattone/daemon/private"
)

func TestFileIsARoot(t *testing.T) {
	keystest.Root(t, keys.File, file(t), file(t))
}

// file makes a key file, and opens it.
func file(t *testing.T) keystest.Opener {
	path := filepath.Join(t.TempDir(), "key")
	if err := private.Create(path, random()); err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T) keys.Root {
		root, err := keys.OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return root
	}
}

func TestCredentialIsARoot(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	credential := func(name string) keystest.Opener {
		if err := os.WriteFile(filepath.Join(dir, name), random(), 0o400); err != nil {
			t.Fatal(err)
		}
		return func(t *testing.T) keys.Root {
			root, err := keys.OpenCredential(name)
			if err != nil {
				t.Fatal(err)
			}
			return root
		}
	}
	keystest.Root(t, keys.Credential, credential("one"), credential("other"))
}

func random() []byte {
	content := make([]byte, keys.Size)
	rand.Read(content)
	return content
}

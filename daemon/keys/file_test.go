package keys

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A credential is taken as systemd puts it, with an access list that shows as rights of the group, and not as anybody could have.
func TestOpenCredential(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "short"), []byte("short"), 0o400); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"own": 0o400, "listed": 0o440, "open": 0o444} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, bytes.Repeat([]byte{1}, Size), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	for name, says := range map[string]string{"own": "", "listed": "", "open": "lets others at it", "short": "has 5 bytes", "none": "LoadCredentialEncrypted="} {
		root, err := OpenCredential(name)
		if says == "" {
			if err != nil || !bytes.Equal(root.(held).key[:Size], bytes.Repeat([]byte{1}, Size)) || root.Kind() != Credential {
				t.Errorf("%s: %v", name, err)
				continue
			}
			root.Close()
		} else if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if root, err := OpenFile(filepath.Join(dir, "listed")); err == nil {
		root.Close()
		t.Error("a key file may be open to the group")
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := OpenCredential("own"); err == nil || !strings.Contains(err.Error(), "flattoned.service") {
		t.Errorf("without systemd it says %v", err)
	}
}

package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func TestCheckFiles(t *testing.T) {
	dir := t.TempDir()
	doc := strings.Replace(small, `"/etc/webhook.secret"`, `"webhook.secret"`, 1)
	c, err := Parse(filepath.Join(dir, "f.toml"), []byte(strings.Replace(doc, "../a.wav", "a.wav", 1)))
	if err != nil {
		t.Fatal(err)
	}
	var faults Faults
	if err := c.CheckFiles(); !errors.As(err, &faults) || len(faults) != 4 {
		t.Fatalf("with no file there: %v", err)
	}
	for i, want := range []Fault{
		{Line: 3, Key: "vault.key_file"},
		{Line: 6, Key: "upstream.webhook.secret_file"},
		{Line: 13, Key: "line[0].wav.caller_in[0]"},
		{Line: 14, Key: "line[0].wav.agent_in[0]"},
	} {
		if f := faults[i]; f.Line != want.Line || f.Key != want.Key || !strings.Contains(f.Reason, "does not exist") || f.Remedy == "" {
			t.Errorf("fault %d: %v", i, f)
		}
	}
	write(t, filepath.Join(dir, "vault.key"), strings.Repeat("k", 32), 0o600)
	write(t, filepath.Join(dir, "webhook.secret"), secret, 0o600)
	write(t, filepath.Join(dir, "c.wav"), "", 0o644)
	write(t, filepath.Join(dir, "a.wav"), "", 0o644)
	if err := c.CheckFiles(); err != nil {
		t.Errorf("with every file there: %v", err)
	}
}

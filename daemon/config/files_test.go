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

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestSecret(t *testing.T) {
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
		err     string // "" if it is taken
	}{
		"as it comes":       {secret, 0o600, ""},
		"with a newline":    {secret + "\n", 0o400, ""},
		"group may read":    {secret, 0o640, "chmod 600"},
		"others may read":   {secret, 0o604, "chmod 600"},
		"others may write":  {secret, 0o602, "chmod 600"},
		"without its start": {strings.TrimPrefix(secret, "whsec_"), 0o600, "copy the secret"},
		"too short":         {"whsec_c2hvcnQ=", 0o600, "copy the secret"},
		"not base64":        {secret + "!", 0o600, "copy the secret"},
		"empty":             {"", 0o600, "is empty"},
		"a whole book":      {strings.Repeat("x", 4097), 0o600, "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "webhook.secret")
			write(t, path, test.content, test.mode)
			got, err := Webhook{SecretFile: path}.Secret()
			switch {
			case test.err == "" && (err != nil || string(got) != secret):
				t.Errorf("refused, or not the secret: %v", err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), path)):
				t.Errorf("got %v, want an error that names the file and says %q", err, test.err)
			case err != nil && strings.Contains(err.Error(), "MfKQ"):
				t.Error("the error repeats the secret")
			}
		})
	}
}

func TestSecretNeedsAFile(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{dir: "is not a regular file", filepath.Join(dir, "none"): "does not exist"} {
		if _, err := (Webhook{SecretFile: path}).Secret(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
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

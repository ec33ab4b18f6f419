package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
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

// recorded is a recording of one second at 8000 Hz, with fields of its header replaced.
func recorded(patch map[int]byte) string {
	b := make([]byte, 44+16000)
	copy(b, "RIFF\xa4\x3e\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x80\x3e\x00\x00")
	for at, with := range patch {
		b[at] = with
	}
	return string(b)
}

// aBox writes the small config and every file it names, and returns the config's path.
func aBox(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	doc := strings.NewReplacer(`"/etc/webhook.secret"`, `"webhook.secret"`, "../a.wav", "a.wav",
		"version = 1\n", "version = 1\nstate_dir = \"state\"\nruntime_dir = \"run\"\ndaemon.line_binary = \"line\"\n").Replace(small)
	for name, content := range map[string]string{"f.toml": doc, "vault.key": strings.Repeat("k", 32), "webhook.secret": secret,
		"c.wav": recorded(nil), "a.wav": recorded(nil), "line": ""} {
		write(t, filepath.Join(dir, name), content, 0o600)
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "state"), 0o700), os.Chmod(filepath.Join(dir, "line"), 0o700)); err != nil {
		t.Fatal(err)
	}
	return dir, filepath.Join(dir, "f.toml")
}

func TestCheck(t *testing.T) {
	replace := func(name, content string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600) }
	}
	instead := func(name string, make func(path string) error) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, name)
			return errors.Join(os.RemoveAll(path), make(path))
		}
	}
	fifo := func(path string) error { return unix.Mkfifo(path, 0o600) }
	mkdir := func(path string) error { return os.Mkdir(path, 0o700) }
	writes := func(key, file string) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, "f.toml")
			doc, err := os.ReadFile(path)
			old := map[string]string{"agent_out": "ao.wav", "caller_out": "co.wav"}[key]
			return errors.Join(err, os.WriteFile(path, []byte(strings.Replace(string(doc), old, file, 1)), 0o600))
		}
	}
	adds := func(line string) func(string) error {
		return func(dir string) error {
			path := filepath.Join(dir, "f.toml")
			doc, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, append([]byte(line+"\n"), doc...), 0o600))
		}
	}
	for name, test := range map[string]struct {
		spoil func(dir string) error
		key   string
		says  string
	}{
		"nothing wrong": {func(string) error { return nil }, "", ""},
		"CA that is none": {func(dir string) error {
			return errors.Join(replace("ca.pem", "no PEM")(dir), adds(`syslog = { address = "siem:6514", ca_file = "ca.pem" }`)(dir))
		}, "syslog.ca_file", "there is no certificate in"},
		"CA that is not there":     {adds(`syslog = { address = "siem:6514", ca_file = "ca.pem" }`), "syslog.ca_file", "no such file"},
		"key too short":            {replace("vault.key", "0123"), "vault.key_file", "has 4 bytes"},
		"key too open":             {func(dir string) error { return os.Chmod(filepath.Join(dir, "vault.key"), 0o644) }, "vault.key_file", "chmod 600"},
		"key linked":               {instead("vault.key", func(path string) error { return os.Symlink("webhook.secret", path) }), "vault.key_file", "symbolic link"},
		"key a FIFO":               {instead("vault.key", fifo), "vault.key_file", "not a regular file"},
		"secret a FIFO":            {instead("webhook.secret", fifo), "upstream.webhook.secret_file", "not a regular file"},
		"no secret":                {replace("webhook.secret", "hello"), "upstream.webhook.secret_file", "copy the secret"},
		"recording a folder":       {instead("c.wav", mkdir), "line[0].wav.caller_in[0]", "is not a file"},
		"recording a FIFO":         {instead("c.wav", fifo), "line[0].wav.caller_in[0]", "is not a file"},
		"recording missing":        {instead("a.wav", func(string) error { return nil }), "line[0].wav.agent_in[0]", "does not exist"},
		"recording empty":          {replace("a.wav", ""), "line[0].wav.agent_in[0]", "has no bytes"},
		"recording none":           {replace("a.wav", "hello, this is no recording"), "line[0].wav.agent_in[0]", "not a WAV recording"},
		"recording truncated":      {replace("c.wav", recorded(nil)[:1000]), "line[0].wav.caller_in[0]", "truncated"},
		"recording stereo":         {replace("c.wav", recorded(map[int]byte{22: 2, 32: 4})), "line[0].wav.caller_in[0]", "try: sox"},
		"recording another rate":   {replace("c.wav", recorded(map[int]byte{24: 0x80, 25: 0x3e})), "line[0].wav.caller_in[0]", "has 16000 Hz and the line runs at 8000 Hz"},
		"state folder a file":      {instead("state", func(path string) error { return os.WriteFile(path, nil, 0o600) }), "state_dir", "not a folder"},
		"state folder open":        {func(dir string) error { return os.Chmod(filepath.Join(dir, "state"), 0o777) }, "state_dir", "chmod 700"},
		"runtime folder a file":    {replace("run", ""), "runtime_dir", "not a folder"},
		"program not for running":  {func(dir string) error { return os.Chmod(filepath.Join(dir, "line"), 0o600) }, "daemon.line_binary", "can't be executed"},
		"output over the key":      {writes("agent_out", "vault.key"), "line[0].wav.agent_out", "would overwrite what vault.key_file names"},
		"output over the secret":   {writes("caller_out", "./webhook.secret"), "line[0].wav.caller_out", "would overwrite what upstream.webhook names"},
		"output over the config":   {writes("agent_out", "f.toml"), "line[0].wav.agent_out", "would overwrite this file"},
		"output in no folder":      {writes("agent_out", "no/such/ao.wav"), "line[0].wav.agent_out", "does not exist; make it"},
		"output a folder":          {writes("caller_out", "state"), "line[0].wav.caller_out", "something else than a file"},
		"output in runtime folder": {writes("caller_out", "run/co.wav"), "", ""}, // flattoned makes that
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := aBox(t)
			if err := test.spoil(dir); err != nil {
				t.Fatal(err)
			}
			_, err := Check(path, os.Geteuid())
			if test.key == "" {
				if err != nil {
					t.Errorf("it is good, and it says %v", err)
				}
				return
			}
			faults, ok := errors.AsType[Faults](err)
			if !ok || len(faults) != 1 || faults[0].Key != test.key || faults[0].Line == 0 || faults[0].Remedy == "" || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want one fault of %s that says %q", err, test.key, test.says)
			}
		})
	}
}

// TestCheckTellsAllAtOnce: a fault of the file hides none of the files it names, as far as it names them.
func TestCheckTellsAllAtOnce(t *testing.T) {
	dir, path := aBox(t)
	doc := with("[[line]]", "lookahead_ms = 99999999999999999999999\nflat_tone_dbm0 = -4_242.5e999\nshild = \"run\"")
	doc = strings.Replace(doc, `key_file = "vault.key"`, "key_file = 7", 1)
	write(t, path, doc, 0o600)
	if err := os.Remove(filepath.Join(dir, "c.wav")); err != nil {
		t.Fatal(err)
	}
	_, err := Check(path, os.Geteuid())
	var keys []string
	if faults, ok := errors.AsType[Faults](err); ok {
		for _, f := range faults {
			keys = append(keys, f.Key)
		}
	}
	// ../a.wav is in no folder of this test's, and the secret in /etc.
	want := "vault.key_file upstream.webhook.secret_file line[0].lookahead_ms line[0].flat_tone_dbm0 line[0].shild line[0].wav.caller_in[0] line[0].wav.agent_in[0]"
	if got := strings.Join(keys, " "); got != want {
		t.Errorf("got  %s\nwant %s\n%v", got, want, err)
	}
	if text := strings.ReplaceAll(err.Error(), filepath.Dir(dir), ""); strings.Contains(text, "9223372036854775807") || strings.Contains(text, "Inf") || strings.Contains(text, "242") {
		t.Errorf("it quotes what nobody wrote:\n%v", err)
	}
}

// TestDraft: paths begin where the file is to stand, and faults are told of where it is. Root looks for another user, whom files must belong to.
func TestDraft(t *testing.T) {
	_, at := aBox(t)
	text, err := os.ReadFile(at)
	if err != nil {
		t.Fatal(err)
	}
	here := filepath.Join(t.TempDir(), "draft.toml")
	write(t, here, string(text), 0o600)
	check := func() (*Config, error) {
		d, err := ReadDraft(here, at)
		if err != nil || d.Name != here || d.At != at {
			t.Fatalf("got %+v, %v", d, err)
		}
		return d.Check(os.Geteuid())
	}
	c, err := check()
	if err != nil || c.Folder() != filepath.Dir(at) {
		t.Errorf("got %v", err)
	}
	if _, err := Check(here, os.Geteuid()); err == nil {
		t.Error("what isn't there is found where the file is")
	}
	write(t, here, string(text)+"\nfoo = 1\n", 0o600)
	_, err = check()
	if faults, ok := errors.AsType[Faults](err); !ok || faults[0].File != here || faults[0].Line == 0 {
		t.Errorf("got %v", faults)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(filepath.Join(filepath.Dir(at), "vault.key"), 4711, 4711); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(at, 4711); err != nil {
			t.Errorf("for the key's owner: %v", err)
		}
		if _, err := Check(at, 4712); err == nil || !strings.Contains(err.Error(), "belongs to user 4711") {
			t.Errorf("for another: %v", err)
		}
	}
}

func TestLoadDoesNotHangOnAFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.toml")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, load := range map[string]func(string) (*Config, error){"load": Load, "check": func(path string) (*Config, error) { return Check(path, os.Geteuid()) }} {
		if _, err := load(path); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

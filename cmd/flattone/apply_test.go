package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
)

// aSite is a folder with a good configuration, and a systemctl that writes down what it is asked.
func aSite(t *testing.T, restart string) (b *aBox, dir string, run func(args ...string) (code int, said string)) {
	t.Helper()
	dir = t.TempDir()
	calls, err := filepath.Abs("../../data/calls/visa")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"vault.key":      strings.Repeat("k", 32),
		"webhook.secret": "whsec_" + strings.Repeat("c2Vj", 8),
		"flattone.toml": "version = 1\nstate_dir = \"state\"\nruntime_dir = \"run\"\n[vault]\nkey_file = \"vault.key\"\n[upstream.webhook]\n" +
			"url = \"http://127.0.0.1:1/\"\nsecret_file = \"webhook.secret\"\n[profile.card]\n[[line]]\nname = \"demo\"\nplace = \"trunk-side\"\nprofile = \"card\"\n" +
			"[line.wav]\ncaller_in = [\"" + calls + "/caller.wav\"]\nagent_in = [\"" + calls + "/agent.wav\"]\nagent_out = \"a.wav\"\ncaller_out = \"c.wav\"\n",
		"systemctl": "#!/bin/sh\necho \"$@\" >>" + dir + "/asked\ncase $1 in show) echo 4711 ;; restart) touch " + dir + "/restarted; " + restart + " ;; esac\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), map[bool]os.FileMode{true: 0o700, false: 0o600}[name == "systemctl"]); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	b = newBox()
	b.config = filepath.Join(dir, "flattone.toml")
	cfg, err := config.Load(b.config)
	if err != nil {
		t.Fatal(err)
	}
	b.settings = cfg.BoxSettings()
	socket := filepath.Join(dir, "admin.sock")
	ctx, stop := context.WithCancel(context.Background())
	ended, err := b.serve(ctx, socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(); <-ended })
	return b, dir, func(args ...string) (int, string) {
		var said bytes.Buffer
		tl := &tool{in: strings.NewReader(""), out: &said, errs: &said}
		root := tl.rootCommand()
		root.SetArgs(append([]string{"--socket", socket}, args...))
		code := tl.explain(root.ExecuteContext(t.Context()))
		return code, said.String()
	}
}

// Where settings have changed that flattoned reads once, systemd starts it again; what comes to nothing is as if it had not been.
func TestApplyThroughSystemd(t *testing.T) {
	changed := func(dir string) string {
		text, err := os.ReadFile(filepath.Join(dir, "flattone.toml"))
		if err != nil {
			t.Fatal(err)
		}
		other := strings.Replace(string(text), "127.0.0.1:1/", "127.0.0.1:2/", 1)
		if err := os.WriteFile(filepath.Join(dir, "new.toml"), []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, "new.toml")
	}
	for name, test := range map[string]struct {
		restart  string
		reload   error
		code     int
		says     []string
		restarts int
		stands   string
	}{
		"well":               {"true", nil, 0, []string{"flattoned is started again", "done: "}, 1, "127.0.0.1:2/"},
		"it doesn't start":   {"echo broken; exit 1", nil, 1, []string{"flattoned does not start with it", "broken", "old configuration is back"}, 2, "127.0.0.1:1/"},
		"a line is taken by": {"true", &control.Error{Code: control.CodeBusy, Text: "a card is being taken"}, 5, []string{"a card is being taken", "old configuration is back"}, 2, "127.0.0.1:1/"},
	} {
		t.Run(name, func(t *testing.T) {
			b, dir, run := aSite(t, test.restart)
			// After a start of flattoned lines come back after a while, and only then it is known what they run with.
			var looks atomic.Int32
			b.up = func() bool {
				_, err := os.Stat(filepath.Join(dir, "restarted"))
				return err != nil || looks.Add(1) > 3
			}
			b.reload = func(force bool) (control.Reloaded, error) {
				if looks.Load() <= 3 {
					t.Error("a reload is asked for before the lines are back")
				}
				if force {
					t.Error("it forces what nobody asked to be forced")
				}
				return control.Reloaded{}, test.reload
			}
			code, said := run("apply", changed(dir), "--yes")
			if code != test.code {
				t.Errorf("exit code %d: %s", code, said)
			}
			for _, want := range test.says {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in %s", want, said)
				}
			}
			asked, err := os.ReadFile(filepath.Join(dir, "asked"))
			if n := strings.Count(string(asked), "restart flattoned.service\n"); err != nil || n != test.restarts {
				t.Errorf("systemctl was asked %q, %v", asked, err)
			}
			if now, err := os.ReadFile(b.config); err != nil || !strings.Contains(string(now), test.stands) {
				t.Errorf("the configuration is %s, %v", now, err)
			}
			info, err := os.Stat(b.config)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("its mode is %v, %v", info.Mode(), err)
			}
		})
	}
}

// What was edited in place is applied in place, by whatever name: nothing is put in its own place.
func TestApplyInPlace(t *testing.T) {
	b, dir, run := aSite(t, "true")
	b.settings = "another"
	b.reload = func(bool) (control.Reloaded, error) { return control.Reloaded{}, nil }
	for _, args := range [][]string{{"apply", "--yes"}, {"apply", dir + "/../" + filepath.Base(dir) + "/flattone.toml", "--yes"}} {
		if code, said := run(args...); code != exitOK || !strings.Contains(said, "done: ") {
			t.Errorf("exit code %d: %s", code, said)
		}
	}
	if _, err := os.Stat(b.config + ".before"); err == nil {
		t.Error("a file took its own place")
	}
}

// A file with a fault is refused before anything is asked of anybody, and one that isn't there too.
func TestApplyRefuses(t *testing.T) {
	b, dir, run := aSite(t, "true")
	b.reload = func(bool) (control.Reloaded, error) { return control.Reloaded{}, errors.New("nobody should ask") }
	bad := filepath.Join(dir, "bad.toml")
	if err := os.WriteFile(bad, []byte("version = 1\ncolour = 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{bad: bad + ":2: colour", filepath.Join(dir, "none.toml"): "does not exist"} {
		if code, said := run("apply", file, "--yes", "--force"); code != exitFailed || !strings.Contains(said, want) {
			t.Errorf("exit code %d: %s", code, said)
		}
	}
	if _, err := os.Stat(b.config + ".before"); err == nil {
		t.Error("something was put in place")
	}
}

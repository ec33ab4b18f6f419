package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/flattone/flattone/daemon/bundle/bundletest"
)

// TestNoCardComesOut plants public test cards, a telephone number, and secrets in whatever a bundle is made of, and finds none in it.
func TestNoCardComesOut(t *testing.T) {
	cards := []string{"4242424242424242", "5105105105105100", "378282246310005", "30569309025904", "6011111111111117"}
	planted := " said 4242 4242 4242 4242, 5105-1051-0510-5100; 378282246310005\t3056.930902.5904 and 6/0/1/1/1/1/1/1/1/1/1/1/1/1/1/7 from +15550100, tok_cccccccccccccccccccccccccc"
	b, dir, run := aSite(t, "true")
	b.planted = planted
	plant := func(name, text string, mode os.FileMode) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, mode)
		if err == nil {
			_, err = f.WriteString(text)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	plant("flattone.toml", "# "+planted+" whsec_bGVha2VkbGVha2Vk\n", 0o600)
	plant("devices.toml", "version = 1\n#"+planted+"\n", 0o600)
	if err := os.Mkdir(filepath.Join(dir, "modems"), 0o700); err != nil {
		t.Fatal(err)
	}
	plant("modems/4242424242424242.toml", "#"+planted, 0o600)
	plant("journalctl", "#!/bin/sh\necho '2026-11-27T05:00:00.000001+0000 box flattoned[10]: "+planted+"'\n", 0o700)
	file := filepath.Join(dir, "box.tar.gz")
	code, said := run("support-bundle", file)
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, said)
	}
	got := bundletest.Unpack(t, file)
	for _, name := range []string{"versions.txt", "status.json", "events.json", "devices.json", "doctor.json", "config/flattone.toml", "config/devices.toml",
		"config/[card?].toml", "journal.txt"} {
		text, is := got["flattone-support/"+name]
		if !is || len(text) < 10 || strings.Contains(text, "could not be had") {
			t.Errorf("%s: %q", name, text)
		}
		if !strings.Contains(said, name) {
			t.Errorf("it doesn't say that it has %s:\n%s", name, said)
		}
		if !strings.Contains(text, "card?") && name != "versions.txt" && name != "doctor.json" {
			t.Errorf("%s: what was planted isn't where it should be: %q", name, text)
		}
	}
	for name, text := range got {
		digits := strings.Map(func(r rune) rune { // however they are set apart
			if unicode.IsDigit(r) || r == '\n' || unicode.IsLetter(r) {
				return r
			}
			return -1
		}, name+"\n"+text)
		for _, c := range slices.Concat(cards, []string{"15550100", "whsec_bGVh", "bGVha2Vk", "tok_ccccccc", strings.Repeat("k", 32), "c2Vjc2Vj"}) {
			if strings.Contains(digits, c) || strings.Contains(text, c) {
				t.Errorf("%s: %s is in it:\n%s", name, c, text)
			}
		}
	}
	if code, said := run("support-bundle", file); code != exitFailed || !strings.Contains(said, "is there already") {
		t.Errorf("over another: exit code %d: %s", code, said)
	}
}

// Without a box there is a bundle all the same, which says what could not be had.
func TestSupportBundleWithoutABox(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	var said strings.Builder
	tl := &tool{in: strings.NewReader(""), out: &said, errs: &said}
	root := tl.rootCommand()
	root.SetArgs([]string{"--socket", filepath.Join(dir, "none.sock"), "support-bundle", filepath.Join(dir, "b.tar.gz"), "--config", filepath.Join(dir, "none.toml")})
	if code := tl.explain(root.ExecuteContext(t.Context())); code != exitOK {
		t.Fatalf("exit code %d: %s", code, said.String())
	}
	got := bundletest.Unpack(t, filepath.Join(dir, "b.tar.gz"))
	for name, want := range map[string]string{"status.json": "there is no admin socket", "journal.txt": "there is no journalctl", "config/none.toml": "no such file", "doctor.json": `"bad"`} {
		if !strings.Contains(got["flattone-support/"+name], want) {
			t.Errorf("%s is %q", name, got["flattone-support/"+name])
		}
	}
}

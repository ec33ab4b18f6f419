// Package packaging is the Debian package: what goes into it, and what happens when it comes and goes. The tests look at a package that was
// built (make package); what it does on a machine is tested in one (e2e/box).
package packaging

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

var cold = flag.Bool("cold", false, "build the second package without anything that was compiled for the first, which takes minutes")

// programs are those of the package, and whether they may have C in them.
var programs = map[string]bool{"flattone": false, "flattoned": false, "flattone-line": true, "flattone-desk": false}

// built is the package for this machine, or for the architecture given.
func built(t *testing.T, arch string) string {
	t.Helper()
	found, err := filepath.Glob("../build/deb/flattone_*_" + arch + ".deb")
	if err != nil || len(found) != 1 {
		t.Fatalf("there are %d packages for %s: run make package", len(found), arch)
	}
	return found[0]
}

func architecture(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(string(run(t, "dpkg", "--print-architecture")))
}

// unpacked is a folder with what the package puts on a machine.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, "dpkg-deb", "--extract", built(t, architecture(t)), dir)
	return dir
}

func run(t *testing.T, args ...string) []byte {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s%s", args, err, out, &said)
	}
	return out
}

// TestLintian: Debian's own judge of packages has nothing against it that isn't answered in lintian-overrides.
func TestLintian(t *testing.T) {
	run(t, "lintian", "--allow-root", "--fail-on", "error,warning", built(t, architecture(t)))
}

// TestBuiltElsewhere: the same tree in another folder makes the same package, to the byte.
func TestBuiltElsewhere(t *testing.T) {
	first := built(t, architecture(t))
	elsewhere := filepath.Join(t.TempDir(), "another", "folder")
	if err := os.MkdirAll(elsewhere, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, "sh", "-c", `tar -C .. --exclude=./build -cf - . | tar -C "$0" -xf -`, elsewhere)
	nfpm, err := filepath.Abs(os.Getenv("NFPM"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(elsewhere, "packaging/build"), architecture(t))
	cmd.Env = append(os.Environ(), "NFPM="+nfpm)
	if *cold {
		cmd.Env = append(cmd.Env, "GOCACHE="+t.TempDir())
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	run(t, "cmp", first, filepath.Join(elsewhere, "build/deb", filepath.Base(first)))
}

// TestNoLabVerbs: what reads keys out of sound is not among what is shipped.
func TestNoLabVerbs(t *testing.T) {
	flattone := filepath.Join(unpacked(t), "usr/bin/flattone")
	for _, verb := range []string{"mask", "judge"} {
		out, err := exec.Command(flattone, verb, "in.wav", "out.wav").CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("there is no verb")) {
			t.Errorf("%s %s: %v: %s", flattone, verb, err, out)
		}
	}
	if help := run(t, flattone, "help"); bytes.Contains(help, []byte("\n  mask ")) || !bytes.Contains(help, []byte("  status ")) {
		t.Errorf("it offers:\n%s", help)
	}
}

// TestOnlyLinesHaveC, and what their C needs is among what the package depends on.
func TestOnlyLinesHaveC(t *testing.T) {
	dir := unpacked(t)
	for name, c := range programs {
		path := filepath.Join(dir, "usr/bin", name)
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if has := slices.Contains(info.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"}); has != c {
			t.Errorf("%s: cgo %t, and it should be %t", name, has, c)
		}
		if slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-tags" }) {
			t.Errorf("%s is built for tests", name)
		}
		file, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		needs, err := file.ImportedLibraries()
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(needs)
		// As control's Depends has them: libasound2, libc6, libportaudio2.
		if want := []string{"libasound.so.2", "libc.so.6", "libportaudio.so.2"}; c && !slices.Equal(needs, want) || !c && len(needs) > 0 {
			t.Errorf("%s needs %q", name, needs)
		}
		symbols, _ := file.ImportedSymbols() // none in the static ones
		for _, s := range symbols {
			if v, glibc := strings.CutPrefix(s.Version, "GLIBC_2."); glibc && len(v) == 2 && v > "34" {
				t.Errorf("%s needs %s of libc6 2.%s, and Depends says 2.34", name, s.Name, v)
			}
		}
	}
}

// TestPartsAreListed: every module that is linked in is in the bill of materials, and no other, each with the sum that Go verified.
func TestPartsAreListed(t *testing.T) {
	dir := unpacked(t)
	var doc struct {
		BOMFormat, SpecVersion string
		Components             []struct {
			Name, Version string
			Hashes        []struct{ Content string }
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "usr/share/doc/flattone/flattone.cdx.json"))
	if err == nil {
		err = json.Unmarshal(text, &doc)
	}
	if err != nil || doc.BOMFormat != "CycloneDX" {
		t.Fatalf("%v: %.100s", err, text)
	}
	listed, linked := map[string]bool{}, map[string]bool{}
	for _, c := range doc.Components {
		listed[c.Name+" "+c.Version] = true
		if c.Name != "std" && (len(c.Hashes) != 1 || len(c.Hashes[0].Content) != 64) {
			t.Errorf("%s has no sum", c.Name)
		}
	}
	for name := range programs {
		info, err := buildinfo.ReadFile(filepath.Join(dir, "usr/bin", name))
		if err != nil {
			t.Fatal(err)
		}
		linked["std "+info.GoVersion] = true
		for _, m := range info.Deps {
			linked[m.Path+" "+m.Version] = true
		}
	}
	for part := range linked {
		if !listed[part] {
			t.Errorf("%s is linked in, and not listed", part)
		}
	}
	if len(listed) != len(linked) {
		t.Errorf("%d parts are listed, and %d linked in", len(listed), len(linked))
	}
}

package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/flattone/flattone/audio/locked/lockedtest"
)

// forms are the ways in which a run of digits could lie about: ASCII, packed BCD from either nibble, UTF-16
// in both orders, raw bytes 0-9, and each of them backwards.
func forms(digits []byte) [][]byte {
	var all [][]byte
	for _, d := range [][]byte{digits, reversed(digits)} {
		var utf16le, raw []byte
		for _, c := range d {
			utf16le = append(utf16le, c, 0)
			raw = append(raw, c-'0')
		}
		all = append(all, d, utf16le, append([]byte{0}, utf16le[:len(utf16le)-1]...))
		if len(d) >= 8 { // shorter runs of small numbers are everywhere
			all = append(all, raw, packed(d), packed(append([]byte{'0'}, d...)))
		}
	}
	return all
}

// packed is BCD, two digits a byte; an odd last digit is left out rather than padded with a guess.
func packed(digits []byte) []byte {
	var b []byte
	for i := 0; i+1 < len(digits); i += 2 {
		b = append(b, (digits[i]-'0')<<4|(digits[i+1]-'0'))
	}
	if digits[0] == '0' && len(b) > 1 { // the nibble we put in front
		b = b[1:]
	}
	return b
}

func reversed(b []byte) []byte {
	r := slices.Clone(b)
	slices.Reverse(r)
	return r
}

// canary counts the places in which any form of a run of digits turns up.
type canary struct {
	what  string
	forms [][]byte
	found int
	where []string
}

func newCanary(what string, digits []byte) *canary { return &canary{what: what, forms: forms(digits)} }

func (c *canary) look(where string, b []byte) {
	for form, f := range c.forms {
		if n := bytes.Count(b, f); n > 0 {
			c.found += n
			c.where = append(c.where, fmt.Sprintf("%s (form %d)", where, form))
		}
	}
}

// searchFiles looks through everything below dir but the audio: samples are not digits, and a recording is
// judged by the attacker.
func searchFiles(t *testing.T, dir string, canaries ...*canary) (files int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) == ".wav" {
			return err
		}
		b, err := os.ReadFile(path)
		for _, c := range canaries {
			c.look(path, b)
		}
		files++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// searchMemory looks through everything a process has in memory, as root may. What is secret memory not even he may, and how much that is is told.
func searchMemory(t *testing.T, pid int, canaries ...*canary) lockedtest.Extent {
	t.Helper()
	all, err := lockedtest.Search(pid, func(b []byte) {
		for _, c := range canaries {
			c.look(fmt.Sprintf("memory of %d", pid), b)
		}
	})
	if err != nil {
		t.Fatalf("reading a process's memory takes root: %v", err)
	}
	return all
}

// TestNoStackIsPrinted starts flattoned as an owner would, and has it and its line do what makes Go print stacks.
func TestNoStackIsPrinted(t *testing.T) {
	t.Parallel()
	cfg := oneLine("visa")
	cfg.Wrap = []string{"env", "-u", "GOTRACEBACK"}
	r := newRig(t, cfg)
	r.start(t)
	r.arm(t, "one")
	first, err := r.client.Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{r.PID(), first[0].PID} {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil || !bytes.Contains(append([]byte{0}, env...), []byte("\x00GOTRACEBACK=none\x00")) {
			t.Errorf("a process runs without GOTRACEBACK=none (%v)", err)
		}
	}
	quit := func(pid int) {
		if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
	}
	quit(first[0].PID)
	r.until(t, "the line's process to be another", func() bool {
		now, err := r.client.Lines(t.Context())
		return err == nil && now[0].Up && now[0].PID != first[0].PID
	})
	quit(r.PID())
	if err := r.Stop(); err != nil {
		t.Errorf("flattoned did not end in order: %v", err)
	}
	log, err := os.ReadFile(r.Log())
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(log, []byte("goroutine ")) || bytes.Contains(log, []byte(".go:")) {
		t.Error("a stack is in the log")
	}
}

func TestCanarySearchFindsWhatIsThere(t *testing.T) {
	digits := []byte("6011000990139424")
	for i, form := range forms(digits) {
		c := newCanary("planted", digits)
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "file"), append([]byte("before"), form...), 0o600); err != nil {
			t.Fatal(err)
		}
		if searchFiles(t, dir, c) != 1 || c.found == 0 {
			t.Errorf("form %d is not found in a file", i)
		}
	}
	held := slices.Clone(digits)
	c := newCanary("held", digits)
	if n := searchMemory(t, os.Getpid(), c).Seen; n < 1<<20 || c.found == 0 {
		t.Errorf("not found in memory (%d bytes read)", n)
	}
	held[0]++
}

package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio/locked/lockedtest"
)

// partial is how many leading digits count as a copy.
const partial = 10

// forms are the ways in which the leading digits of a number could lie about, each of them backwards, too: ASCII, UTF-16 in either order, a byte each, and BCD
// from either nibble and in either order of nibbles. Only whole bytes are looked for, so that BCD which begins in the middle of one has a digit more.
func forms(digits []byte) map[string][]byte {
	all := map[string][]byte{}
	for way, turn := range map[string]func([]byte) []byte{"": slices.Clone[[]byte], ", backwards": reversed} {
		d := turn(digits[:min(len(digits), partial)])
		var le, be, raw []byte
		for _, c := range d {
			le, be, raw = append(le, c, 0), append(be, 0, c), append(raw, c-'0')
		}
		all["ASCII"+way], all["UTF-16LE"+way], all["UTF-16BE"+way] = d, le, be
		if len(d) < partial { // shorter runs of small numbers are everywhere
			continue
		}
		all["a byte each"+way], all["BCD"+way], all["BCD with its nibbles swapped"+way] = raw, packed(d), swapped(packed(d))
		if len(digits) > partial {
			b := packed(turn(digits[1 : 1+partial]))
			all["BCD after a nibble"+way], all["BCD after a nibble, with its nibbles swapped"+way] = b, swapped(b)
		}
	}
	return all
}

// packed is BCD, two digits a byte.
func packed(digits []byte) (b []byte) {
	for pair := range slices.Chunk(digits, 2) {
		b = append(b, (pair[0]-'0')<<4|(pair[1]-'0'))
	}
	return b
}

func swapped(b []byte) []byte {
	b = slices.Clone(b)
	for i := range b {
		b[i] = b[i]<<4 | b[i]>>4
	}
	return b
}

func reversed(b []byte) []byte {
	r := slices.Clone(b)
	slices.Reverse(r)
	return r
}

// canary is a run of digits that should be nowhere, and where it was found, in which form.
type canary struct {
	what   string
	forms  map[string][]byte
	found  int
	dumped int // of these, how many would be in a core
	where  []string
}

func newCanary(what string, digits []byte) *canary { return &canary{what: what, forms: forms(digits)} }

// hunt looks for many canaries at once: what may begin with the three bytes at hand is looked up, and most can't.
type hunt struct {
	begins [1 << 24 / 64]uint64
	lures  map[uint32][]lure
}

type lure struct {
	of    *canary
	form  string
	bytes []byte
}

func newHunt(canaries []*canary) *hunt {
	h := &hunt{lures: map[uint32][]lure{}}
	for _, c := range canaries {
		for form, b := range c.forms {
			k := begin(b)
			h.begins[k/64] |= 1 << (k % 64)
			h.lures[k] = append(h.lures[k], lure{c, form, b})
		}
	}
	return h
}

func begin(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

func (h *hunt) look(where string, b []byte, dumped bool) {
	for ; len(b) >= 3; b = b[1:] {
		k := begin(b)
		if h.begins[k/64]>>(k%64)&1 == 0 {
			continue
		}
		for _, l := range h.lures[k] {
			if !bytes.HasPrefix(b, l.bytes) {
				continue
			}
			if l.of.found++; dumped {
				l.of.dumped++
			}
			if len(l.of.where) < 5 {
				l.of.where = append(l.of.where, where+", as "+l.form)
			}
		}
	}
}

// searchFiles looks through everything below dir but the audio: samples are not digits, and a recording is
// judged by the attacker.
func searchFiles(t *testing.T, dir string, canaries ...*canary) (files int) {
	t.Helper()
	h := newHunt(canaries)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) == ".wav" {
			return err
		}
		b, err := os.ReadFile(path)
		h.look(path, b, true)
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
	h := newHunt(canaries)
	all, err := lockedtest.Search(pid, func(b []byte, dumped bool) { h.look(fmt.Sprintf("memory of %d", pid), b, dumped) })
	if err != nil {
		t.Fatalf("reading a process's memory takes root: %v", err)
	}
	return all
}

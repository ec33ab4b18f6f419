package vault

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf16"
)

// forms are the ways in which digits could have been written down.
func forms(digits string) map[string][]byte {
	reversed := []byte(digits)
	slices.Reverse(reversed)
	out := map[string][]byte{"ASCII": []byte(digits), "reversed": reversed}
	for name, s := range map[string]string{"BCD": digits, "BCD after a nibble": "0" + digits, "reversed BCD": string(reversed)} {
		var b []byte
		for i := 0; i+1 < len(s); i += 2 {
			b = append(b, (s[i]-'0')<<4|s[i+1]-'0')
		}
		out[name] = b[1:] // without the byte that holds a nibble of something else
		swapped := bytes.Clone(b)
		for i := range swapped {
			swapped[i] = swapped[i]<<4 | swapped[i]>>4
		}
		out["swapped "+name] = swapped[1:]
	}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(digits)) {
		le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
	}
	raw := make([]byte, len(digits))
	for i := range raw {
		raw[i] = digits[i] - '0'
	}
	out["UTF-16LE"], out["UTF-16BE"], out["a byte each"] = le, be, raw
	return out
}

// found names the forms of digits that lie in a file below dir.
func found(t *testing.T, dir, digits string) (where []string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		for name, form := range forms(digits) {
			if bytes.Contains(b, form) {
				where = append(where, fmt.Sprint(name, " in ", filepath.Base(path)))
			}
		}
		return err
	})
	if err != nil || files < 4 {
		t.Fatalf("searched %d files: %v", files, err)
	}
	return where
}

// onDisk reports that bytes lie in a file below dir.
func onDisk(t *testing.T, dir string, what []byte) (found bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		found = found || bytes.Contains(b, what)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestNothingButCiphertextOnDisk looks for cards in everything that was written, while the log is still
// apart and after it was merged.
func TestNothingButCiphertextOnDisk(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	cards := []sample{visa("a"), amex("b")}
	for _, s := range cards {
		token := r.mustSeal(t, s)
		if err := r.reveals(t, token, s); err != nil {
			t.Fatal(err)
		}
	}
	search := func(when string) {
		for _, s := range cards {
			for what, digits := range map[string]string{"PAN": s.pan, "first 12 of the PAN": s.pan[:12], "12-digit CVV": s.cvv} {
				if len(digits) < 12 {
					continue // a real CVV is found by chance
				}
				if where := found(t, dir, digits); where != nil {
					t.Errorf("%s: %s as %v", when, what, where)
				}
			}
		}
	}
	search("open")
	r.close()
	search("closed")
	// The search itself finds what is there, in each form.
	for name, form := range forms(cards[0].pan) {
		canary := filepath.Join(dir, "canary")
		if err := os.WriteFile(canary, append([]byte("before"), form...), 0o600); err != nil {
			t.Fatal(err)
		}
		if where := found(t, dir, cards[0].pan); len(where) == 0 {
			t.Errorf("the search is blind to %s", name)
		}
	}
}

package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf16"

	"github.com/flattone/flattone/daemon/store/storetest"
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

// found names the digits, and their forms, that lie in files that the rig or its database has written.
func (r *rig) found(t *testing.T, digits ...string) (where map[string]string) {
	t.Helper()
	where = map[string]string{}
	all := map[string]map[string][]byte{}
	for _, d := range digits {
		all[d] = forms(d)
	}
	storetest.Search(t, r.state(), r.dir, func(path string, content []byte) {
		for _, forms := range all {
			for name, form := range forms {
				if bytes.Contains(content, form) {
					where[filepath.Base(path)] = name
				}
			}
		}
	})
	return where
}

// onDisk reports that bytes lie in such a file.
func (r *rig) onDisk(t *testing.T, what []byte) (found bool) {
	t.Helper()
	storetest.Search(t, r.state(), r.dir, func(_ string, content []byte) { found = found || bytes.Contains(content, what) })
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
		if !r.onDisk(t, []byte(token)) {
			t.Fatal("not even the token is there: this looks at the wrong files")
		}
	}
	secrets := []string{cards[0].cvv} // one that isn't of 12 digits is found by chance
	for _, s := range cards {
		secrets = append(secrets, s.pan, s.pan[:12])
	}
	search := func(when string) {
		for file, form := range r.found(t, secrets...) {
			t.Errorf("%s: digits in %s, %s", when, file, form)
		}
	}
	search("open")
	r.close()
	search("closed")
	// The search itself finds what is there, in each form.
	all := forms(cards[0].pan)
	for name, form := range all {
		if err := os.WriteFile(filepath.Join(dir, name), append([]byte("before"), form...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found := r.found(t, secrets...)
	for name := range all {
		if found[name] == "" {
			t.Errorf("the search is blind to %s", name)
		}
	}
}

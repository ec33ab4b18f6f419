package custody

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/keys"
)

func known(t testing.TB, fill byte) *keys.Key {
	t.Helper()
	key, err := keys.NewKey(func(dst []byte) error {
		for i := range dst {
			dst[i] = fill + byte(i)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(key.Destroy)
	return key
}

// aPaper is a share of no account, as it stands on paper.
const aPaper = `7m9x 2cqd 000g 40r4
0m30 e209 185g r38e
1w81 24gk 2gah c5rr
34d1 p70x 3rfj 12t8
`

func TestAShareOnPaper(t *testing.T) {
	page := make([]byte, PaperSize)
	if err := paper(page, "7m9x2cqd", 0, known(t, 1)); err != nil || string(page) != aPaper {
		t.Fatalf("%v:\n%s", err, page)
	}
	for name, change := range map[string]func(string) string{
		"as it is":           func(s string) string { return s },
		"in capitals":        strings.ToUpper,
		"in one":             func(s string) string { return strings.Join(strings.Fields(s), "") },
		"with dashes":        func(s string) string { return strings.Join(strings.Fields(s), "-") },
		"letters for digits": func(s string) string { return strings.NewReplacer("0", "o", "1", "l").Replace(s) },
		"capital letters":    func(s string) string { return strings.NewReplacer("0", "O", "1", "I").Replace(s) },
	} {
		set, position, share, err := read([]byte(change(aPaper)))
		if err != nil || set != "7m9x2cqd" || position != 0 {
			t.Errorf("%s: %s, %d, %v", name, set, position, err)
			continue
		}
		if err := share.Use(func(key []byte) error {
			if key[0] != 1 || key[31] != 32 {
				t.Errorf("%s: another share", name)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		share.Destroy()
	}
	for name, text := range map[string]string{
		"nothing": "", "words": "correct horse battery staple", "too short": aPaper[:len(aPaper)-2], "too long": aPaper + "0",
		"a letter there is none of": strings.Replace(aPaper, "7", "u", 1), "not ASCII": strings.Replace(aPaper, "7", "\u00e4", 1), "another alphabet": strings.Replace(aPaper, "7", "!", 1),
	} {
		if _, _, _, err := read([]byte(text)); !errors.Is(err, ErrUnreadable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSlipsOfThePen: each wrong character, and each two neighbours that changed places, are found.
func TestSlipsOfThePen(t *testing.T) {
	text := []byte(strings.Join(strings.Fields(aPaper), ""))
	for i := range text {
		for _, c := range []byte(alphabet) {
			wrong := bytes.Clone(text)
			if wrong[i] = c; c == text[i] {
				continue
			}
			if _, _, _, err := read(wrong); !errors.Is(err, ErrUnreadable) {
				t.Errorf("%q in place %d: %v", c, i, err)
			}
		}
		if i == 0 || text[i] == text[i-1] {
			continue
		}
		wrong := bytes.Clone(text)
		wrong[i], wrong[i-1] = wrong[i-1], wrong[i]
		if _, _, _, err := read(wrong); !errors.Is(err, ErrUnreadable) {
			t.Errorf("places %d and %d changed: %v", i-1, i, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(aPaper))
	f.Add([]byte("7m9x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, position, share, err := read(text)
		if err != nil {
			return
		}
		defer share.Destroy()
		back := make([]byte, PaperSize)
		if err := paper(back, set, position, share); err != nil {
			t.Fatal(err)
		}
		tidy := func(b []byte) string {
			return strings.NewReplacer(" ", "", "-", "", "\n", "", "\r", "", "\t", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(string(b)))
		}
		if tidy(back) != tidy(text) {
			t.Error("what was read is not what was written")
		}
	})
}

// TestAnySubsetOpens: of any k-of-n, every k shares open the key, and no fewer do, nor any whose share or wrap was changed, nor any beside others than their own set.
func TestAnySubsetOpens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, MaxPeople).Draw(r, "n")
		p := Plan{rapid.IntRange(2, n).Draw(r, "k"), []string{"ada", "bob", "cyd", "dan", "eve", "fay", "gus"}[:n]}
		if err := p.check(); err != nil {
			r.Fatal(err)
		}
		s := newSet(p)
		key, shares := random(r), make([]*keys.Key, n)
		defer key.Destroy()
		for i := range shares {
			shares[i] = random(r)
			defer shares[i].Destroy()
		}
		if err := s.seal(key, shares); err != nil {
			r.Fatal(err)
		}
		some := map[int]*keys.Key{}
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), p.Need, p.Need, rapid.ID[int]).Draw(r, "who") {
			some[i] = shares[i]
			if len(some) == p.Need {
				continue
			}
			if _, err := s.open(some); !errors.Is(err, errWraps) {
				r.Fatalf("%d open it: %v", len(some), err)
			}
		}
		got, err := s.open(some)
		if err != nil || !same(r, got, key) {
			r.Fatal("they don't open it", err)
		}
		got.Destroy()
		for i, share := range shares {
			for at := range n {
				if s.is(share, at) != (at == i) {
					r.Fatalf("share %d is that of %d", i, at)
				}
			}
		}
		refuses := func(what string) {
			if _, err := s.open(some); err == nil {
				r.Fatalf("%s, and it opens", what)
			}
		}
		for subset, box := range s.wraps {
			at := rapid.IntRange(0, len(box)-1).Draw(r, "byte")
			box[at] ^= 1 << rapid.IntRange(0, 7).Draw(r, "bit")
			s.wraps[subset] = box
		}
		refuses("a bit of the wraps was flipped")
		if err := s.seal(key, shares); err != nil {
			r.Fatal(err)
		}
		who := rapid.SampledFrom(p.People).Draw(r, "whose")
		s.names[position(p.People, who)] = "mallory"
		refuses("another name stands there")
		s.names[position(s.names, "mallory")] = who
		for i := range some {
			some[i] = random(r)
			defer some[i].Destroy()
			break
		}
		refuses("one share is another")
	})
}

func position(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func random(t interface{ Fatal(...any) }) *keys.Key {
	key, err := keys.Random()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func same(t interface{ Fatal(...any) }, a, b *keys.Key) bool {
	box, err := a.Seal(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return b.Open(nil, box, nil) == nil
}

func TestPlans(t *testing.T) {
	for name, tc := range map[string]struct {
		p    Plan
		says string
	}{
		"two of three":  {Plan{2, []string{"a", "b", "c"}}, ""},
		"all of seven":  {Plan{7, []string{"a", "b", "c", "d", "e", "f", "g"}}, ""},
		"of one":        {Plan{1, []string{"a"}}, "1 custodians are named"},
		"of eight":      {Plan{2, []string{"a", "b", "c", "d", "e", "f", "g", "h"}}, "8 custodians are named"},
		"one alone":     {Plan{1, []string{"a", "b"}}, "1 of 2 custodians can't be"},
		"three of two":  {Plan{3, []string{"a", "b"}}, "3 of 2 custodians can't be"},
		"one twice":     {Plan{2, []string{"a", "a"}}, "each custodian is named once"},
		"without names": {Plan{2, []string{"a", ""}}, "each custodian is named once"},
	} {
		if err := tc.p.check(); (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
}

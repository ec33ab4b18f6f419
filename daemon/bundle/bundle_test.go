package bundle

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/bundle/bundletest"
)

func TestScrub(t *testing.T) {
	for name, test := range map[string]struct {
		text, want string
		taken      int
	}{
		"nothing":              {"2026-11-27T05:07:00.123Z INFO line=one pid=4711 caller=-18.4", "", 0},
		"a card":               {"pan=4242424242424242.", "pan=[card?].", 1},
		"in groups":            {"4242 4242 4242 4242", "[card?]", 1},
		"by hyphens":           {"x 3782-822463-10005 y", "x [card?] y", 1},
		"by commas":            {"[4,2,4,2,4,2,4,2,4,2,4,2,4,2,4,2]", "[[card?]]", 1},
		"by quotes and commas": {`"5105","1051","0510","5100"`, `"[card?]"`, 1},
		"too far apart":        {"4242    4242    4242    4242", "", 0},
		"dashes of print":      {"4242\u20134242\u20134242\u20134242", "[card?]", 1},
		"in another script":    {"\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12\uff14\uff12", "[card?]", 1},
		"Arabic":               {"\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662\u0664\u0662", "[card?]", 1},
		"in a longer number":   {"id 99942424242424242421", "id [card?]", 1},
		"with its expiry":      {"4242424242424242 11/31 123", "[card?]", 1},
		"a mistyped one":       {"4242424242424240000001", "[card?]", 1}, // some of it passes
		"Maestro of 12":        {"503800000018", "503800000018", 0},
		"on two lines":         {"42424242\n42424242", "42424242\n42424242", 0},
		"a phone":              {`"number": "+15550100"`, `"number": "[phone]"`, 1},
		"a national one":       {"call from 030 1234567", "call from [phone]", 1},
		"no phone":             {"seq 1000000, offset 12:00:01, 0x01234567, 1.012345678", "", 0},
		"an age key":           {`recipient = "AGE-SECRET-KEY-PQ-1GFPYYSJZ"`, `recipient = "[secret]"`, 1},
		"a signing secret":     {"secret whsec_c2VjcmV0c2VjcmV0 here", "secret [secret] here", 1},
		"a login":              {"url = \"https://me:pass@host/x\"", "url = \"https://[secret]@host/x\"", 1},
		"a key":                {"a\n-----BEGIN PRIVATE KEY-----\nxyz\n-----END PRIVATE KEY-----\nb", "a\n[secret]\nb", 1},
		"half a key":           {"a\n-----BEGIN PRIVATE KEY-----\nxyz", "a\n[secret]", 1},
		"a token":              {"tok_bbbbbbbbbbbbbbbbbbbbbbbbbb", "tok_bbbb[shortened]", 1},
	} {
		if test.want == "" {
			test.want = test.text
		}
		got, taken := Scrub([]byte(test.text))
		if string(got) != test.want || taken != test.taken {
			t.Errorf("%s: got %q, %d taken; want %q, %d", name, got, taken, test.want, test.taken)
		}
	}
}

// FuzzScrub: what was scrubbed has nothing left to take, whatever it was; and a card that is planted in it does not come out.
func FuzzScrub(f *testing.F) {
	f.Add("a line of a log", "", "")
	f.Add("42424242", "4242 4242", "-")
	f.Add("tok_", "whsec_", "+0")
	f.Add("-----BEGIN", "\xff\xfe", "\u0664")
	f.Fuzz(func(t *testing.T, before, after, between string) {
		clean, _ := Scrub([]byte(before + after))
		if again, taken := Scrub(clean); taken > 0 || !bytes.Equal(again, clean) {
			t.Errorf("of %q came %q, and of that %q", before+after, clean, again)
		}
		sep := ""
		if r := []rune(between); len(r) > 0 && separates(r[0]) {
			sep = string(r[0])
		}
		planted := strings.Join([]string{"4000", "0566", "5566", "5556"}, sep)
		clean, _ = Scrub([]byte(before + planted + after))
		if digits := regexp.MustCompile(`[^0-9]`).ReplaceAllString(string(clean), ""); strings.Contains(string(clean), planted) || strings.Contains(digits, "4000056655665556") && !strings.Contains(digitsOf(before+after), "40000566") {
			t.Errorf("%q is in %q", planted, clean)
		}
	})
}

func digitsOf(s string) string { return regexp.MustCompile(`[^0-9]`).ReplaceAllString(s, "") }

func TestBundle(t *testing.T) {
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	b := New(file, time.Unix(1e9, 0))
	b.Add("log.txt", "a log", []byte("4242424242424242 tok_aaaaaaaaaaaaaaa\n"))
	b.Add("../4242424242424242.txt", "a name", []byte("well"))
	if _, err := os.Stat(file); err == nil {
		t.Error("it is there before it is whole")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	got := bundletest.Unpack(t, file)
	if len(got) != 2 || got["flattone-support/log.txt"] != "[card?] tok_aaaa[shortened]\n" || got["flattone-support/[card?].txt"] != "well" {
		t.Errorf("it has %q", got)
	}
	if e := b.Entries()[0]; e != (Entry{"log.txt", "a log", 28, 2}) {
		t.Errorf("it says that it has %+v", e)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := b.Close(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over another: %v", err)
	}
}

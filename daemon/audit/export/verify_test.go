package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/audit/merkle"
)

// fixed is no randomness at all: for a key that is always the same.
type fixed byte

func (f fixed) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(f)
	}
	return len(b), nil
}

// book is a log that is kept in memory.
type book struct {
	t      rapid.TB
	key    string
	signer note.Signer
	by     note.Verifier
	tree   merkle.Tree
	head   Header
	lines  [][]byte // header, entries
	kept   [][]byte // the checkpoint of each size from 1 on
}

func newBook(t rapid.TB, seed byte, entries int) *book {
	t.Helper()
	secret, public, err := note.GenerateKey(fixed(seed), "flattone-audit/box")
	if err != nil {
		t.Fatal(err)
	}
	b := &book{t: t, key: public}
	if b.signer, err = note.NewSigner(secret); err == nil {
		b.by, err = note.NewVerifier(public)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.head = Header{Origin: b.by.Name(), Key: public, Size: int64(entries), Exported: time.Unix(1, 0)}
	b.lines = [][]byte{b.written(func(w *Writer) error { return nil })}
	for n := range entries {
		b.add(fmt.Sprintf(`{"seq":%d,"actor":"anna","action":"line.armed","time":"2027-01-02T03:04:05Z","object":"line %d"}`, n, n))
	}
	return b
}

// written is what do writes, header first.
func (b *book) written(do func(*Writer) error) []byte {
	b.t.Helper()
	var to bytes.Buffer
	w, err := NewWriter(&to, b.head)
	if err == nil {
		err = errors.Join(do(w), w.to.Flush())
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return to.Bytes()
}

// add appends an entry.
func (b *book) add(body string) {
	b.t.Helper()
	if err := b.tree.Add([]byte(body)); err != nil {
		b.t.Fatal(err)
	}
	c, err := b.tree.Checkpoint(b.by.Name())
	if err != nil {
		b.t.Fatal(err)
	}
	sig, err := b.signer.Sign(c.Text())
	if err != nil {
		b.t.Fatal(err)
	}
	b.kept = append(b.kept, c.Note(b.by, sig))
	both := b.written(func(w *Writer) error { return w.Entry([]byte(body), sig) })
	b.lines = append(b.lines, both[bytes.IndexByte(both, '\n')+1:])
}

// file is the export of lines, ended by the checkpoint of a size.
func (b *book) file(lines [][]byte, size int) []byte {
	b.t.Helper()
	checkpoint := ""
	if size > 0 {
		checkpoint = string(b.kept[size-1])
	}
	end, err := json.Marshal(last{checkpoint})
	if err != nil {
		b.t.Fatal(err)
	}
	return append(bytes.Join(lines, nil), append(end, '\n')...)
}

// is wants the first bad entry to be named.
func (b *book) is(file []byte, bad int64, kept ...[]byte) {
	b.t.Helper()
	r, err := Verify(bytes.NewReader(file), b.key, kept...)
	named, ok := errors.AsType[*merkle.Bad](err)
	if !ok || named.Seq != bad || !errors.Is(err, merkle.ErrTampered) || r.Entries < bad {
		b.t.Fatalf("%d good, %v; want entry %d named", r.Entries, err, bad)
	}
}

func TestGoodFile(t *testing.T) {
	for n := range 40 {
		b := newBook(t, 1, n)
		kept := b.kept[:n/2]
		for _, key := range []string{b.key, ""} {
			r, err := Verify(bytes.NewReader(b.file(b.lines, n)), key, kept...)
			if err != nil || r.Entries != int64(n) || r.Held != int64(n/2) || r.Origin != "flattone-audit/box" || r.Key != b.key {
				t.Fatalf("of %d: %+v, %v", n, r, err)
			}
		}
	}
}

// TestAnyTamperingIsNamed: whatever is done once to a file, by somebody without the key, the first entry that isn't what was written is named.
func TestAnyTamperingIsNamed(t *testing.T) {
	whole := newBook(t, 1, 33)
	entry := func(n int) int { return n + 1 } // its line
	rapid.Check(t, func(t *rapid.T) {
		b, lines := *whole, slices.Clone(whole.lines)
		b.t = t
		n, size := rapid.IntRange(0, 32).Draw(t, "entry"), 33
		at := entry(n)
		bad, kept := int64(n), [][]byte(nil)
		switch rapid.SampledFrom([]string{"edit", "drop", "swap", "double", "cut", "roll back", "sign"}).Draw(t, "what") {
		case "edit": // any bit of the entry or its signature
			line := slices.Clone(lines[at])
			from, to := len(`{"entry":`), len(line)-len("?==\"}\n") // the last digit of base64 has bits that mean nothing
			mid := bytes.Index(line, []byte(`,"sig":"`))
			i := rapid.IntRange(from, to-1).Filter(func(i int) bool { return i < mid || i >= mid+len(`,"sig":"`) }).Draw(t, "byte")
			line[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			lines[at] = line
		case "drop":
			lines = slices.Delete(lines, at, at+1)
		case "swap":
			other := rapid.IntRange(0, 32).Filter(func(m int) bool { return m != n }).Draw(t, "other")
			lines[at], lines[entry(other)] = lines[entry(other)], lines[at]
			bad = int64(min(n, other))
		case "double":
			lines = slices.Insert(lines, at, lines[at])
			bad = int64(n) + 1
		case "cut": // the file's end is gone, or the entries' and the checkpoint is there
			if lines = lines[:at]; rapid.Bool().Draw(t, "in the middle of a line") {
				b.is(bytes.Join(append(lines, whole.lines[at][:20]), nil), bad)
			}
		case "roll back": // a whole export of an earlier time: only what was kept tells
			lines, size = newBook(t, 1, n).lines, n
			kept = b.kept[rapid.IntRange(n, 32).Draw(t, "kept"):][:1]
			if r, err := Verify(bytes.NewReader(b.file(lines, size)), b.key); r.Entries != bad || err != nil {
				t.Fatalf("alone: %+v, %v: it is good as far as it goes", r, err)
			}
		case "sign": // by another key
			lines[at] = newBook(t, 2, n+1).lines[at]
		}
		b.is(b.file(lines, size), bad, kept...)
	})
}

// TestRewritten: who has the key can write another history, and a checkpoint that was kept shows since when.
func TestRewritten(t *testing.T) {
	b, other := newBook(t, 1, 20), newBook(t, 1, 12)
	for n := 12; n < 20; n++ {
		other.add(fmt.Sprintf(`{"seq":%d,"actor":"otto"}`, n))
	}
	file := other.file(other.lines, 20)
	if _, err := Verify(bytes.NewReader(file), b.key, b.kept[4], b.kept[11]); err != nil {
		t.Errorf("against checkpoints of before: %v", err)
	}
	b.is(file, 12, b.kept[4], b.kept[11], b.kept[15])
	b.is(file, 5, b.kept[19], b.kept[4])
	b.is(file, 0, b.kept[12])
}

func TestNoExport(t *testing.T) {
	b := newBook(t, 1, 3)
	good := string(b.file(b.lines, 3))
	for name, test := range map[string]struct{ file, key, says string }{
		"nothing":         {"", "", "no export"},
		"something else":  {"{}\n", "", "no export"},
		"a newer format":  {strings.Replace(good, `"flattone_audit":1`, `"flattone_audit":2`, 1), "", "format 2"},
		"no key":          {strings.Replace(good, b.key, "key", 1), "", "public key"},
		"another's key":   {good, newBook(t, 2, 0).key, "changed"},
		"another log":     {strings.Replace(good, `box",`, `fox",`, 1), b.key, "take the key of that box"},
		"more at the end": {good + "{}\n", b.key, "was added after"},
		"more in a line":  {strings.Replace(good, "}\n{\"checkpoint", "} \n{\"checkpoint", 1), b.key, "isn't readable"},
		"other words":     {strings.Replace(good, `{"entry"`, `{"note":"x","entry"`, 1), b.key, "isn't readable"},
		"a line too long": {string(bytes.Join(b.lines, nil)) + strings.Repeat("x", maxLine+1), b.key, "longer than any"},
	} {
		if _, err := Verify(strings.NewReader(test.file), test.key); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v; want it to say %q", name, err, test.says)
		}
	}
}

// FuzzVerify: whatever a file holds, what it calls good is what was written.
func FuzzVerify(f *testing.F) {
	b := newBook(f, 1, 5)
	f.Add(b.file(b.lines, 5))
	f.Add(b.file(b.lines[:3], 2))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := Verify(bytes.NewReader(file), b.key, b.kept[4])
		if err == nil && r.Entries != 5 {
			t.Errorf("%+v of a file that isn't the log", r)
		}
	})
}

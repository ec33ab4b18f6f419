package merkle

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// fixed is no randomness at all: for a key that is always the same.
type fixed struct{}

func (fixed) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func keys(t testing.TB, name string) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(fixed{}, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(public)
	if err != nil {
		t.Fatal(err)
	}
	return signer, verifier
}

// TestTreeIsTlogs: a tree of its edge alone is the tree of all its hashes, at any size, also once it was put away and resumed.
func TestTreeIsTlogs(t *testing.T) {
	var all []tlog.Hash
	whole := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, _ error) {
		for _, i := range at {
			out = append(out, all[i])
		}
		return out, nil
	})
	tree := &Tree{}
	for n := range int64(300) {
		leaf := fmt.Append(nil, "leaf ", n)
		hashes, err := tlog.StoredHashes(n, leaf, whole)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, hashes...)
		want, err := tlog.TreeHash(n+1, whole)
		if err != nil {
			t.Fatal(err)
		}
		if tree, err = Resume(tree.Size(), tree.Edge()); err != nil {
			t.Fatal(err)
		}
		if err := tree.Add(leaf); err != nil {
			t.Fatal(err)
		}
		if got, err := tree.Root(); got != want || err != nil {
			t.Fatalf("of %d leaves: %v, %v; want %v", n+1, got, err, want)
		}
	}
	for size, edge := range map[int64][]byte{-1: nil, 1: nil, 2: make([]byte, 33), 3: make([]byte, 32), 0: make([]byte, 32)} {
		if _, err := Resume(size, edge); err == nil {
			t.Errorf("a tree of %d was resumed from %d bytes", size, len(edge))
		}
	}
}

// TestNote: what is put together of text and signature is what the note package signs.
func TestNote(t *testing.T) {
	signer, verifier := keys(t, "log")
	c := Checkpoint{verifier.Name(), 7, tlog.Hash{1, 2, 3}}
	sig, err := signer.Sign(c.Text())
	if err != nil {
		t.Fatal(err)
	}
	want, err := note.Sign(&note.Note{Text: string(c.Text())}, signer)
	if got := c.Note(verifier, sig); !bytes.Equal(got, want) || err != nil {
		t.Fatalf("got %q, want %q (%v)", got, want, err)
	}
	if got, err := Open(want, verifier); got != c || err != nil {
		t.Errorf("read as %+v, %v", got, err)
	}
	notes, err := ReadNotes(strings.NewReader("\n" + string(want) + "\n\n" + string(want) + string(want)))
	if err != nil || len(notes) != 3 || !bytes.Equal(notes[2], want) {
		t.Errorf("%d notes, %v; want 3", len(notes), err)
	}
	if _, err := ReadNotes(bytes.NewReader(want[:20])); err == nil {
		t.Error("half a note was read")
	}
}

func TestForeignCheckpointIsRefused(t *testing.T) {
	signer, _ := keys(t, "one")
	c := Checkpoint{"one", 7, tlog.Hash{}}
	signed, err := note.Sign(&note.Note{Text: string(c.Text())}, signer)
	if err != nil {
		t.Fatal(err)
	}
	_, other := keys(t, "other")
	if _, err := NewCheck(other, signed); !errors.Is(err, errForeign) {
		t.Errorf("got %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	signer, verifier := keys(f, "log")
	for _, seed := range []string{string(Checkpoint{"log", 3, tlog.Hash{1}}.Text()), "log\n-1\nAAAA\n", "other\n1\n\n", "", "\n", "a\nb\nc\nd\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			return // no note at all
		}
		if c, err := Open(signed, verifier); err == nil && string(c.Text()) != text {
			t.Errorf("%q was read as %q", text, c.Text())
		}
	})
}

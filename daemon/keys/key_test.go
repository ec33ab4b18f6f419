package keys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/private"
)

// makeFile makes a key file as flattone key new does.
func makeFile(path string) error {
	key, err := locked.Bytes(Size)
	if err != nil {
		return err
	}
	defer locked.Free(key)
	rand.Read(key[:Size])
	return private.Create(path, key[:Size])
}

// Nothing that is sealed opens under another key, for another purpose, or into a room of another size; and no two lists of fields are the same data.
func TestSealing(t *testing.T) {
	key, other := newKey(t), newKey(t)
	box, err := key.Seal([]byte("sixteen bytes ok"), Bind("a").Text("b"))
	if err != nil || len(box) != 16+Overhead {
		t.Fatalf("%d bytes, %v", len(box), err)
	}
	dst := make([]byte, 16)
	if err := key.Open(dst, box, Bind("a").Text("b")); err != nil || string(dst) != "sixteen bytes ok" {
		t.Errorf("opened it is %q, %v", dst, err)
	}
	for name, open := range map[string]func() error{
		"another key":     func() error { return other.Open(dst, box, Bind("a").Text("b")) },
		"another purpose": func() error { return key.Open(dst, box, Bind("b").Text("b")) },
		"one field":       func() error { return key.Open(dst, box, Bind("ab")) },
		"a number":        func() error { return key.Open(dst, box, Bind("a").Number('b')) },
		"shorter":         func() error { return key.Open(dst[:15], box, Bind("a").Text("b")) },
		"cut":             func() error { return key.Open(dst, box[1:], Bind("a").Text("b")) },
	} {
		if open() == nil {
			t.Errorf("%s opens it", name)
		}
	}
	if bytes.Equal(Bind("a").Text("").Text("b"), Bind("a").Text("b").Text("")) {
		t.Error("two lists of fields give the same bytes")
	}
}

func newKey(t *testing.T) *Key {
	t.Helper()
	key, err := Random()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(key.Destroy)
	return key
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := makeFile(path); err != nil {
		t.Fatal(err)
	}
	root, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key := root.(held).Key
	if got := fmt.Sprintf("%v %+v %#v %s %x", key, key, key, key, key); got != "[key] [key] [key] [key] [key]" {
		t.Error("a key prints more than that it is one")
	}
	if got := fmt.Sprintf("%v %+v %#v %s %x", root, root, root, root, root); strings.Count(got, "[root of kind file]") != 5 {
		t.Error("a root prints more than that it is one")
	}
	if err := errors.Join(root.Close(), root.Close()); err != nil {
		t.Error(err)
	}
	if _, err := root.Seal([]byte("x"), nil); !errors.Is(err, ErrDestroyed) {
		t.Errorf("closed, it seals: %v", err)
	}
	if err := root.Open(make([]byte, 1), make([]byte, 29), nil); !errors.Is(err, ErrDestroyed) {
		t.Errorf("closed, it opens: %v", err)
	}
}

// What a key file must look like is tested with [private.Kind]; here, that it is asked.
func TestKeyFilesRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), path+" does not exist; make one with: flattone key new") {
		t.Errorf("a missing one: %v", err)
	}
	if err := makeFile(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	// A new key is no remedy: the vault would refuse it.
	if _, err := OpenFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600 it, and keep it") {
		t.Errorf("one that others may read: %v", err)
	}
}

// TestCiphersAreWiped looks where Go expands a key: all of it must be zero after use.
func TestCiphersAreWiped(t *testing.T) {
	gcm, forget, err := newGCM(bytes.Repeat([]byte{0x5a}, Size))
	if err != nil {
		t.Fatal(err)
	}
	inner := reflect.ValueOf(gcm).Field(0).Elem()
	if inner.IsZero() {
		t.Fatal("no key before the wipe: this looks at the wrong thing")
	}
	forget()
	if !inner.IsZero() {
		t.Error("the expanded key is still on the heap")
	}
}

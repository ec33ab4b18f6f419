package vault

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestWrongKey(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s := visa("a")
	token := r.mustSeal(t, s)
	rows := r.rows(t)
	r.close()
	right := r.keyFile() + ".right"
	if err := os.Rename(r.keyFile(), right); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time tells whether the first changed anything
		_, err := openRig(t.Context(), dir) // makes another key
		if !errors.Is(err, ErrWrongKey) {
			t.Fatalf("got %v, want ErrWrongKey", err)
		}
	}
	if err := os.Rename(right, r.keyFile()); err != nil {
		t.Fatal(err)
	}
	if r, err = openRig(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if got := r.rows(t); got != rows {
		t.Errorf("the wrong key wrote: rows %v became %v", rows, got)
	}
	if err := r.reveals(t, token, s); err != nil {
		t.Error(err)
	}
}

// TestLostCheckValue: a vault with cards never takes a key on trust.
func TestLostCheckValue(t *testing.T) {
	dir := t.TempDir()
	r, err := openRig(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	r.mustSeal(t, visa("a"))
	r.close()
	raw, err := sql.Open("sqlite", filepath.Join(dir, "state", "flattone.db")) // without the foreign keys' guard
	if err != nil {
		t.Fatal(err)
	}
	_, err = raw.Exec("DELETE FROM kek")
	if err := errors.Join(err, raw.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := openRig(t.Context(), dir); !errors.Is(err, ErrAltered) {
		t.Errorf("got %v, want ErrAltered", err)
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := newKeyFile(path); err != nil {
		t.Fatal(err)
	}
	kek, err := OpenKeyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%v %+v %#v %s %x", kek, kek, kek, kek, kek); got != "[key] [key] [key] [key] [key]" {
		t.Error("a key prints more than that it is one")
	}
	kek.Destroy()
	kek.Destroy()
	if _, err := kek.seal([]byte("x"), nil); err == nil {
		t.Error("a destroyed key seals")
	}
	if err := kek.open(make([]byte, 1), make([]byte, 29), nil); err == nil {
		t.Error("a destroyed key opens")
	}
}

// What a key file must look like is tested with [private.Kind]; here, that it is asked.
func TestKeyFilesRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := OpenKeyFile(path); err == nil || !strings.Contains(err.Error(), path+" does not exist; make one with: flattone key new") {
		t.Errorf("a missing one: %v", err)
	}
	if err := newKeyFile(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	// A new key is no remedy: the vault would refuse it.
	if _, err := OpenKeyFile(path); err == nil || !strings.Contains(err.Error(), "chmod 600 it, and keep it") {
		t.Errorf("one that others may read: %v", err)
	}
}

// TestCiphersAreWiped looks where Go expands a key: all of it must be zero after use.
func TestCiphersAreWiped(t *testing.T) {
	gcm, forget, err := newGCM(bytes.Repeat([]byte{0x5a}, keySize))
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

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
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
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
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := CreateKeyFile(path); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil || len(first) != 32 || bytes.Equal(first, make([]byte, 32)) {
		t.Errorf("a key of %d bytes, want 32 that aren't all zero (%v)", len(first), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600 (%v)", info.Mode(), err)
	}
	if err := CreateKeyFile(path); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a key file was overwritten, or not for its being there: %v", err)
	}
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(again, first) {
		t.Error("the refused second key changed the first")
	}
	second := filepath.Join(dir, "second")
	if err := CreateKeyFile(second); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(second); err != nil || bytes.Equal(b, first) {
		t.Error("two keys are the same")
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

func TestKeyFilesRefused(t *testing.T) {
	write := func(n int, mode os.FileMode) func(string) error {
		return func(path string) error {
			return errors.Join(os.WriteFile(path, bytes.Repeat([]byte{7}, n), 0o600), os.Chmod(path, mode))
		}
	}
	tests := []struct {
		name string
		make func(path string) error
		says string
	}{
		{"missing", func(string) error { return nil }, "flattone key new"},
		{"readable by its group", write(32, 0o640), "chmod 600"},
		{"readable by all", write(32, 0o604), "chmod 600"},
		{"writable by its group", write(32, 0o620), "chmod 600"},
		{"empty", write(0, 0o600), "has 0 bytes"},
		{"short", write(31, 0o600), "has 31 bytes"},
		{"long", write(33, 0o600), "has 33 bytes"},
		{"symbolic link", func(path string) error {
			return errors.Join(write(32, 0o600)(path+"2"), os.Symlink(path+"2", path))
		}, "symbolic link"},
		{"folder", func(path string) error { return os.Mkdir(path, 0o700) }, "no regular file"},
		{"FIFO", func(path string) error { return unix.Mkfifo(path, 0o600) }, "no regular file"},
	}
	for _, test := range tests {
		path := filepath.Join(t.TempDir(), "key")
		if err := test.make(path); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKeyFile(path)
		if err == nil || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want it to name the file and say %q", test.name, err, test.says)
		}
	}
	for uid, fits := range map[uint32]bool{1000: true, 0: true, 1001: false} {
		err := checkKeyFile(unix.Stat_t{Mode: unix.S_IFREG | 0o400, Uid: uid, Size: 32}, 1000)
		if (err == nil) != fits {
			t.Errorf("a file of user %d for user 1000: %v", uid, err)
		}
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

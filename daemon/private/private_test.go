package private

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// looks is what the system says of a file.
type looks struct {
	fs.FileInfo
	mode fs.FileMode
	uid  uint32
}

func (l looks) Mode() fs.FileMode { return l.mode }
func (l looks) IsDir() bool       { return l.mode.IsDir() }
func (l looks) Sys() any          { return &syscall.Stat_t{Uid: l.uid} }

func TestOpen(t *testing.T) {
	write := func(n int, mode os.FileMode) func(string) error {
		return func(path string) error {
			return errors.Join(os.WriteFile(path, bytes.Repeat([]byte{7}, n), 0o600), os.Chmod(path, mode))
		}
	}
	for name, test := range map[string]struct {
		kind Kind
		make func(path string) error
		says string // "" if it is opened
	}{
		"good":                  {VaultKey, write(32, 0o600), ""},
		"read-only":             {VaultKey, write(32, 0o400), ""},
		"missing":               {VaultKey, func(string) error { return nil }, "does not exist; make one with: flattone key new"},
		"readable by its group": {VaultKey, write(32, 0o640), "mode 0640"},
		"readable by all":       {WebhookSecret, write(32, 0o604), "chmod 600 it, and put a new secret in"},
		"writable by its group": {AuditKey, write(32, 0o620), "chmod 600"},
		"short":                 {VaultKey, write(31, 0o600), "has 31 bytes"},
		"long":                  {VaultKey, write(33, 0o600), "has 33 bytes"},
		"empty":                 {WebhookSecret, write(0, 0o600), "is empty"},
		"a whole book":          {WebhookSecret, write(4097, 0o600), "is larger"},
		"symbolic link": {VaultKey, func(path string) error {
			return errors.Join(write(32, 0o600)(path+"2"), os.Symlink(path+"2", path))
		}, "is a symbolic link; name the file itself"},
		"folder": {VaultKey, func(path string) error { return os.Mkdir(path, 0o700) }, "not a regular file"},
		"FIFO":   {VaultKey, func(path string) error { return unix.Mkfifo(path, 0o600) }, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := test.make(path); err != nil {
				t.Fatal(err)
			}
			got, err := test.kind.Read(path)
			if test.says == "" {
				if err != nil || len(got) != 32 {
					t.Errorf("read %d bytes, %v", len(got), err)
				}
				return
			}
			flaw, ok := errors.AsType[Flaw](err)
			if !ok || flaw.Remedy == "" || !strings.Contains(flaw.Reason, path) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want it to name the file and say %q", err, test.says)
			}
			if missing := errors.Is(err, fs.ErrNotExist); missing != (name == "missing") {
				t.Errorf("missing: %t", missing)
			}
		})
	}
}

func TestOwner(t *testing.T) {
	for uid, fits := range map[uint32]bool{1000: true, 0: true, 1001: false} {
		if err := Judge("f", looks{mode: 0o600, uid: uid}, 1000, "x"); (err == nil) != fits {
			t.Errorf("a file of user %d for user 1000: %v", uid, err)
		}
		if err := JudgeFolder("d", looks{mode: fs.ModeDir | 0o700, uid: uid}, 1000); (err == nil) != fits {
			t.Errorf("a folder of user %d for user 1000: %v", uid, err)
		}
	}
}

func TestCreate(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := Create(path, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600 (%v)", info.Mode(), err)
	}
	if err := Create(path, []byte("another")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the second of the name: %v", err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "mine" {
		t.Errorf("the refused second changed the first: %q, %v", got, err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 {
		t.Errorf("%v is left behind (%v)", all, err)
	}
	if err := Create(filepath.Join(dir, "no", "key"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report")
	for _, content := range []string{"first", "second"} {
		if err := Replace(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%q, %v", got, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, want 0600 (%v)", info.Mode(), err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "folder"), []byte("third"), 0o600); err == nil {
		t.Error("a folder is replaced")
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 2 {
		t.Errorf("%v is left behind (%v)", all, err)
	}
	if err := Replace(filepath.Join(dir, "no", "report"), nil, 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in no folder: %v", err)
	}
}

func TestSupersede(t *testing.T) {
	dir := t.TempDir()
	path, before := filepath.Join(dir, "config"), filepath.Join(dir, "config.before")
	if err := Supersede(path, nil, before); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	if err := errors.Join(os.WriteFile(path, []byte("0"), 0o640), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	owner := os.Geteuid()
	if owner == 0 {
		owner = 4711
		if err := os.Chown(path, owner, 4712); err != nil {
			t.Fatal(err)
		}
	}
	for _, content := range []string{"1", "2"} {
		old, _ := os.ReadFile(path)
		if err := Supersede(path, []byte(content), before); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(path)
		kept, err2 := os.ReadFile(before)
		if err != nil || err2 != nil || string(now) != content || string(kept) != string(old) {
			t.Errorf("it is %q, %v, and was %q, %v; want %q and %q", now, err, kept, err2, content, old)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o640 || int(info.Sys().(*syscall.Stat_t).Uid) != owner {
			t.Errorf("mode %v and owner %d", info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
		}
	}
	if err := errors.Join(os.Remove(before), os.Mkdir(before, 0o700), os.WriteFile(filepath.Join(before, "in the way"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := Supersede(path, []byte("3"), before); err == nil {
		t.Error("what can't be kept is replaced")
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != "2" {
		t.Errorf("what failed changed it: %q, %v", now, err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 2 {
		t.Errorf("%v is left behind (%v)", all, err)
	}
}

// TestCreateFlushes forbids this one thread to flush: what can't be made durable is not made.
func TestCreateFlushes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		if err := forbid(unix.SYS_FSYNC); err != nil {
			failed <- err
			return
		}
		failed <- Create(path, []byte("mine"))
	}()
	select {
	case err := <-failed:
		var of *fs.PathError
		if !errors.Is(err, unix.EBADE) || !errors.As(err, &of) || of.Op != "sync" || of.Path == filepath.Dir(path) {
			t.Errorf("got %v, want that the file can't be flushed", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("hangs")
	}
	if all, err := os.ReadDir(filepath.Dir(path)); err != nil || len(all) != 0 {
		t.Errorf("%v is left behind (%v)", all, err)
	}
}

// forbid has the kernel answer a system call of this thread with an error that nothing else gives.
func forbid(call uint32) error {
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number: seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EBADE)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&f)), 0, 0)
}

// TestSyncFolder: /proc has no way to flush, and says so to whoever tries.
func TestSyncFolder(t *testing.T) {
	if err := SyncFolder(t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := SyncFolder("/proc"); !errors.Is(err, unix.EINVAL) {
		t.Errorf("got %v, want that it can't be flushed", err)
	}
}

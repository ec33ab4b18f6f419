package store

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// onDisk says that this process is the child with a disk of its own, and where.
const onDisk = "FLATTONE_TEST_DISK"

// withDisk runs the calling test again in a child that has 2 MiB of disk for itself: a tmpfs in a user and
// mount namespace of its own, for which no privilege is needed. It returns the disk's folder in the child,
// and "" in the parent once the child has passed.
func withDisk(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv(onDisk); dir != "" {
		if err := unix.Mount("none", dir, "tmpfs", 0, "size=2m"); err != nil {
			t.Fatalf("mount a tmpfs: %v", err)
		}
		return dir
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), onDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWUSER | unix.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("on a disk of its own: %v\n%s", err, out)
	}
	return ""
}

// fill writes rows from 0 on until one fails, and returns the first that wasn't acknowledged.
func fill(t *testing.T, db *DB) (int, error) {
	t.Helper()
	for n := range 100_000 {
		if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, n) }); err != nil {
			return n, err
		}
	}
	t.Fatal("the disk never filled up")
	return 0, nil
}

func TestFullDisk(t *testing.T) {
	disk := withDisk(t)
	if disk == "" {
		return
	}
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(disk, "state")
	db := open(t, dir)
	acknowledged, err := fill(t, db)
	if !errors.Is(err, ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	if got := rows(t, db); len(got) != acknowledged || acknowledged == 0 {
		t.Errorf("%d rows while full, %d were acknowledged", len(got), acknowledged)
	}
	for range 3 {
		if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, acknowledged) }); !errors.Is(err, ErrFull) {
			t.Errorf("again: %v, want ErrFull", err)
		}
	}
	changeNothing := func(tx *Tx) error { _, err := tx.Exec("DELETE FROM audit_entry WHERE seq < 0"); return err }
	if err := db.Write(t.Context(), changeNothing); err != nil || !errors.Is(db.Trouble(), ErrFull) {
		t.Errorf("while full the trouble is %v (%v)", db.Trouble(), err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, acknowledged) }); err != nil || db.Trouble() != nil {
		t.Errorf("with space again: %v, the trouble is %v", err, db.Trouble())
	}
	acknowledged++
	if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, 0) }); err == nil || db.Trouble() != nil {
		t.Errorf("a row that is there already: %v, the trouble is %v", err, db.Trouble())
	}
	// With space again, and writers side by side until it is full again: those of one commit may differ in
	// their fate, but each is told the truth about its own.
	want := make(chan int, 100_000)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for n := acknowledged + w; ; n += 8 {
				if err := db.Write(t.Context(), func(tx *Tx) error { return add(tx, n) }); err != nil {
					if !errors.Is(err, ErrFull) {
						t.Errorf("got %v, want ErrFull", err)
					}
					return
				}
				want <- n
			}
		})
	}
	wg.Wait()
	close(want)
	told := map[int]bool{}
	for n := range want {
		told[n] = true
	}
	// A full disk must not keep the daemon from stopping, nor from starting again.
	db.Close()
	got := rows(t, open(t, dir))
	if len(got) != acknowledged+len(told) || len(told) == 0 {
		t.Errorf("%d rows after reopening, %d and %d were acknowledged", len(got), acknowledged, len(told))
	}
	for _, n := range got {
		if n >= acknowledged && !told[n] {
			t.Errorf("row %d is there and was never acknowledged", n)
		}
	}
}

// TestFullDiskAtFirstStart starts with more to spare each time, until it gets as far as a first row:
// wherever the space runs out, it says so, and starts once there is some.
func TestFullDiskAtFirstStart(t *testing.T) {
	disk := withDisk(t)
	if disk == "" {
		return
	}
	ballast, dir := filepath.Join(disk, "ballast"), filepath.Join(disk, "state")
	start := func() error {
		db, err := Open(t.Context(), Config{Dir: dir})
		if err != nil {
			return err
		}
		return errors.Join(db.Write(t.Context(), func(tx *Tx) error { return add(tx, 1) }), db.Close())
	}
	failures := 0
	for left := 0; left < 1<<20; left += 4 << 10 {
		if left >= 40<<10 && left < 56<<10 {
			continue // the migrations' own table doesn't fit: goose tries that for three seconds each
		}
		if err := os.WriteFile(ballast, make([]byte, 2<<20-left), 0o600); err != nil {
			t.Fatal(err)
		}
		err := start()
		if err != nil && !errors.Is(err, ErrFull) {
			t.Errorf("with %d KiB left: got %v, want ErrFull", left>>10, err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			break
		}
		failures++
		if err := errors.Join(start(), os.RemoveAll(dir)); err != nil {
			t.Errorf("after %d KiB, with space again: %v", left>>10, err)
		}
	}
	if failures < 10 {
		t.Errorf("only %d starts ran out of space", failures)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	disk := withDisk(t)
	if disk == "" {
		return
	}
	dir := filepath.Join(disk, "state")
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{dir, filepath.Join(disk, "new")} {
		if err := unix.Mount("none", disk, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), Config{Dir: folder}); !errors.Is(err, ErrReadOnly) {
			t.Errorf("got %v, want ErrReadOnly", err)
		}
		if err := unix.Mount("none", disk, "", unix.MS_REMOUNT, ""); err != nil {
			t.Fatal(err)
		}
	}
	open(t, dir)
}

// TestDiskTurnsReadOnly: it is known before somebody writes. A file system that has open files can't be made read-only but by a fault of its own; a folder can.
func TestDiskTurnsReadOnly(t *testing.T) {
	disk := withDisk(t)
	if disk == "" {
		return
	}
	db := open(t, filepath.Join(disk, "state"))
	if room, err := db.Room(); err != nil || room == 0 {
		t.Errorf("there is room for %d bytes, %v", room, err)
	}
	for _, flags := range []uintptr{unix.MS_BIND, unix.MS_BIND | unix.MS_REMOUNT | unix.MS_RDONLY} {
		if err := unix.Mount(db.dir, db.dir, "", flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	if room, err := db.Room(); !errors.Is(err, ErrReadOnly) {
		t.Errorf("there is room for %d bytes, %v", room, err)
	}
}

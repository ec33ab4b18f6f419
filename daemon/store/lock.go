package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// hold takes the folder's lock. The kernel drops it with the process, so nothing is left to clean up after
// a crash; the pid inside is only for the message to the second comer.
func hold(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: lock the state folder: %w", explain(err))
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("store: %s: %w (pid %s); stop that one or give this one another state_dir", dir, ErrHeld, holder(f))
		}
		return nil, fmt.Errorf("store: lock %s: %w", path, err)
	}
	if err := sign(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("store: write %s: %w", path, explain(err))
	}
	return f, nil
}

func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	return err
}

func holder(f *os.File) string {
	pid, err := io.ReadAll(io.NewSectionReader(f, 0, 32))
	if pid = bytes.TrimSpace(pid); err != nil || len(pid) == 0 {
		return "unknown"
	}
	return string(pid)
}

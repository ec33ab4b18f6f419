package session

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// mark is the file that says, past the end of the process, that a line is armed or held. It holds the
// capture's id and the time, for people; that it exists is all that counts.
type mark struct{ dir, line string }

func (m mark) path() string { return filepath.Join(m.dir, m.line) }

// set makes the mark, durably: it is on the disk when set returns nil.
func (m mark) set(captureID string) error {
	if err := m.write(fmt.Sprintf("%s %s\n", captureID, time.Now().UTC().Format(time.RFC3339))); err != nil {
		return fmt.Errorf("session: mark line %s as armed: %w", m.line, err)
	}
	return nil
}

func (m mark) write(text string) error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(m.path(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close(), m.syncDir())
}

// clear removes the mark. If that fails the line will be held after its next start, needlessly.
func (m mark) clear() error {
	if err := os.Remove(m.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("session: remove the mark of line %s: %w", m.line, err)
	}
	return nil
}

// found reports whether there is a mark. Whatever hinders it from knowing counts as one.
func (m mark) found() bool {
	_, err := os.Lstat(m.path())
	return !errors.Is(err, fs.ErrNotExist)
}

func (m mark) syncDir() error {
	d, err := os.Open(m.dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

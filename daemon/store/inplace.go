package store

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// files are the database and its log as they were opened. SQLite goes on writing to a file that was removed or replaced, and what it acknowledges there is gone with
// the process.
type files []openFile

type openFile struct {
	path     string
	dev, ino uint64
}

func filesOf(path string) (all files, err error) {
	for _, path := range []string{path, path + "-wal"} {
		var s unix.Stat_t
		if err := unix.Stat(path, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, openFile{path, s.Dev, s.Ino})
	}
	return all, nil
}

// inPlace reports the first that isn't there any more: two calls of the kernel, a microsecond each, before each commit.
func (all files) inPlace() error {
	for _, f := range all {
		var s unix.Stat_t
		if err := unix.Stat(f.path, &s); err == unix.ENOENT || err == nil && (s.Dev != f.dev || s.Ino != f.ino) {
			return fmt.Errorf("store: %w: %s was removed or replaced while it was in use", ErrCorrupt, filepath.Base(f.path))
		}
	}
	return nil
}

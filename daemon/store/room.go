package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Room is how many bytes may still be written to the disk that the folder is on. The error is [ErrReadOnly] if none may, whatever there is room for.
func (db *DB) Room() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(db.dir, &s); err != nil {
		return 0, fmt.Errorf("store: look for room: %w", err)
	}
	if s.Flags&unix.MS_RDONLY != 0 { // ST_RDONLY, which has the same bit
		return 0, fmt.Errorf("store: %s is on a file system that is read-only: %w", db.dir, ErrReadOnly)
	}
	return int64(s.Bavail) * s.Bsize, nil
}

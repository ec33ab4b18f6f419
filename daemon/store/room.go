package store

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Room is how many bytes may still be written to the disk that the folder is on.
func (db *DB) Room() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(db.dir, &s); err != nil {
		return 0, fmt.Errorf("store: look for room: %w", err)
	}
	return int64(s.Bavail) * s.Bsize, nil
}

package vault

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/store"
)

// KeyFileWarning is what status must say while the key comes from a file.
const KeyFileWarning = "vault key from a key file: for demonstration only. Whoever copies this disk can read every card; for real cards the key belongs in a TPM or HSM"

// OpenKeyFile reads the key-encryption key from a file of exactly 32 bytes that nobody but its owner may
// read, and whose owner is this process's user or root. Destroy the key at the end.
func OpenKeyFile(path string) (*KEK, error) {
	kek, err := newKEK(func(dst []byte) error { return readKeyFile(path, dst) })
	if err != nil {
		return nil, fmt.Errorf("vault: key file %s: %w", path, err)
	}
	return kek, nil
}

func readKeyFile(path string, dst []byte) error {
	// O_NONBLOCK: a FIFO in the file's place must not hang the start.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ELOOP):
		return errors.New("is a symbolic link: name the file itself")
	case errors.Is(err, unix.ENOENT):
		return errors.New("doesn't exist: make one with: flattone key new FILE")
	case err != nil:
		return fmt.Errorf("open: %w", err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("stat: %w", err)
	}
	if err := checkKeyFile(st, uint32(os.Geteuid())); err != nil {
		return err
	}
	if _, err := io.ReadFull(f, dst); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// checkKeyFile judges an open file's looks before a byte of it is read.
func checkKeyFile(st unix.Stat_t, me uint32) error {
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return errors.New("is no regular file")
	case st.Uid != me && st.Uid != 0:
		return fmt.Errorf("belongs to user %d, and this is user %d: chown it", st.Uid, me)
	case st.Mode&0o077 != 0:
		return fmt.Errorf("mode %04o lets others at it: chmod 600 it, and make a new key if anybody could have read it", st.Mode&0o7777)
	case st.Size != keySize:
		return fmt.Errorf("has %d bytes, a key has %d: make one with: flattone key new FILE", st.Size, keySize)
	}
	return nil
}

// CreateKeyFile writes a new random key to path, which must not exist, with mode 0600, and flushes it.
func CreateKeyFile(path string) (err error) {
	key, err := locked.Bytes(keySize)
	if err != nil {
		return fmt.Errorf("vault: make key file %s: %w", path, err)
	}
	defer locked.Free(key)
	if err := random(key[:keySize]); err != nil {
		return fmt.Errorf("vault: make key file %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("vault: make key file %s: it exists already, and cards may be sealed under it: choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("vault: make key file: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(path)
			err = fmt.Errorf("vault: make key file %s: %w", path, err)
		}
	}()
	defer f.Close()
	if _, err := f.Write(key[:keySize]); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return store.SyncFolder(filepath.Dir(path))
}

// Package owner makes a process the only one that has a device, among all that ask here first.
//
// It exists because the kernel lets a sound device or a serial port be opened twice in more ways than it forbids, and two lines on one device would
// each hear half of a call. It promises that a device is free again when its owner is gone, however that went.
package owner

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/flattone/flattone/hw"
	"golang.org/x/sys/unix"
)

// Take makes this process the owner of a device of a kind, until the file is closed. The error wraps [hw.ErrBusy] if another one is. The file, in the
// folder dir, stays when it is over, with the number of its last owner in it.
func Take(dir, kind, device string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%s: lock %s: %w: check the folder and who may write there", kind, device, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, kind+"-"+url.PathEscape(device)+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: lock %s: %w: check the folder and who may write there", kind, device, err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		err = errors.Join(file.Truncate(0), write(file, os.Getpid()))
	}
	switch {
	case err == nil:
		return file, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		holder := ""
		if pid, err := io.ReadAll(io.LimitReader(file, 20)); err == nil && len(pid) > 0 {
			holder = fmt.Sprintf(" by process %s", pid)
		}
		err = fmt.Errorf("%s: %s: %w%s: stop that one, or give this line a device of its own", kind, device, hw.ErrBusy, holder)
	default:
		err = fmt.Errorf("%s: lock %s: %w", kind, device, err)
	}
	return nil, errors.Join(err, file.Close())
}

func write(file *os.File, pid int) error {
	_, err := fmt.Fprint(file, pid)
	return err
}

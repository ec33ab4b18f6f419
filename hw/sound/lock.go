//go:build cgo

package sound

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

// lock makes this process the owner of a device. The file stays when it is over, with the number of its last owner in it.
func lock(dir, device string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("sound: lock %s: %w: check the folder and who may write there", device, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, "sound-"+url.PathEscape(device)+".lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sound: lock %s: %w: check the folder and who may write there", device, err)
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
		err = fmt.Errorf("sound: %s: %w%s: stop that one, or give this line a device of its own", device, hw.ErrBusy, holder)
	default:
		err = fmt.Errorf("sound: lock %s: %w", device, err)
	}
	return nil, errors.Join(err, file.Close())
}

func write(file *os.File, pid int) error {
	_, err := fmt.Fprint(file, pid)
	return err
}

package wavline

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/hw"
	"golang.org/x/sys/unix"
)

// files are the open files of a line: its recordings first, then its outputs.
type files struct{ open []*os.File }

func (f *files) close() error {
	var faults []error
	for _, file := range f.open {
		faults = append(faults, file.Close())
	}
	f.open = nil
	return errors.Join(faults...)
}

// closer closes once, and gives every caller the same answer.
func (f *files) closer() func() error { return sync.OnceValue(f.close) }

// recording opens what one side of a call says.
func (f *files) recording(path string, rate audio.Rate) (*wav.Reader, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO in its place must not hang the line
	if err != nil {
		return nil, fmt.Errorf("wavline: open a recording: %w: check the path and who may read it", err)
	}
	f.open = append(f.open, file)
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("wavline: open a recording: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("wavline: %s is not a file: name a WAV recording", path)
	}
	r, err := wav.NewReader(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("wavline: %s: %w", path, err)
	}
	if r.Rate() != rate {
		return nil, fmt.Errorf("wavline: %s: it has %v and the line runs at %v; try: sox IN.wav -r %d OUT.wav",
			path, r.Rate(), rate, int(rate))
	}
	return r, nil
}

// output opens a file that is appended to, without touching what it holds. It must be none of the others:
// appending to a recording would spoil it.
func (f *files) output(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("wavline: open an output: %w: check the folder and who may write there", err)
	}
	f.open = append(f.open, file)
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("wavline: open an output: %w", err)
	}
	for _, other := range f.open[:len(f.open)-1] {
		if o, err := other.Stat(); err == nil && os.SameFile(info, o) {
			return nil, fmt.Errorf("wavline: %s can't be an output: the line uses it for something else; name another file", path)
		}
	}
	return file, nil
}

// lock makes this process the owner of the line.
func lock(file *os.File, clock *clockFile) error {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("wavline: lock %s: %w", file.Name(), err)
	}
	holder := ""
	if c, err := clock.load(); err == nil && c.PID != 0 {
		holder = fmt.Sprintf(" by process %d", c.PID)
	}
	return fmt.Errorf("wavline: %s: %w%s: stop that one, or give this line outputs of its own", file.Name(), hw.ErrBusy, holder)
}

// record is an output, addressed by the line's own clock.
type record struct{ w *wav.Writer }

func openRecord(file *os.File, rate audio.Rate) (record, error) {
	info, err := file.Stat()
	if err != nil {
		return record{}, fmt.Errorf("wavline: open an output: %w", err)
	}
	w, err := wav.Append(file, info.Size(), rate)
	if err != nil {
		return record{}, fmt.Errorf("wavline: %s: %w; or move it away", file.Name(), err)
	}
	return record{w}, nil
}

// frames is how far the output goes; none at all if it isn't kept.
func (r record) frames() int64 {
	if r.w == nil {
		return 0
	}
	return r.w.Frames()
}

// reach appends silence up to line frame at, for what wasn't heard.
func (r record) reach(at int64) error {
	if r.w == nil || at <= r.w.Frames() {
		return nil
	}
	return r.w.Silence(at - r.w.Frames())
}

// put writes what was heard from line frame at on.
func (r record) put(at int64, heard []int16) error {
	if r.w == nil {
		return nil
	}
	if err := r.reach(at); err != nil {
		return err
	}
	return r.w.Write(heard)
}

package recording

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio/wav"
)

// room is how many frames the file takes yet; a file that is full is followed by another. Where there can be none, what comes is dropped.
func (r *Recorder) room() int {
	most := int64(r.cfg.Rate.Frames(r.cfg.Most))
	if r.out != nil && r.out.Frames() >= most {
		r.end()
	}
	switch bytes, err := r.free(r.cfg.Folder); {
	case r.out != nil && err == nil && bytes >= Spare:
		return int(most - r.out.Frames())
	case r.out == nil && time.Now().Before(r.retry):
		return int(most)
	case errors.Is(err, os.ErrNotExist) && r.out == nil, err == nil && bytes >= Spare:
		if err := r.begin(); err != nil {
			r.failed(err)
		}
	case err != nil:
		r.failed(err)
	default:
		r.drop(Full, fmt.Errorf("recording: %d MB are free at %s, and %d are left to others", bytes>>20, r.cfg.Folder, Spare>>20))
	}
	return int(most)
}

// begin begins a file. Its name says when, on which line, and nothing of who calls.
func (r *Recorder) begin() error {
	if err := os.MkdirAll(r.cfg.Folder, 0o700); err != nil {
		return fmt.Errorf("recording: make the folder: %w", err)
	}
	name := fmt.Sprintf("%s-%s-%s.wav", r.cfg.Line, time.Now().UTC().Format("20060102T150405Z"), strings.ToLower(rand.Text()[:12]))
	f, err := os.OpenFile(filepath.Join(r.cfg.Folder, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("recording: %w", err)
	}
	out, err := wav.Stereo(f, r.cfg.Rate)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.file, r.out = f, out
	r.log.Info("a recording begins", "file", f.Name())
	r.stands(OK)
	return nil
}

// end ends the file, if there is one.
func (r *Recorder) end() {
	if r.file == nil {
		return
	}
	f := r.file
	r.file, r.out = nil, nil
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		r.failed(fmt.Errorf("recording: end %s: %w", f.Name(), err))
	}
}

// gap stands in for frames that were missed, so that what follows keeps its time.
func (r *Recorder) gap(frames int64) {
	if r.out == nil {
		return
	}
	r.log.Warn("a recording misses a part: the disk doesn't keep up", "file", r.file.Name(), "frames", frames)
	if err := r.out.Silence(frames); err != nil {
		r.failed(err)
		return
	}
	r.stands(Behind)
}

func (r *Recorder) failed(err error) {
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) {
		r.drop(Full, err)
		return
	}
	r.drop(Failed, err)
}

// drop gives the file up, and drops what is heard until it is time to try another.
func (r *Recorder) drop(code Code, err error) {
	if r.file != nil {
		err = errors.Join(err, r.file.Close())
		r.file, r.out = nil, nil
	}
	r.retry = time.Now().Add(again)
	r.log.Error("nothing is recorded", "code", code, "error", err)
	r.stands(code)
}

func (r *Recorder) stands(code Code) {
	if code != r.code {
		r.code = code
		r.tell(code)
	}
}

// free is how much of the disk may still be written that a folder lies on.
func free(folder string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: folder, Err: err}
	}
	return s.Bavail * uint64(s.Bsize), nil
}

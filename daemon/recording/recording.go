// Package recording writes what the agent's side of a line gets and gives into WAV files, for whoever must record calls: left what the agent
// hears, after the mask, right what the agent says.
//
// It exists because a recorder that hears the line elsewhere hears the caller's keys. It promises that what it writes is what the agent's
// device was given, bit for bit, that a file which a process was killed over plays up to then, and that a disk that is slow, full or broken
// changes nothing for caller and agent. It must never be given a sample from before the mask: it has no way to any.
package recording

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/wav"
)

// Code says how recording goes.
type Code string

// How it goes. What is wrong stands until a file begins.
const (
	OK     Code = "ok"
	Behind Code = "recorder_behind" // frames are missing, as the disk stood still
	Full   Code = "recorder_full"   // less than [Spare] is free where the folder lies
	Failed Code = "recorder_failed" // files can't be written
)

// Spare is what is left free of the disk, in bytes, for those who share it.
const Spare = 512 << 20

// again: a file that couldn't be begun is tried again this much later, or with the next call.
const again = time.Minute

// drainEvery is how often what was heard is written, and so what a kill costs.
const drainEvery = 200 * time.Millisecond

// Config says what to record, and where.
type Config struct {
	// Line is the first part of each file's name.
	Line   string
	Rate   audio.Rate
	Folder string
	// Most is how long a file may be: what goes on for longer, goes on in another.
	Most time.Duration
}

// Recorder writes the files of one line.
//
//	          a call began, was joined, is presumed
//	waiting ───────────────────────────────────────▶ recording ──Most──▶ recording, another file
//	   ▲ ◀──────────────a call ended──────────────────── │ ▲
//	   │                                     can't write ▼ │ a minute, or the next call
//	   └──────────────a call ended─────────────────── failed, full
type Recorder struct {
	cfg  Config
	tap  *Tap
	tell func(Code)
	log  *slog.Logger
	free func(folder string) (bytes uint64, err error)

	mu    sync.Mutex
	marks []mark

	wants  bool // a call is on
	file   *os.File
	out    *wav.Writer
	missed int64
	code   Code
	retry  time.Time
}

// mark is where a call began or ended, in samples of the tap's ring.
type mark struct {
	at audio.Position
	on bool
}

// New makes a Recorder of what a tap hears. tell is told each change of how it goes, by Run's goroutine.
func New(cfg Config, tap *Tap, tell func(Code), log *slog.Logger) *Recorder {
	return &Recorder{cfg: cfg, tap: tap, tell: tell, log: log, free: free, code: OK}
}

// Call says that a call is on from here, another one if one was, or that none is. It is safe while Run runs.
func (r *Recorder) Call(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks = append(r.marks, mark{r.tap.ring.Written(), on})
}

// Run writes until ctx ends, and then what is left. The device must have stopped by then.
func (r *Recorder) Run(ctx context.Context) error {
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		r.drain()
	}
	r.end()
	return nil
}

// drain writes what the tap has heard, up to each mark for the call before it.
func (r *Recorder) drain() {
	missed, to := r.tap.missed.Load(), r.tap.ring.Judged()
	for {
		m, ok := r.next(to)
		if !ok {
			break
		}
		r.write(m.at)
		r.end()
		r.wants, r.retry = m.on, time.Time{}
	}
	r.write(to)
	if n := missed - r.missed; n > 0 {
		r.missed = missed
		r.gap(n)
	}
}

// next takes the oldest mark that lies before to, or there.
func (r *Recorder) next(to audio.Position) (m mark, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.marks) == 0 || r.marks[0].at > to {
		return mark{}, false
	}
	m, r.marks = r.marks[0], r.marks[1:]
	return m, true
}

// write takes from the ring what lies before to, and puts it into files if a call is on.
func (r *Recorder) write(to audio.Position) {
	for {
		left := int(to - r.tap.ring.Read())
		if left <= 0 {
			return
		}
		if r.wants {
			left = min(left, 2*r.room())
		}
		samples := r.tap.ring.Head(left)
		if r.out != nil {
			if err := r.out.Write(samples); err != nil {
				r.failed(err)
			}
		}
		r.tap.ring.Release(len(samples))
	}
}

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

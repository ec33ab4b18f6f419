// Package recording writes what the agent's side of a line gets and gives into WAV files, for whoever must record calls: left what the agent
// hears, after the mask, right what the agent says.
//
// It exists because a recorder that hears the line elsewhere hears the caller's keys. It promises that what it writes is what the agent's
// device was given, bit for bit, that a file which a process was killed over plays up to then, and that a disk that is slow, full or broken
// changes nothing for caller and agent. It must never be given a sample from before the mask: it has no way to any.
package recording

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

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

// Package wav reads and writes recordings of one leg: RIFF WAVE files of 16-bit linear PCM, mono, at a rate
// the sample path runs at; it also writes those of two legs, in stereo. It opens no file: readers and writers are handed in.
//
// A [Reader] forgives what does no harm (chunks it doesn't know, a wrong RIFF length, the extensible form of
// the same format) and refuses everything else with an [Error] that says what is wrong and which command
// cures it. It never guesses: a truncated recording is refused, not played short.
//
// A [Writer] keeps its header true after every write, so that a process killed at any moment leaves a
// recording that plays, and [Append] goes on where it stopped.
package wav

import (
	"errors"
	"fmt"

	"github.com/flattone/flattone/audio"
)

// Reasons why a recording is refused; an [Error] wraps one of them.
var (
	ErrNotWAV    = errors.New("not a WAV recording")
	ErrEmpty     = errors.New("the recording is empty")
	ErrTruncated = errors.New("the recording is truncated")
	ErrChannels  = errors.New("the recording is not mono")
	ErrEncoding  = errors.New("the recording is not 16-bit linear PCM")
	ErrRate      = errors.New("the recording has an unsupported rate")
)

// Error says why a recording is refused and how to make one that isn't.
type Error struct {
	// Reason is one of this package's sentinels.
	Reason error
	// Detail is what was found.
	Detail string
	// Remedy is a command, with IN.wav and OUT.wav for the names, or "" where none helps.
	Remedy string
}

func (e *Error) Error() string {
	if e.Remedy == "" {
		return fmt.Sprintf("%v: %s", e.Reason, e.Detail)
	}
	return fmt.Sprintf("%v: %s; try: %s", e.Reason, e.Detail, e.Remedy)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Reason }

// convert is the command that makes a recording readable, at its own rate where that is supported.
func convert(options string, rate audio.Rate) string {
	if !rate.Supported() {
		rate = audio.Rate8k
	}
	return fmt.Sprintf("sox %sIN.wav -r %d -c 1 -b 16 -e signed-integer OUT.wav", options, int(rate))
}

const (
	tagPCM        = 1
	tagExtensible = 0xfffe

	// headerBytes is the length of the header that Writer writes: RIFF, a 16-byte fmt and the data chunk's own.
	headerBytes = 44
	frameBytes  = 2
)

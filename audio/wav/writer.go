package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/flattone/flattone/audio"
)

// ErrFull: a recording can't grow beyond the 4 GiB that its header can tell: 74 hours of one channel at 8 kHz.
var ErrFull = errors.New("the recording has reached the 4 GiB of a WAV file")

// maxFrames is where a recording of one channel is full.
const maxFrames = (math.MaxUint32 - headerBytes) / frameBytes

// File is what a recording is appended to. An *os.File is one. Where nothing was ever written before the
// end, it must read as zeros, as files do.
type File interface {
	io.ReaderAt
	io.WriterAt
}

// Writer appends frames to a recording. After every call the file is whole: the samples go out first, then
// the header that declares them, in one write. It allocates nothing and is not safe for concurrent use.
type Writer struct {
	f        File
	rate     audio.Rate
	channels int
	frames   int64
	buf      [4096]byte
}

// Stereo begins a recording of two channels in f, which is empty. What is written to it alternates: left, right.
func Stereo(f File, rate audio.Rate) (*Writer, error) {
	if !rate.Supported() {
		return nil, fmt.Errorf("wav: begin a recording: %v is not supported", rate)
	}
	w := &Writer{f: f, rate: rate, channels: 2}
	return w, w.declare()
}

// Append opens the recording in f for appending; size is the file's length in bytes. An empty file gets a
// header. Any other must be a recording that a Writer made, at the same rate: it goes on after the last
// frame that is there, declared or not, since a process may have been killed between the two.
func Append(f File, size int64, rate audio.Rate) (*Writer, error) {
	if !rate.Supported() {
		return nil, fmt.Errorf("wav: append to a recording: %v is not supported", rate)
	}
	w := &Writer{f: f, rate: rate, channels: 1}
	if size > 0 {
		l, err := parse(f, size)
		switch {
		case err != nil:
			return nil, err
		case l.offset != headerBytes:
			return nil, &Error{Reason: ErrNotWAV, Detail: "it was not made by flattone, which won't append to it"}
		case l.rate != rate:
			return nil, &Error{Reason: ErrRate, Detail: fmt.Sprintf("it has %v, and %v is to be appended", l.rate, rate), Remedy: convert("", rate)}
		}
		w.frames = min((size-headerBytes)/frameBytes, maxFrames)
	}
	return w, w.declare()
}

// Frames is the recording's length so far.
func (w *Writer) Frames() int64 { return w.frames }

// frameBytes is a frame's length: of all channels.
func (w *Writer) frameBytes() int64 { return int64(w.channels) * frameBytes }

// full reports whether so many frames more don't fit.
func (w *Writer) full(frames int64) bool { return w.frames+frames > maxFrames/int64(w.channels) }

// Write appends samples, whole frames of them. The error wraps [ErrFull] when they don't fit any more; nothing is written then.
func (w *Writer) Write(samples []int16) error {
	if frames := int64(len(samples) / w.channels); w.full(frames) {
		return fmt.Errorf("wav: append %d frames: %w", frames, ErrFull)
	}
	for len(samples) > 0 {
		n := min(len(samples), len(w.buf)/frameBytes)
		for i, v := range samples[:n] {
			binary.LittleEndian.PutUint16(w.buf[i*frameBytes:], uint16(v))
		}
		if err := w.put(w.buf[:n*frameBytes], w.frames); err != nil {
			return err
		}
		w.frames += int64(n / w.channels)
		samples = samples[n:]
	}
	return w.declare()
}

// Silence appends frames of digital silence. A long one costs no time and, in a file system with holes, no
// space: only its ends are written.
func (w *Writer) Silence(frames int64) error {
	if w.full(frames) {
		return fmt.Errorf("wav: append %d frames of silence: %w", frames, ErrFull)
	}
	clear(w.buf[:])
	block := int64(len(w.buf)) / w.frameBytes()
	for _, at := range []int64{0, frames - block} {
		if n := min(frames, block); n > 0 {
			if err := w.put(w.buf[:n*w.frameBytes()], w.frames+max(0, at)); err != nil {
				return err
			}
		}
	}
	w.frames += max(0, frames)
	return w.declare()
}

func (w *Writer) put(b []byte, frame int64) error {
	if _, err := w.f.WriteAt(b, headerBytes+frame*w.frameBytes()); err != nil {
		return fmt.Errorf("wav: append at frame %d: %w", w.frames, err)
	}
	return nil
}

// declare writes the header for the frames there are.
func (w *Writer) declare() error {
	h := w.buf[:headerBytes]
	clear(h)
	bytes := uint32(w.frames * w.frameBytes())
	copy(h[0:], "RIFF")
	binary.LittleEndian.PutUint32(h[4:], bytes+headerBytes-8)
	copy(h[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(h[16:], 16)
	binary.LittleEndian.PutUint16(h[20:], tagPCM)
	binary.LittleEndian.PutUint16(h[22:], uint16(w.channels))
	binary.LittleEndian.PutUint32(h[24:], uint32(w.rate))
	binary.LittleEndian.PutUint32(h[28:], uint32(int64(w.rate)*w.frameBytes()))
	binary.LittleEndian.PutUint16(h[32:], uint16(w.frameBytes()))
	binary.LittleEndian.PutUint16(h[34:], 8*frameBytes)
	copy(h[36:], "data")
	binary.LittleEndian.PutUint32(h[40:], bytes)
	if _, err := w.f.WriteAt(h, 0); err != nil {
		return fmt.Errorf("wav: write the header: %w", err)
	}
	return nil
}

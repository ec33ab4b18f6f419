package wav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"

	"github.com/flattone/flattone/audio"
)

// Reader gives the frames of a recording, from anywhere in it. It is not safe for concurrent use.
type Reader struct {
	r      io.ReaderAt
	layout layout
	buf    [4096]byte
}

// NewReader reads the header of a recording of size bytes. The error is an [*Error] if the recording is not
// one that flattone plays, and what r said if it can't be read.
func NewReader(r io.ReaderAt, size int64) (*Reader, error) {
	l, err := parse(r, size)
	if err != nil {
		return nil, err
	}
	switch {
	case l.bytes == 0:
		return nil, &Error{Reason: ErrEmpty, Detail: "it has a header and no frames"}
	case l.bytes == math.MaxUint32:
		return nil, &Error{Reason: ErrTruncated, Detail: "its length was left open by whoever streamed it", Remedy: convert("--ignore-length ", l.rate)}
	case l.present < l.bytes:
		missing := (l.bytes - l.present + frameBytes - 1) / frameBytes
		return nil, &Error{Reason: ErrTruncated, Detail: fmt.Sprintf("%d of %d frames are missing", missing, l.bytes/frameBytes), Remedy: convert("--ignore-length ", l.rate)}
	case l.bytes%frameBytes != 0:
		return nil, &Error{Reason: ErrTruncated, Detail: "it ends within a frame", Remedy: convert("", l.rate)}
	}
	return &Reader{r: r, layout: l}, nil
}

// Rate is the recording's sample rate.
func (r *Reader) Rate() audio.Rate { return r.layout.rate }

// Frames is the recording's length.
func (r *Reader) Frames() int64 { return r.layout.bytes / frameBytes }

// ReadAt fills dst with the frames from frame at on, at >= 0, and says how many it got: fewer than asked,
// with io.EOF, at the end. It allocates nothing.
func (r *Reader) ReadAt(dst []int16, at int64) (int, error) {
	want := int(max(0, min(int64(len(dst)), r.Frames()-at)))
	for n := 0; n < want; {
		b := r.buf[:min(len(r.buf), (want-n)*frameBytes)]
		if err := readFull(r.r, b, r.layout.offset+(at+int64(n))*frameBytes); err != nil {
			if errors.Is(err, io.EOF) { // the frames were there when the header was read
				err = io.ErrUnexpectedEOF
			}
			return n, fmt.Errorf("wav: read frame %d: %w", at+int64(n), err)
		}
		for ; len(b) > 0; b = b[frameBytes:] {
			dst[n] = int16(binary.LittleEndian.Uint16(b))
			n++
		}
	}
	if want < len(dst) {
		return want, io.EOF
	}
	return want, nil
}

// All reads the recording whole.
func (r *Reader) All() ([]int16, error) {
	all := make([]int16, r.Frames())
	if _, err := r.ReadAt(all, 0); err != nil {
		return nil, err
	}
	return all, nil
}

// ReadAll reads the recording in an open file whole, and says its rate. The errors are those of [NewReader].
func ReadAll(f interface {
	io.ReaderAt
	Stat() (fs.FileInfo, error)
}) ([]int16, audio.Rate, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	r, err := NewReader(f, info.Size())
	if err != nil {
		return nil, 0, err
	}
	frames, err := r.All()
	return frames, r.Rate(), err
}

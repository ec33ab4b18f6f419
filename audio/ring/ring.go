// Package ring holds the samples of one leg between the thread that writes them and the thread that reads
// them: a sample is written once, judged in place, read once.
//
// The pages are mapped twice, end to end, so that any span of the ring is one contiguous slice, wherever it
// wraps; they are locked in memory, left out of core dumps and of forked children, and wiped by Close.
// Three positions only ever grow: read <= judged <= written. The reader can't pass judged, the writer can't
// pass read by more than the ring holds. That is the promise masking rests on: no sample is read that the
// code hasn't released.
//
// After New nothing here allocates, locks, blocks or panics. It must never be given a second writer.
package ring

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked"
)

// Ring is a double-mapped ring of frames. One goroutine or thread writes (Tail, Commit, View, Judge) and one
// reads (Head, Release); the positions may be asked by anyone.
type Ring struct {
	memory  []byte  // both mappings
	samples []int16 // the same, as samples: samples[i] and samples[i+frames] are one
	frames  int64

	// On cache lines of their own: each is stored by one thread and loaded by the other.
	_       [64]byte
	written atomic.Int64
	judged  atomic.Int64
	_       [64]byte
	read    atomic.Int64
}

const bytesPerFrame = int(unsafe.Sizeof(int16(0)))

// New maps a ring of at least frames frames, rounded up to whole pages.
func New(frames int) (*Ring, error) {
	if frames <= 0 {
		return nil, fmt.Errorf("ring: %d frames asked for: need at least one", frames)
	}
	memory, err := locked.Twice(frames * bytesPerFrame)
	if err != nil {
		return nil, fmt.Errorf("ring: %w", err)
	}
	samples := unsafe.Slice((*int16)(unsafe.Pointer(unsafe.SliceData(memory))), len(memory)/bytesPerFrame)
	return &Ring{memory: memory, samples: samples, frames: int64(len(samples) / 2)}, nil
}

// Close wipes and unmaps the ring. Both threads must have stopped; no view may be used after it.
func (r *Ring) Close() error {
	memory := r.memory
	r.memory, r.samples = nil, nil
	if err := locked.Free(memory); err != nil {
		return fmt.Errorf("ring: %w", err)
	}
	return nil
}

// Frames is what the ring holds.
func (r *Ring) Frames() int { return int(r.frames) }

// Written is one past the last frame committed.
func (r *Ring) Written() audio.Position { return audio.Position(r.written.Load()) }

// Judged is one past the last frame released to the reader.
func (r *Ring) Judged() audio.Position { return audio.Position(r.judged.Load()) }

// Read is one past the last frame the reader gave back.
func (r *Ring) Read() audio.Position { return audio.Position(r.read.Load()) }

// Tail is room for the next n frames, fewer where the reader hasn't given back enough. Writer only.
func (r *Ring) Tail(n int) []int16 {
	w := r.written.Load()
	return r.span(w, min(int64(n), r.frames-(w-r.read.Load())))
}

// Commit publishes the first n frames of what Tail returned as written; no more than there was room for.
// Writer only.
func (r *Ring) Commit(n int) {
	w := r.written.Load()
	r.written.Store(w + max(0, min(int64(n), r.frames-(w-r.read.Load()))))
}

// View is the span of up to n frames from a position on, cut to what has been written and not yet read;
// nil where from itself lies outside. Samples at or after judged may be changed in place. Writer only.
func (r *Ring) View(from audio.Position, n int) []int16 {
	at, w := int64(from), r.written.Load()
	if at < r.read.Load() || at >= w {
		return nil
	}
	return r.span(at, min(int64(n), w-at))
}

// Judge releases everything before upTo to the reader. It never goes back, nor past written. Writer only.
func (r *Ring) Judge(upTo audio.Position) {
	r.judged.Store(max(r.judged.Load(), min(int64(upTo), r.written.Load())))
}

// Head is up to n judged frames, the oldest first. Reader only.
func (r *Ring) Head(n int) []int16 {
	at := r.read.Load()
	return r.span(at, min(int64(n), r.judged.Load()-at))
}

// Release gives back the first n frames of what Head returned; no more than were judged. Reader only.
func (r *Ring) Release(n int) {
	at := r.read.Load()
	r.read.Store(at + max(0, min(int64(n), r.judged.Load()-at)))
}

func (r *Ring) span(at, n int64) []int16 {
	if n <= 0 {
		return nil
	}
	i := at % r.frames
	return r.samples[i : i+n : i+n]
}

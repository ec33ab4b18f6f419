// Package resample joins two devices whose clocks differ: it reads what the one wrote at the pace of the other, some hundred parts in a
// million faster or slower, so that what lies between them stays as deep as it should be.
//
//	writer's thread                                   reader's thread
//	ring <-- a period, Wrote(frames, when)    -->     Read(period, when): how deep is it? --> depth --> ratio --> filter
//
// How deep the ring is can't be told from the frames in it alone: the writer puts a whole period there at once, and where in that period the
// reader comes moves slowly from one end to the other. So the writer says when it wrote, and the reader reckons what it would have
// written by now.
//
// Either may take several turns at once, as a modem's frames come: what counts as a period is then all of them.
//
// It promises: no slip while both devices run, whatever their clocks within [MostPPM]; after a gap of either, the depth is what it
// should be within a fifth of a second; no allocation, lock, channel or clock after New. What never arrives is silence. Rates are the same on both
// sides, nominally. It must never be used where the two share a clock: there the samples pass as they are.
//
// [Up] and [Down] are for a device that runs at a multiple of the line's rate: by its own clock, before a Joint or behind it.
package resample

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/flattone/flattone/audio"
)

// Source is what was written.
type Source interface {
	// Position is how many frames may be read by now, since the beginning.
	Position() audio.Position
	// Read fills out with the next of them. It is never asked for more than there are.
	Read(out []int16)
}

// Joint is one direction between two devices. One thread calls Wrote, one Read; the figures may be asked for from anywhere.
type Joint struct {
	source  Source
	written moment
	depth   depth
	comes   burst // the reader

	// The reader's. History is what was read and may still be needed; at is where in it the next frame lies that is given out.
	history [historyFrames]float32
	have    int
	at      float64
	taken   int64 // frames read of the source
	// debt is, above nothing, how many frames silence stood in for, which are dropped when they come; below it, how many frames of
	// silence are due before the source is read on.
	debt int
	// short is how much there was when silence had to stand in last, if that was the last time; else -1.
	short int64
	room  [chunk]int16

	ppm, frames    atomic.Uint64 // float64 bits
	jumps, missing atomic.Int64
}

const (
	chunk         = 256                       // frames that are given out at a time
	historyFrames = chunk + chunk/64 + 2*taps // what a chunk takes at the fastest
)

// New makes a joint that reads from a source of a rate.
func New(rate audio.Rate, source Source) *Joint {
	j := &Joint{source: source, have: taps, at: taps/2 - 1, short: -1}
	j.depth.start(rate)
	j.comes.rate, j.written.comes.rate = rate, rate
	return j
}

// Wrote says that the writer's last period is in the source, and when that was, on the clock that Read is told of, too.
func (j *Joint) Wrote(when time.Duration) {
	j.written.set(int64(j.source.Position()), when)
}

// Read fills out with what belongs there at a moment.
func (j *Joint) Read(out []int16, when time.Duration) {
	written, period, ok := j.written.by(when, j.depth.writers())
	if !ok {
		clear(out)
		return
	}
	// How far the writer is ahead of what is given out next.
	deep := written - float64(j.taken) - float64(j.debt) + float64(j.have) - j.at
	if j.comes.turn(int64(len(out)), when) {
		if by := j.depth.follow(deep, float64(period), float64(j.comes.usual)); by != 0 {
			j.debt += by
			j.jumps.Add(1)
		}
		j.frames.Store(math.Float64bits(deep))
	}
	missing := j.missing.Load()
	for len(out) > 0 {
		n := min(len(out), chunk)
		j.give(out[:n])
		out = out[n:]
	}
	j.stoodIn(int(j.missing.Load() - missing))
	j.ppm.Store(math.Float64bits(j.depth.ppm()))
}

// stoodIn notes for how many frames silence stood in this time. If it did the time before too, and the writer has come meanwhile, then he isn't late, it is
// too shallow: what comes in their place is kept, or silence would stand in every time until the loop has made up for it.
func (j *Joint) stoodIn(frames int) {
	if frames == 0 {
		j.short = -1
		return
	}
	if now := int64(j.source.Position()); j.short < 0 || now == j.short {
		j.short = now
		return
	}
	j.debt -= frames
	j.short = -1
}

// give makes the next frames, at most a chunk.
func (j *Joint) give(out []int16) {
	step := j.depth.step
	j.fetch(int(j.at+float64(len(out)-1)*step) + taps/2 + 1)
	for i := range out {
		out[i] = between(j.history[:], j.at)
		j.at += step
	}
	gone := int(j.at) + 1 - taps/2
	j.have = copy(j.history[:], j.history[gone:j.have])
	j.at -= float64(gone)
}

// fetch takes frames of the source until the history has so many.
func (j *Joint) fetch(frames int) {
	ready := int(int64(j.source.Position()) - j.taken)
	for ready > 0 && j.debt > 0 {
		n := min(ready, j.debt, chunk)
		j.source.Read(j.room[:n])
		j.taken += int64(n)
		j.debt -= n
		ready -= n
	}
	for j.have < frames {
		n := min(frames-j.have, chunk)
		to := j.history[j.have:]
		switch {
		case j.debt < 0:
			n = min(n, -j.debt)
			clear(to[:n])
			j.debt += n
		case ready > 0:
			n = min(n, ready)
			j.source.Read(j.room[:n])
			put(to, j.room[:n])
			j.taken += int64(n)
			ready -= n
		default:
			clear(to[:n])
			j.debt += n
			j.missing.Add(int64(n))
		}
		j.have += n
	}
}

// PPM is by how many parts in a million the writer's clock is faster than the reader's, as far as that is known yet.
func (j *Joint) PPM() float64 { return math.Float64frombits(j.ppm.Load()) }

// Frames is how far the writer was ahead of what the reader was given, when it was given last.
func (j *Joint) Frames() float64 { return math.Float64frombits(j.frames.Load()) }

// Jumps is how often the depth was set anew: once when both devices run, and after each gap of either.
func (j *Joint) Jumps() int64 { return j.jumps.Load() }

// Missing is how many frames came too late, so that silence stood in for them.
func (j *Joint) Missing() int64 { return j.missing.Load() }

package resample_test

import (
	"math/rand/v2"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/resample"
)

// rig is two devices in virtual time, one that writes and one that reads.
type rig struct {
	rate           audio.Rate
	periodWritten  int
	periodRead     int
	burstWritten   int // so many of its periods at once, 0 for 1
	burstRead      int
	writerPPM      float64 // by how much the writer's clock is fast
	lateMS         float64 // either thread wakes up late by up to so much
	signal         func(frame int64) int16
	holds          int64 // as many frames as can wait to be read; the writer drops others. 0: any number
	said           int64
	taken          int64
	joint          *resample.Joint
	stopped        func(seconds float64) (writer, reader bool) // a device stands still
	writer, reader float64                                     // when its next period is over, in s
}

func (r *rig) Position() audio.Position { return audio.Position(r.said) }

func (r *rig) Read(out []int16) {
	for i := range out {
		out[i] = r.signal(r.taken)
		r.taken++
	}
	if r.taken > r.said {
		panic("more was read than there is")
	}
}

func newRig(rate audio.Rate, period int) *rig {
	r := &rig{rate: rate, periodWritten: period, periodRead: period, signal: func(int64) int16 { return 0 }}
	r.joint = resample.New(rate, r)
	return r
}

// room is how many frames of a period can be written.
func (r *rig) room() int64 {
	if r.holds == 0 {
		return int64(r.periodWritten)
	}
	return min(int64(r.periodWritten), r.holds-(r.said-r.taken))
}

// run lets both devices go on for some seconds, and calls each after each period of the reader's.
func (r *rig) run(seconds float64, each func(at float64, out []int16)) {
	random := rand.New(rand.NewPCG(1, 2))
	late := func() float64 { return r.lateMS / 1000 * random.Float64() }
	end := max(r.writer, r.reader) + seconds
	out := make([]int16, r.periodRead)
	moment := func(s float64) time.Duration { return time.Duration((s + late()) * 1e9) }
	for r.writer < end || r.reader < end {
		writerStands, readerStands := false, false
		if r.stopped != nil {
			writerStands, readerStands = r.stopped(min(r.writer, r.reader))
		}
		if r.writer <= r.reader {
			when := moment(r.writer)
			for range max(1, r.burstWritten) {
				if !writerStands {
					r.said += r.room()
					r.joint.Wrote(when)
				}
				r.writer += float64(r.periodWritten) / (float64(r.rate) * (1 + r.writerPPM*1e-6))
				when += atOnce
			}
			continue
		}
		when := moment(r.reader)
		for range max(1, r.burstRead) {
			if !readerStands {
				r.joint.Read(out, when)
				if each != nil {
					each(r.reader, out)
				}
			}
			r.reader += float64(r.periodRead) / float64(r.rate)
			when += atOnce
		}
	}
}

// atOnce is what lies between the periods of a burst.
const atOnce = 50 * time.Microsecond

package resample_test

import (
	"flag"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/resample"
	"github.com/flattone/flattone/audio/ring"
	"pgregory.net/rapid"
)

var driftHours = flag.Float64("drift-hours", 0.1, "for how long clocks drift at 48 kHz")

// Clocks differ by 300 ppm either way for an hour, and both threads come late by up to an eighth of a period: nothing slips, nothing is missing, and
// the depth stays within half a period of what it should be.
func TestDriftIsHeld(t *testing.T) {
	for _, c := range []struct {
		rate   audio.Rate
		period int
		hours  float64
	}{{audio.Rate8k, 32, 1}, {audio.Rate48k, 128, *driftHours}, {audio.Rate48k, 64, *driftHours / 2}} {
		for _, ppm := range []float64{300, -300} {
			t.Run(fmt.Sprintf("%v/%d/%+.0f ppm", c.rate, c.period, ppm), func(t *testing.T) {
				t.Parallel()
				r := newRig(c.rate, c.period)
				r.writerPPM = ppm
				r.lateMS = float64(c.period) / 8 / float64(c.rate) * 1000
				least, most := math.Inf(1), 0.0
				r.run(c.hours*3600, func(at float64, _ []int16) {
					if at > 1 {
						least, most = min(least, r.joint.Frames()), max(most, r.joint.Frames())
					}
				})
				t.Logf("%.0f to %.0f frames deep, %.1f ppm found", least, most, r.joint.PPM())
				if jumps, missing := r.joint.Jumps(), r.joint.Missing(); jumps != 1 || missing != 0 {
					t.Errorf("%d jumps, the first included, and %d frames missing", jumps, missing)
				}
				if got := r.joint.PPM(); math.Abs(got-ppm) > 30 { // as the threads come
					t.Errorf("the clocks differ by %.1f ppm, and %.1f were found", ppm, got)
				}
				if middle := (2+1./6)*float64(c.period) + 16; least < middle-0.5*float64(c.period) || most > middle+0.5*float64(c.period) {
					t.Errorf("%.0f to %.0f frames deep: it should be %.0f", least, most, middle)
				}
			})
		}
	}
}

// After either device stood still, for less or longer than what lies between them, or than there is room for, it is as deep again as it should be within a
// fifth of a second, and what is heard goes on without a further gap.
func TestDepthIsBackAfterAGap(t *testing.T) {
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate48k} {
		for _, gap := range []float64{0.02, 0.1, 2} {
			for _, who := range []string{"writer", "reader"} {
				t.Run(fmt.Sprintf("%v/%s/%v s", rate, who, gap), func(t *testing.T) {
					t.Parallel()
					period := int(rate) / 375
					r := newRig(rate, period)
					r.writerPPM, r.holds = 100, 4096
					r.signal = func(int64) int16 { return 1000 }
					r.stopped = func(at float64) (writer, reader bool) {
						stands := at >= 10 && at < 10+gap
						return stands && who == "writer", stands && who == "reader"
					}
					middle := (2+1./6)*float64(period) + 16
					silent := 0
					r.run(12+gap, func(at float64, out []int16) {
						if at < 10.2+gap {
							return
						}
						if got := r.joint.Frames(); math.Abs(got-middle) > float64(period) {
							t.Fatalf("%.3f s after the gap it is %.0f frames deep: it should be %.0f", at-10-gap, got, middle)
						}
						for _, v := range out {
							if v < 900 {
								silent++
							}
						}
					})
					if silent > 0 {
						t.Errorf("%d frames are silent, long after the gap", silent)
					}
				})
			}
		}
	}
}

// A clock that is off by 1000 ppm is held, and said; one that is off by more than can be held is held by jumps, no more than it takes.
func TestClocksThatAreFarOff(t *testing.T) {
	for _, c := range []struct{ ppm, found, jumps float64 }{{1000, 1000, 1}, {-1000, -1000, 1}, {3000, resample.MostPPM, 40}, {-3000, -resample.MostPPM, 40}} {
		r := newRig(audio.Rate48k, 128)
		r.writerPPM = c.ppm
		r.run(60, nil)
		if got := r.joint.PPM(); math.Abs(got-c.found) > 2 {
			t.Errorf("off by %v ppm: %.1f were found, not %v", c.ppm, got, c.found)
		}
		if got := r.joint.Jumps(); float64(got) > c.jumps {
			t.Errorf("off by %v ppm: %d jumps in a minute", c.ppm, got)
		}
	}
}

// Whatever the devices do, no more is read than was written (see rig.Read), nothing panics, and the depth comes back.
func TestAnySchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k}).Draw(t, "rate")
		r := newRig(rate, rapid.IntRange(8, 700).Draw(t, "written"))
		r.periodRead = rapid.IntRange(8, 700).Draw(t, "read")
		r.writerPPM = rapid.Float64Range(-500, 500).Draw(t, "ppm")
		r.lateMS = rapid.Float64Range(0, 40).Draw(t, "late")
		for range rapid.IntRange(1, 5).Draw(t, "gaps") {
			from := max(r.writer, r.reader) + rapid.Float64Range(0, 0.5).Draw(t, "from")
			until := from + rapid.Float64Range(0, 0.5).Draw(t, "for")
			writer, reader := rapid.Bool().Draw(t, "writer"), rapid.Bool().Draw(t, "reader")
			r.stopped = func(at float64) (bool, bool) {
				stands := at >= from && at < until
				return stands && writer, stands && reader
			}
			r.run(1.5, nil)
		}
		r.lateMS = 0
		r.run(2, nil)
		most := float64(max(r.periodWritten, r.periodRead))
		if got, middle := r.joint.Frames(), float64(r.periodWritten+r.periodRead)+16+most/6; math.Abs(got-middle) > most+1 {
			t.Fatalf("it is %.0f frames deep: it should be %.0f", got, middle)
		}
	})
}

// The two threads meet in a real ring.
func TestTwoThreads(t *testing.T) {
	q := &queue{}
	var err error
	if q.ring, err = ring.New(1 << 14); err != nil {
		t.Fatal(err)
	}
	defer q.ring.Close()
	const periods, period = 20_000, 32
	joint := resample.New(audio.Rate8k, q)
	began := time.Now()
	var threads sync.WaitGroup
	threads.Go(func() {
		for range periods {
			n := len(q.ring.Tail(period))
			q.ring.Commit(n)
			q.ring.Judge(q.ring.Written())
			joint.Wrote(time.Since(began))
		}
	})
	threads.Go(func() {
		out := make([]int16, period)
		for range periods {
			joint.Read(out, time.Since(began))
		}
	})
	threads.Wait()
	if q.short {
		t.Error("more was asked for than there was")
	}
}

// queue is a source that is a ring.
type queue struct {
	ring  *ring.Ring
	short bool // more was asked for than there was
}

func (q *queue) Position() audio.Position { return q.ring.Judged() }

func (q *queue) Read(out []int16) {
	n := copy(out, q.ring.Head(len(out)))
	q.ring.Release(n)
	q.short = q.short || n < len(out)
}

func TestNothingIsAllocated(t *testing.T) {
	r := newRig(audio.Rate48k, 128)
	r.run(1, nil)
	out := make([]int16, 128)
	at := time.Second
	if n := testing.AllocsPerRun(1000, func() {
		at += 2667 * time.Microsecond
		r.said += 128
		r.joint.Wrote(at)
		r.joint.Read(out, at)
	}); n != 0 {
		t.Errorf("%v allocations a period", n)
	}
}

func BenchmarkRead(b *testing.B) {
	r := newRig(audio.Rate48k, 128)
	out := make([]int16, 128)
	at := time.Duration(0)
	for b.Loop() {
		at += 2667 * time.Microsecond
		r.said += 128
		r.joint.Wrote(at)
		r.joint.Read(out, at)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/sample")
}

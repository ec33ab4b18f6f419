package e2e

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/adversary"
	"github.com/flattone/flattone/audio/detect/detecttest"
)

// attackSound judges what the agent of a line heard as the offline path is judged.
func attackSound(t *testing.T, l soundLine, caller, heard []int16) {
	t.Helper()
	want := readTruth(t, l.call)
	late := l.rate.Frames(30*time.Millisecond) + 2*l.period
	c := adversary.Case{Rate: l.rate, In: caller, Out: heard, DelayFrames: late, FlatTone: adversary.OurFlatTone()}
	if !l.oneClock() { // the output is the input nowhere, and the attacker, who knows his clock, goes by the keys' times alone
		c.In, c.Out, c.DelayFrames = nil, stretched(heard, 1+float64(l.ppm)*1e-6), adversary.FindDelay
	}
	for _, k := range want.Keys {
		at := func(frame int) audio.Position {
			return audio.Position(l.rate.Frames(leadIn + audio.Rate8k.Duration(int64(frame))))
		}
		d, _ := audio.NewDigit(k.Digit[0])
		c.Keys = append(c.Keys, adversary.Key{Symbol: d, Start: at(k.Start), End: at(k.End)})
	}
	report, err := adversary.Judge(c)
	if err == nil && report.DelayFrames > 2*late { // which can't be: he doesn't believe it
		c.DelayFrames = late
		report, err = adversary.Judge(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.DelayFrames = report.DelayFrames
	learnt, err := adversary.Learn(c)
	if err != nil {
		t.Fatal(err)
	}
	report.Attackers = append(report.Attackers, learnt...)
	named := 0
	for i, k := range report.Rows {
		if !k.Readable {
			continue
		}
		t.Logf("key %d at %d: %.1f nats by %.1f ms, right: %v", i, k.Start, k.LogRatio, k.WindowMS, k.Correct)
		if k.Correct {
			named++
		}
	}
	t.Logf("of %d keys %d seem readable, %d of them rightly, and %d guesses are right; %d ms leaked; %d frames later",
		report.Keys, report.Readable, named, report.Correct, report.LeakedMS, report.DelayFrames)
	leaks := report.Leaks() || report.LeakedMS > 0
	if !l.oneClock() {
		// A gap of a busy machine cuts a flat tone in two where clocks differ, and the threshold isn't for the pieces: what seems readable must name keys more
		// often than chance does in 200 runs.
		leaks = adversary.AtLeast(named, report.Readable, report.Chance) < 0.005 || report.Guessed() || slices.ContainsFunc(report.Attackers, adversary.Attacker.Leaks)
	}
	if report.Keys != len(want.Keys) || leaks {
		t.Error("keys can be read in what the agent heard")
	}
	if n := detecttest.Suspicious(t, c.Out, l.rate); n > 0 {
		t.Errorf("%d ms of what the agent heard may be a key", n)
	}
}

// passed: speech comes through an armed line, on one clock bit for bit but for what is suspect.
func passed(t *testing.T, l soundLine, caller, heard []int16) {
	t.Helper()
	late, same := l.rate.Frames(30*time.Millisecond)+2*l.period, 0
	if !l.oneClock() {
		return // the output is the input nowhere
	}
	for i, v := range caller[:min(len(caller), len(heard)-late)] {
		if heard[i+late] == v {
			same++
		}
	}
	if share := float64(same) / float64(len(caller)); share < 0.97 {
		t.Errorf("only %.3f of the speech comes through", share)
	}
}

// stretched is sound at another rate, so many frames of it for each frame given out: a sum of the 32 around.
func stretched(x []int16, step float64) []int16 {
	out := make([]int16, int(float64(len(x))/step))
	const half = 16
	for i := range out {
		at := float64(i) * step
		first := int(at)
		var v float64
		for k := max(0, first-half+1); k <= min(len(x)-1, first+half); k++ {
			d := at - float64(k)
			v += float64(x[k]) * sinc(d) * (0.5 + 0.5*math.Cos(math.Pi*d/(half+1)))
		}
		out[i] = int16(math.RoundToEven(min(max(v, math.MinInt16), math.MaxInt16)))
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

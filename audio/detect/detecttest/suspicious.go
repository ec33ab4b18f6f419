// Package detecttest gives tests the detector's own view of a finished sound: how much of it could be a key.
//
// It is for what an agent heard, where no clock tells when keys were pressed. It must never stand alone for a mask's proof: what reads masked keys is
// the attacker of audio/adversary.
package detecttest

import (
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
)

// Suspicious is how many milliseconds of x our own detector would take for a key's.
func Suspicious(t testing.TB, x []int16, rate audio.Rate) (ms int) {
	t.Helper()
	verdicts(t, x, rate, func(v *detect.Verdict) {
		if v.Strict || v.Held {
			ms++
		}
	})
	return ms
}

// Keys are those that our own detector, as a receiver, finds in x: where each began.
func Keys(t testing.TB, x []int16, rate audio.Rate) (keys []detect.Event) {
	t.Helper()
	verdicts(t, x, rate, func(v *detect.Verdict) {
		if v.Event.Kind == detect.Began {
			keys = append(keys, v.Event)
		}
	})
	return keys
}

// verdicts tells what the detector says of each whole tick of x.
func verdicts(t testing.TB, x []int16, rate audio.Rate, told func(*detect.Verdict)) {
	t.Helper()
	d, err := detect.New(rate)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var v detect.Verdict
	for tick := rate.TickFrames(); len(x) >= tick; x = x[tick:] {
		d.Tick(x[:tick], &v)
		told(&v)
	}
}

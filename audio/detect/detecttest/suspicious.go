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
	d, err := detect.New(rate)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var v detect.Verdict
	for tick := rate.TickFrames(); len(x) >= tick; x = x[tick:] {
		if d.Tick(x[:tick], &v); v.Strict || v.Held {
			ms++
		}
	}
	return ms
}

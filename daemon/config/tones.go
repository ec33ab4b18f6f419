package config

import "fmt"

// toneDistanceHz is how far the flat tone must stay from every tone that a machine on the line acts on.
// It is above the widest of those machines' tolerances: DTMF receivers let go at 3.5 % (ITU-T Q.24), which
// is 57 Hz at the highest tone; fax calling tone is sent within 38 Hz (ITU-T T.30), SIT within 50 Hz
// (ITU-T E.180).
const toneDistanceHz = 60

// tooNear reports whether a flat tone of hz could be taken for part of a signal, and for which.
func tooNear(hz int) (bool, string) {
	for _, s := range []struct {
		what  string
		tones []int
	}{
		{"a DTMF tone (ITU-T Q.23), and would sound like half a key", []int{697, 770, 852, 941, 1209, 1336, 1477, 1633}},
		{"a dial or busy tone (ITU-T E.180), on which ports hang up", []int{350, 425, 440, 480, 620}},
		{"a fax tone (ITU-T T.30), on which gateways switch over", []int{1100, 2100}},
		{"a special information tone (ITU-T E.180), on which diallers give up", []int{950, 1400, 1800}},
	} {
		for _, tone := range s.tones {
			if hz > tone-toneDistanceHz && hz < tone+toneDistanceHz {
				return true, s.what
			}
		}
	}
	return false, ""
}

// Bounds of a tone that a technician has a leg play, and for how many seconds.
const (
	leastTestHz, mostTestHz     = 300, 3400
	leastTestDBm0, mostTestDBm0 = -45, 0
	MostTestSeconds             = 60
)

// ToneFlaw is what speaks against such a tone, and what to do about it; empty where nothing does. It keeps as far from all signals as the flat tone.
func ToneFlaw(hz int, dBm0 float64) (flaw, remedy string) {
	near, what := tooNear(hz)
	switch {
	case hz < leastTestHz || hz > mostTestHz:
		return fmt.Sprintf("%d Hz is no tone of a telephone line", hz), fmt.Sprintf("use %d to %d Hz", leastTestHz, mostTestHz)
	case near:
		return fmt.Sprintf("%d Hz is within %d Hz of %s", hz, toneDistanceHz, what), "use 1020 Hz, or another that is further from all signalling tones"
	case !(dBm0 >= leastTestDBm0 && dBm0 <= mostTestDBm0): // no NaN either
		return fmt.Sprintf("%g dBm0 is no level for a test", dBm0), fmt.Sprintf("use %d to %d dBm0", leastTestDBm0, mostTestDBm0)
	}
	return "", ""
}

// Package adversary is the attacker: it takes what an agent heard and tries to read the caller's keys out
// of it. A mask is worth what the attacker fails to read, so every claim of this project about leaks is a
// verdict of this package, on recordings that anyone can make and judge again.
//
// What the attacker knows: when each key was pressed and released, how the mask's flat tone sounds, the
// recording's delay (or finds it where the caller speaks), and the standard that the keys' tones follow
// (ITU-T Q.23). How loud and of which colour the fill is it learns from the recording. What it tries: every
// window of 1, 1.5, 2, 3, 5, 8, 13 and 20 ms from 2 ms before a key to 250 ms past its end or to the next key, and
// the key as a whole, is fitted by least squares with every pair of tones, within the frequency error a sender is allowed,
// after flat tones have been taken out. The likeliest pair in the likeliest window is its guess; by how much
// that beats the next reading, in another row or another column, says whether it is one. A row or a column
// alone counts as read: it is half a key.
//
// Two more attackers learn ([Learn]): one from the sound in and around the keys, energies, phases and colour, against
// the fill; one that hears nothing and only knows where masking begins and ends and where flat tones sound. Each
// key is guessed by linear discriminants taught with other keys and their truth, of one recording or of
// thousands masked alike. They find what no template looks for: a tone 40 dB below the fill, half a dB in its colour, an edge
// one millisecond later. What they learnt is told in bits a key, beside what they make of shuffled truths, so that 0
// means 0 and [Attacker.Resolution] says down to where.
//
// A recording can be judged without its input. Then the delay is found by what the recording does in the rhythm of the
// keys, keys are looked for a little farther around, and leaked milliseconds aren't known. Masks of other makes are
// judged, too: their steady tone is found, whatever its frequency but a key's own, and readings of a mask that is made
// of keys' tones are told from keys ([Report.Decoys]).
//
// What a verdict means: a key is readable when the likelihood ratio of its reading is one that a complete
// mask shows for at most one key in ten thousand ([Threshold]); accuracy against chance says whether all
// the guesses together, readable or not, beat blind guessing; an attacker's bits, whether its guesses follow the
// truth. Any of them is a mask that leaks ([Report.Leaks]). The threshold holds for masked sound: speech that is heard
// while a key is pressed, or right after it, may be taken for a key. What a verdict does not prove: that no cleverer
// listener could do better, for instance one that knows the fill's own random numbers, learns from the rhythm of the keys
// or from what the caller says; nor anything about keys that were not in the recording.
//
// It promises the same verdict for the same recording, and never prints, logs or returns a digit. It uses
// the caller's input for the delay, for counting leaked milliseconds and for finding where the output isn't the input,
// never for reading.
package adversary

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
)

// FindDelay as a Case's DelayFrames asks the attacker to find the delay by itself.
const FindDelay = -1

// Key is one key as it was truly pressed, in frames of the caller's input.
type Key struct {
	Symbol     audio.Digit
	Start, End audio.Position
}

// Case is one recording to attack.
type Case struct {
	Rate audio.Rate
	// In is what the caller sent, Out what the agent heard, frame for frame later by DelayFrames. Without In the
	// attacker is blind: he has Out alone, and when keys were pressed.
	In, Out     []int16
	DelayFrames int // or FindDelay
	Keys        []Key
	// FlatTone is how the mask's tone sounds, as far as that is known. A steady tone of another kind is found.
	FlatTone FlatTone
}

// Judge attacks every key of a recording by templates. The alphabet follows what was keyed: the ten digits, or all
// sixteen symbols if any key was none of the ten.
func Judge(c Case) (Report, error) {
	h, err := hear(c)
	if err != nil {
		return Report{}, err
	}
	a := h.attack
	r := Report{Keys: len(c.Keys), Chance: 1 / float64(len(a.symbols)), Blind: h.clean == nil,
		DelayFrames: h.delay, HeadMS: h.headMS, MaskToneHz: h.maskHz}
	guesses := make([]guess, len(c.Keys))
	for i, k := range c.Keys {
		guesses[i] = a.read(i)
		row := Row{Start: k.Start, Frames: int(k.End - k.Start), LogRatio: guesses[i].logRatio, WindowMS: 1000 * float64(guesses[i].window) / a.rate}
		row.Readable, row.Correct = row.LogRatio > Threshold, guesses[i].symbol == h.truth[i]
		if !r.Blind {
			start, end := a.keys[i][0], a.keys[i][1]
			row.LeakedMS = leakedMS(h.clean[start:end], a.y[start:end], a.rate)
		}
		r.LeakedMS += row.LeakedMS
		r.Rows = append(r.Rows, row)
	}
	if r.Decoys = decoys(guesses, h.truth); r.Decoys > 0 {
		for i := range r.Rows {
			r.Rows[i].Readable = false
		}
	}
	for _, row := range r.Rows {
		if row.Readable {
			r.Readable++
		}
		if row.Correct {
			r.Correct++
		}
	}
	if r.Keys > 0 {
		r.Accuracy = float64(r.Correct) / float64(r.Keys)
	}
	r.Interval = wilson(r.Correct, r.Keys)
	r.ByChance = AtLeast(r.Correct, r.Keys, r.Chance)
	said, margins := make([]int, len(guesses)), make([]float64, len(guesses))
	for i, g := range guesses {
		said[i], margins[i] = slices.Index(a.symbols, g.symbol), g.logRatio
	}
	r.Attackers = []Attacker{attackerOf(Templates, h.classes(), len(a.symbols), func([]int) ([]int, []float64) { return said, margins })}
	return r, nil
}

// Learn sets the two attackers that learn on the keys of one recording, or of many that were masked alike: each key
// is guessed by what was learnt from other keys and their truth. Few keys teach little: see [Attacker.Resolution].
func Learn(cases ...Case) ([]Attacker, error) {
	var sound, edges [][]float64
	var truth []int
	for _, c := range cases {
		h, err := hear(c)
		if err != nil {
			return nil, err
		}
		for k := range c.Keys {
			sound = append(sound, h.attack.features(k))
		}
		edges = append(edges, h.edges()...)
		truth = append(truth, h.truth...)
	}
	all := alphabet(truth)
	for i, s := range truth {
		truth[i] = slices.Index(all, s)
	}
	return []Attacker{learnt(Trained, sound, truth, all), learnt(Edges, edges, truth, all)}, nil
}

// learnt is an attacker that learns from features.
func learnt(name string, features [][]float64, truth, symbols []int) Attacker {
	return attackerOf(name, truth, len(symbols), newLesson(features, symbols).learn)
}

var errNotAKey = errors.New("is no DTMF symbol: a truth names one of 0-9 * # A-D for each")

// symbolsOf finds each key's place in tone.Keys. Digits are compared, never revealed.
func symbolsOf(keys []Key) ([]int, error) {
	places := map[audio.Digit]int{}
	for i := range len(tone.Keys) {
		d, _ := audio.NewDigit(tone.Keys[i])
		places[d] = i
	}
	truth := make([]int, len(keys))
	for i, k := range keys {
		s, ok := places[k.Symbol]
		if !ok {
			return nil, fmt.Errorf("judge: key %d %w", i+1, errNotAKey)
		}
		truth[i] = s
	}
	return truth, nil
}

// alphabet is what the attacker chooses from.
func alphabet(truth []int) []int {
	var ten, all []int
	for s := range len(tone.Keys) {
		all = append(all, s)
		if tone.Keys[s] >= '0' && tone.Keys[s] <= '9' {
			ten = append(ten, s)
		}
	}
	for _, s := range truth {
		if tone.Keys[s] < '0' || tone.Keys[s] > '9' {
			return all
		}
	}
	return ten
}

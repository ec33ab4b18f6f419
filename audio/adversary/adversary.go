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
// What a verdict means: a key is readable when the likelihood ratio of its reading is one that a complete
// mask shows for at most one key in ten thousand ([Threshold]); accuracy against chance says whether all
// the guesses together, readable or not, beat blind guessing. Either is a mask that leaks ([Report.Leaks]). The
// threshold holds for masked sound: speech that is heard while a key is pressed, or right after it, may be taken
// for a key. What a
// verdict does not prove: that no cleverer listener could do better, for instance one that learns from the
// rhythm of the keys, from where the mask begins and ends, or from what the caller says; nor anything about
// keys that were not in the recording.
//
// It promises the same verdict for the same recording, and never prints, logs or returns a digit. It uses
// the caller's input for the delay and for counting leaked milliseconds, never for reading.
package adversary

import (
	"errors"
	"fmt"

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
	// In is what the caller sent, Out what the agent heard, frame for frame later by DelayFrames.
	In, Out     []int16
	DelayFrames int // or FindDelay
	Keys        []Key
	FlatTone    FlatTone
}

// Judge attacks every key of a recording. The alphabet follows what was keyed: the ten digits, or all
// sixteen symbols if any key was none of the ten.
func Judge(c Case) (Report, error) {
	if !c.Rate.Supported() {
		return Report{}, fmt.Errorf("judge: %v is not a rate of the sample path: resample both recordings to 8 kHz", c.Rate)
	}
	truth, err := symbolsOf(c.Keys)
	if err != nil {
		return Report{}, err
	}
	q := decimation(c.Rate)
	delay := c.DelayFrames
	if delay == FindDelay {
		if delay, err = findDelay(c.In, c.Out, c.Keys, int(c.Rate), q); err != nil {
			return Report{}, fmt.Errorf("judge: find the delay: %w: give it", err)
		}
	}
	if delay < 0 {
		return Report{}, fmt.Errorf("judge: a delay of %d frames: output can't come before input", delay)
	}
	for i, k := range c.Keys {
		if k.Start < 0 || k.End <= k.Start {
			return Report{}, fmt.Errorf("judge: key %d lasts from %d to %d: a key begins at 0 or later and ends after that", i+1, k.Start, k.End)
		}
		if int(k.End) > len(c.In) || delay > len(c.Out)-int(k.End) {
			return Report{}, fmt.Errorf("judge: key %d ends at frame %d, delayed by %d: the input has %d frames, the output %d: give the recordings whole",
				i+1, k.End, delay, len(c.In), len(c.Out))
		}
	}

	rate := float64(c.Rate) / float64(q)
	clean, heard := lower(c.In, q), lower(c.Out[min(delay, len(c.Out)):], q)
	dirt := c.FlatTone.cancel(heard, rate)
	spans := make([][2]int, len(c.Keys))
	for i, k := range c.Keys {
		spans[i] = [2]int{int(k.Start) / q, int(k.End) / q}
	}
	a := newAttack(heard, dirt, rate, alphabet(truth), spans)
	r := Report{Keys: len(c.Keys), Chance: 1 / float64(len(a.symbols)), DelayFrames: delay}
	for i, k := range c.Keys {
		start, end := spans[i][0], spans[i][1]
		guess := a.read(i)
		row := Row{Start: k.Start, Frames: int(k.End - k.Start), LogRatio: guess.logRatio, WindowMS: 1000 * float64(guess.window) / rate}
		row.Readable, row.Correct = guess.logRatio > Threshold, guess.symbol == truth[i]
		row.LeakedMS = leakedMS(clean[start:end], heard[start:end], rate)
		if row.Readable {
			r.Readable++
		}
		if row.Correct {
			r.Correct++
		}
		r.LeakedMS += row.LeakedMS
		r.Rows = append(r.Rows, row)
	}
	if r.Keys > 0 {
		r.Accuracy = float64(r.Correct) / float64(r.Keys)
	}
	r.Interval = wilson(r.Correct, r.Keys)
	r.ByChance = AtLeast(r.Correct, r.Keys, r.Chance)
	return r, nil
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

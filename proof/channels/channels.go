// Package channels sends the corpus through what lies between a caller and the line: speech codecs, two of them in a row, lost
// frames, a noise suppressor. A tone that has been through one of them begins late, blurred, or in pieces.
//
// The codecs are Debian's libraries, in a C program that `make codecs` builds (proof/codecs). [Channel.Through] turns a recipe into
// one for the far end: the decoded samples, with the truth shifted by the channel's own delay. A key counts as sounding where
// it was sent and the decoded samples are above [corpus.Faintest]: what a codec makes of its first milliseconds may tell less than
// a clean tone would, and counts all the same.
package channels

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"

	"github.com/flattone/flattone/proof/corpus"
)

// Program is where `make codecs` puts the codecs.
const Program = "build/codecs"

// Channel is one or more stages of the program, separated by +.
type Channel string

// All are the channels that are measured.
var All = []Channel{
	"gsm",
	"amr4.75", "amr5.15", "amr5.9", "amr6.7", "amr7.4", "amr7.95", "amr10.2", "amr12.2",
	"amr4.75-dtx", "amr5.15-dtx", "amr5.9-dtx", "amr6.7-dtx", "amr7.4-dtx", "amr7.95-dtx", "amr10.2-dtx", "amr12.2-dtx",
	"amr5.9-loss3", "amr12.2-loss3",
	"amrwb6.6", "amrwb8.85", "amrwb12.65", "amrwb15.85", "amrwb23.85",
	"g726-16", "g726-24", "g726-32", "g726-40",
	"opus6", "opus8", "opus12", "opus24",
	"amr12.2+gsm", "amr5.9+amr5.9", "amr7.95+alaw", "gsm+gsm",
	"denoise", "denoise+amr12.2", "denoise+amr5.9",
}

// Mobile are the channels that the cost to speech is measured on: what most mobile calls come through, and the worst of it.
var Mobile = []Channel{"gsm", "amr4.75", "amr12.2", "amr12.2-dtx", "amrwb12.65"}

// Coder runs the program.
type Coder struct {
	program string
	delays  map[Channel]int
}

// Open finds out each channel's delay.
func Open(program string, all []Channel) (*Coder, error) {
	c := &Coder{program, map[Channel]int{}}
	probe := corpus.Probe()
	for _, ch := range all {
		out, err := c.code(ch, probe)
		if err != nil {
			return nil, err
		}
		c.delays[ch] = lag(probe, out)
	}
	return c, nil
}

// code is what comes out of a channel for pcm.
func (c *Coder) code(ch Channel, pcm []int16) ([]int16, error) {
	in, err := binary.Append(nil, binary.NativeEndian, pcm)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.program, strings.Split(string(ch), "+")...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	raw, err := cmd.Output()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("channels: no codecs at %s: run `make codecs`", c.program)
	}
	if err != nil {
		return nil, fmt.Errorf("channels: code through %s: %w: %s", ch, err, strings.TrimSpace(stderr.String()))
	}
	out := make([]int16, len(pcm))
	if _, err := binary.Decode(raw, binary.NativeEndian, out); err != nil || len(raw) != len(in) {
		return nil, fmt.Errorf("channels: %s gave %d bytes for %d: run `make codecs`", ch, len(raw), len(in))
	}
	return out, nil
}

// Sound is pcm as it comes out of a channel, without the channel's delay.
func (c *Coder) Sound(ch Channel, pcm []int16) ([]int16, error) {
	d := c.delays[ch]
	out, err := c.code(ch, append(slices.Clone(pcm), make([]int16, d)...))
	if err != nil {
		return nil, err
	}
	return out[d:], nil
}

// Through makes the unit of r as it comes out of a channel. Its category is the channel's name after r's own.
func (c *Coder) Through(ch Channel, r corpus.Recipe) corpus.Recipe {
	return corpus.Recipe{Category: r.Category + " " + string(ch), Make: func() (*corpus.Unit, error) {
		u, err := r.Make()
		if err != nil {
			return nil, err
		}
		d := c.delays[ch]
		out, err := c.code(ch, append(u.PCM, make([]int16, d)...))
		if err != nil {
			return nil, err
		}
		return u.Arrived(string(ch), out, d), nil
	}}
}

// longest delay that is looked for, in frames: three coders of the longest kind.
const longest = 1200

// lag is by how many frames y comes later than x: where they are most alike.
func lag(x, y []int16) (best int) {
	most := 0.0
	for d := range longest {
		sum := 0.0
		for i, v := range y[d:] {
			sum += float64(v) * float64(x[i])
		}
		if sum > most {
			best, most = d, sum
		}
	}
	return best
}

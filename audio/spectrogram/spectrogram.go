// Package spectrogram draws one call as one picture: what the caller said above what the agent heard, on one
// time axis, with the stretches marked where the agent was given something else. It is what a person looks at
// to believe that keys don't come through, beside the attacker's figures (audio/adversary).
//
// It is a pure function of samples and knows nothing about keys: the faint lines that mark the DTMF
// frequencies are drawn across every picture. The caller's half shows what was keyed to anybody who can read
// a spectrogram, so only calls with test cards may be drawn.
package spectrogram

import (
	"fmt"
	"image"

	"github.com/flattone/flattone/audio"
)

// Call is what is drawn.
type Call struct {
	// Title heads the picture, and Note stands beneath it. Both are ASCII.
	Title, Note string
	// Rate is that of both legs.
	Rate audio.Rate
	// Caller is what the caller said. The picture is as long as this.
	Caller []int16
	// Agent is what the agent heard. It may be shorter: the rest is left empty.
	Agent []int16
	// FlatHz is the frequency of the tones the agent heard in place of keys, for a label; 0 for none.
	FlatHz float64
	// Delay is by how many frames the agent's leg lags: Agent[i+Delay] came of Caller[i].
	Delay int
}

// Draw draws the call. Its size follows from the length: 60 pixels a second, within what a screen shows.
func Draw(c Call) (image.Image, error) {
	switch {
	case !c.Rate.Supported():
		return nil, fmt.Errorf("spectrogram: draw a call at %v: that rate is not supported", c.Rate)
	case len(c.Caller) == 0:
		return nil, fmt.Errorf("spectrogram: draw a call: the caller's leg has no frames")
	case c.Delay < 0:
		return nil, fmt.Errorf("spectrogram: draw a call: a delay of %d frames", c.Delay)
	}
	agent := c.Agent[min(c.Delay, len(c.Agent)):]
	agent = agent[:min(len(agent), len(c.Caller))]
	masked := compare(c.Rate, c.Caller, agent)
	p := newPage(c)
	p.drawLeg(p.caller, c.Rate, c.Caller)
	p.drawMasked(masked)
	p.drawLeg(p.agent, c.Rate, agent)
	p.drawAxes(masked)
	return p.img, nil
}

// compare tells for each tick whether the agent heard anything but what the caller said.
func compare(rate audio.Rate, caller, agent []int16) []bool {
	tick := rate.TickFrames()
	masked := make([]bool, (len(agent)+tick-1)/tick)
	for i, v := range agent {
		if v != caller[i] {
			masked[i/tick] = true
		}
	}
	return masked
}

// Package sound is a line made of sound devices, through PortAudio: one device for each side, or one for both, on two of its
// channels. It is the only cgo of the house.
//
// A device of its own drives each side: two clocks, and it is the owner's business to bridge them. Where both sides are on one
// device there is one stream and one clock ([hw.Line].OneClock), and nothing needs bridging.
//
// The turns run on PortAudio's thread. What this package does there never allocates, locks, logs, waits or panics, and copies
// samples only where a device interleaves several channels. It never passes a turn anything but what the device captured, and plays
// nothing but what a turn filled: silence before, after and between.
//
// A device is lost when no sound has moved for half a second; PortAudio itself doesn't tell. After a loss only leaving the process
// cures PortAudio 19.6: its thread spins for ever, writing to standard error, and to stop the stream would hang. So a lost line is
// never stopped nor given back; its owner leaves, and whoever supervises him starts him anew.
//
// A kernel's card is known by where it is plugged in and what it is, once its owner has adopted it (package cards); PortAudio's own name of it has the
// kernel's number in it, which is another one after each plugging. What is no card, such as a PCM of ALSA's configuration or a client of JACK, goes by
// PortAudio's name.
//
// A card's own mixer can let its input through to its output, where no turn sees it. [Monitors] and [WatchMonitors] tell of each such way
// that is open, beside the sound and never on its thread.
//
// Sound devices know nothing of calls: Calls yields nothing.
package sound

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw/sound/cards"
)

// Bounds of a period. A shorter one than leastPeriod is all overhead; the longest takes 128 ms at 8 kHz, so that several are missing
// before a device counts as lost.
const (
	leastPeriod = 8
	mostPeriod  = 1024
)

// Config says what a line is made of.
type Config struct {
	Rate audio.Rate
	// DeviceRate is what the devices run at: Rate, or a whole multiple of it. 0 is Rate.
	DeviceRate audio.Rate
	// PeriodFrames is the length of a turn, in frames of the devices. From one side's input to the other's output of one device it takes two of them.
	PeriodFrames int
	// Caller and Agent may be on one device, on different channels. One of them may be left empty, where the line has that side elsewhere.
	Caller, Agent Side
	// LockDir is a folder for a file a device, by which the device has one owner, and for notes of which cards were opened.
	LockDir string
	// Known are the adopted cards, of all lines: of two that are alike, each must know of the other. Kernel is where cards are looked for.
	Known  cards.Known
	Kernel cards.Kernel
}

// Side is where one side of the line is: what is captured on a device's channel comes from there, and what is played on it is heard there.
type Side struct {
	// Device is the name that a card was adopted under, or else PortAudio's, as Devices has it.
	Device string
	// Channel is counted from 1.
	Channel int
}

// none reports that the line has the side elsewhere.
func (s Side) none() bool { return s == Side{} }

// ErrAbsent: a device isn't there, or another program plays on it. Why else an adopted card isn't opened, package cards says.
var ErrAbsent = cards.ErrAbsent

// devices is the rate that the devices run at.
func (c Config) devices() audio.Rate { return cmp.Or(c.DeviceRate, c.Rate) }

// multiple is how many frames of a device are one of the line.
func (c Config) multiple() int { return int(c.devices() / c.Rate) }

func (c Config) validate() error {
	var faults []error
	fault := func(wrong bool, format string, args ...any) {
		if wrong {
			faults = append(faults, fmt.Errorf("sound: "+format, args...))
		}
	}
	fault(!c.Rate.Supported(), "%v is not supported: use 8000, 16000, 44100 or 48000", c.Rate)
	fault(c.PeriodFrames < leastPeriod || c.PeriodFrames > mostPeriod, "a period of %d frames: use %d to %d",
		c.PeriodFrames, leastPeriod, mostPeriod)
	switch {
	case !c.Rate.Supported():
	case !c.devices().Supported() || c.devices()%c.Rate != 0:
		fault(true, "the devices' %v is no whole multiple of the line's %v: use one", c.devices(), c.Rate)
	default:
		fault(c.PeriodFrames%c.multiple() != 0, "a period of %d frames: use a multiple of %d, or of the devices' frames some make no whole one of the line's",
			c.PeriodFrames, c.multiple())
	}
	fault(c.LockDir == "", "no folder for the devices' locks: name one")
	for _, s := range []struct {
		name        string
		side, other Side
	}{{"caller", c.Caller, c.Agent}, {"agent", c.Agent, c.Caller}} {
		if s.side.none() && !s.other.none() {
			continue
		}
		fault(s.side.Device == "", "the %s's side has no device: name one", s.name)
		fault(s.side.Channel < 1, "the %s's side is on channel %d: they are counted from 1", s.name, s.side.Channel)
	}
	fault(c.Caller == c.Agent && c.Caller.Device != "", "%s: both sides are on channel %d: give each a channel of its own, or a device",
		c.Caller.Device, c.Caller.Channel)
	return errors.Join(faults...)
}

// Device is what PortAudio knows of a sound device.
type Device struct {
	Name string
	// In and Out are channels.
	In, Out int
	// Rate is the one it has by default, in Hz.
	Rate int
	// Rates are those of ours that it runs at both ways.
	Rates []int
}

func (d Device) String() string {
	return fmt.Sprintf("%q (%d in, %d out, %d Hz)", d.Name, d.In, d.Out, d.Rate)
}

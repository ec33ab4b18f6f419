//go:build cgo

package sound

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gordonklaus/portaudio"
)

// stream is one device, opened both ways.
type stream struct {
	device   string
	ports    []*port // whose turns its clock drives, the caller's first
	channels int     // as many are opened as the ports need
	samples  int     // in a period, of all channels
	pa       *portaudio.Stream
	idle     atomic.Int32  // ports that don't run yet
	started  chan struct{} // closed when the device runs, which it does once all ports do
	begun    bool          // that it was started; belongs to who holds PortAudio
	periods  atomic.Int64  // that were captured and played
}

func newStream(device string, p *port) *stream {
	s := &stream{device: device, started: make(chan struct{})}
	s.add(p)
	return s
}

func (s *stream) add(p *port) {
	p.stream = s
	s.ports = append(s.ports, p)
	s.channels = max(s.channels, p.channel+1)
	s.idle.Add(1)
}

// heardAfter is how many periods after its turn a period has been heard: it waits for one that is being played.
const heardAfter = 2

// open asks for the shortest latency, which PortAudio 19.6 takes to be heardAfter periods.
func (s *stream) open(cfg Config) error {
	device, confirm, err := cfg.find(s.device)
	if err != nil {
		return err
	}
	if in, out := device.MaxInputChannels, device.MaxOutputChannels; s.channels > min(in, out) {
		return fmt.Errorf("sound: %s: there is no channel %d both ways: it has %d in and %d out", s.device, s.channels, in, out)
	}
	side := portaudio.StreamDeviceParameters{Device: device, Channels: s.channels, Latency: 0}
	s.samples = cfg.PeriodFrames * s.channels
	s.pa, err = portaudio.OpenStream(portaudio.StreamParameters{
		Input: side, Output: side, SampleRate: float64(cfg.devices()), FramesPerBuffer: cfg.PeriodFrames,
		Flags: portaudio.DitherOff, // where a device has more bits, it would add noise
	}, s.callback)
	if errors.Is(err, portaudio.InvalidSampleRate) {
		return fmt.Errorf("sound: %s: it doesn't run at %v: set its rate to one that it has, such as %g Hz",
			s.device, cfg.devices(), device.DefaultSampleRate)
	}
	if errors.Is(err, portaudio.DeviceUnavailable) {
		return fmt.Errorf("sound: %w: %s: another program plays on it: end that one", ErrAbsent, s.device)
	}
	if err != nil {
		return fmt.Errorf("sound: open %s: %w", s.device, err)
	}
	return confirm()
}

// start sets the device going.
func (s *stream) start() error {
	defer close(s.started)
	return within(func() error {
		s.begun = true
		return s.pa.Start()
	})
}

// playOut waits until what the last turn filled has been heard: PortAudio 19.6 throws away what it holds, however it is stopped.
func (s *stream) playOut() {
	last := s.periods.Load()
	for ms := 0; s.periods.Load() < last+heardAfter && ms < int(lossTime.Milliseconds()); ms++ {
		time.Sleep(time.Millisecond)
	}
}

// lost is how PortAudio tells that a period, or what came before it, was not captured: it makes up zeros, or leaves frames out.
const lost = portaudio.InputUnderflow | portaudio.InputOverflow

// callback is a period, on PortAudio's thread: every port takes its turn, or none does and silence is played.
func (s *stream) callback(in, out []int16, _ portaudio.StreamCallbackTimeInfo, flags portaudio.StreamCallbackFlags) {
	s.periods.Add(1)
	clear(out)
	if len(in) != s.samples || len(out) != s.samples { // PortAudio promises both; the copies rely on it
		return
	}
	for i, p := range s.ports {
		if !p.enter() {
			for _, before := range s.ports[:i] {
				before.leave()
			}
			return
		}
	}
	for _, p := range s.ports {
		if flags&lost != 0 {
			p.turn.Lost(s.samples / s.channels)
		} else {
			p.take(in, s.channels)
		}
	}
	for _, p := range slices.Backward(s.ports) {
		p.fill(out, s.channels)
		p.leave()
	}
}

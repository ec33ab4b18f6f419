//go:build cgo

package sound

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/hw/sound/cards"
	"github.com/gordonklaus/portaudio"
)

// Devices are the devices that PortAudio sees. One that another program plays on is not among them. While this process has a line
// open, they are those of when it was opened.
func Devices() (list []Device, err error) {
	err = within(func() error {
		if err := initialize(true); err != nil {
			return err
		}
		infos, err := portaudio.Devices()
		for _, d := range infos {
			one := device(d)
			one.Rates = rates(d)
			list = append(list, one)
		}
		return errors.Join(err, portaudio.Terminate())
	})
	return list, err
}

// noServer is the name of a JACK server that nobody starts.
const noServer = "flattone-none"

// initialize starts PortAudio. It looks for JACK as well, and must not start a server that nobody wants; nor connect to one, unless a device of its may be
// wanted: PortAudio 19.6 ends a process that is connected to a server which has died, as soon as it is to give its own devices back.
func initialize(jack bool) error {
	quiet()
	err := os.Setenv("JACK_NO_START_SERVER", "1") // in a program with C in it, C's environment too
	if err == nil && !jack {
		err = os.Setenv("JACK_DEFAULT_SERVER", noServer)
	}
	if err == nil {
		err = portaudio.Initialize()
	}
	if err != nil {
		return fmt.Errorf("sound: start PortAudio: %w", err)
	}
	return nil
}

func device(d *portaudio.DeviceInfo) Device {
	return Device{Name: d.Name, In: d.MaxInputChannels, Out: d.MaxOutputChannels, Rate: int(d.DefaultSampleRate)}
}

// rates tries them on the device, one channel each way.
func rates(d *portaudio.DeviceInfo) (list []int) {
	if d.MaxInputChannels == 0 || d.MaxOutputChannels == 0 {
		return nil
	}
	side := portaudio.StreamDeviceParameters{Device: d, Channels: 1}
	for _, rate := range []audio.Rate{audio.Rate8k, audio.Rate16k, audio.Rate44k, audio.Rate48k} {
		p := portaudio.StreamParameters{Input: side, Output: side, SampleRate: float64(rate)}
		if portaudio.IsFormatSupported(p, []int16{}, []int16{}) == nil {
			list = append(list, int(rate))
		}
	}
	return list
}

// adopted reports that all that the line has here is cards that the owner has given names.
func (c Config) adopted() bool {
	_, caller := c.Known[c.Caller.Device]
	_, agent := c.Known[c.Agent.Device]
	return (caller || c.Caller.none()) && (agent || c.Agent.none())
}

// find is PortAudio's view of a device, and what to ask once that is open: whether it was the right one.
func (c Config) find(name string) (*portaudio.DeviceInfo, func() error, error) {
	ending, confirm := "", func() error { return nil }
	if adopted, is := c.Known[name]; is {
		card, _, err := c.card(name)
		if err != nil {
			return nil, nil, err
		}
		ending, confirm = card.Ending(adopted.PCM), func() error { return c.confirm(name, card) }
	}
	infos, err := portaudio.Devices()
	if err != nil {
		return nil, nil, fmt.Errorf("sound: list the devices: %w", err)
	}
	var there []string
	for _, d := range infos {
		if ending == "" && d.Name == name || ending != "" && strings.HasSuffix(d.Name, ending) {
			return d, confirm, nil
		}
		there = append(there, device(d).String())
	}
	if there == nil {
		there = []string{"none at all"}
	}
	return nil, nil, fmt.Errorf("sound: %w: there is no device %q%s: plug it in, end the program that plays on it, or name another; there is %s",
		ErrAbsent, name, ending, strings.Join(there, ", "))
}

// card is the adopted card of that name, if it may be opened, and what to note once it is.
func (c Config) card(name string) (card cards.Card, note string, err error) {
	list, err := c.Kernel.List()
	if err == nil {
		card, err = c.Known.Find(name, list)
	}
	if err == nil {
		note, err = cards.Notes(c.LockDir).Judge(c.Known, name, card, list)
	}
	if err != nil {
		err = fmt.Errorf("sound: %w", err)
	}
	return card, note, err
}

// confirm makes sure that the number by which a card was opened has been its number all the time, and notes which card that was.
func (c Config) confirm(name string, was cards.Card) error {
	card, note, err := c.card(name)
	switch {
	case err != nil:
		return err
	case card.Number != was.Number || card.Plugging != was.Plugging:
		return fmt.Errorf("sound: %w: %s was plugged in anew while it was being opened", ErrAbsent, name)
	}
	if err := cards.Notes(c.LockDir).Write(name, note); err != nil {
		return fmt.Errorf("sound: %w", err)
	}
	return nil
}

// answerTime is how long PortAudio may take for a call. A busy device takes it a second when it lists them.
const answerTime = 10 * time.Second

// calls holds PortAudio for one thread at a time: it is not made for two.
var calls sync.Mutex

// within calls PortAudio and waits only so long: on a device that was pulled out it doesn't return.
func within(call func() error) error {
	done := make(chan error, 1)
	go func() {
		calls.Lock()
		defer calls.Unlock()
		done <- call()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(answerTime):
		return fmt.Errorf("PortAudio has not answered for %v: leave the process", answerTime)
	}
}

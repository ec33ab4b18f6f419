//go:build cgo

package sound

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gordonklaus/portaudio"
)

// Devices are the devices that PortAudio sees. One that another program plays on is not among them. While this process has a line
// open, they are those of when it was opened.
func Devices() (list []Device, err error) {
	err = within(func() error {
		if err := initialize(); err != nil {
			return err
		}
		infos, err := portaudio.Devices()
		for _, d := range infos {
			list = append(list, device(d))
		}
		return errors.Join(err, portaudio.Terminate())
	})
	return list, err
}

// initialize starts PortAudio. It looks for JACK as well, and must not start a server of it that nobody wants.
func initialize() error {
	err := os.Setenv("JACK_NO_START_SERVER", "1") // in a program with C in it, C's environment too
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

func find(name string) (*portaudio.DeviceInfo, error) {
	infos, err := portaudio.Devices()
	if err != nil {
		return nil, fmt.Errorf("sound: list the devices: %w", err)
	}
	var there []string
	for _, d := range infos {
		if d.Name == name {
			return d, nil
		}
		there = append(there, device(d).String())
	}
	if there == nil {
		there = []string{"none at all"}
	}
	return nil, fmt.Errorf("sound: %w %q: plug it in, end the program that plays on it, or name another; there is %s",
		ErrAbsent, name, strings.Join(there, ", "))
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

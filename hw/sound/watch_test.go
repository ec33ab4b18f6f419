//go:build cgo

package sound_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest"
	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
)

// shut is a headset whose sidetone is off; opened, one where it isn't.
var (
	shut   = []card.Control{card.Switch("Headset Playback Switch", 1, 1), card.Volume("Headset Playback Volume", 24, -2400, 0, 20, 20), sidetone(0)}
	opened = []card.Control{card.Switch("Headset Playback Switch", 1, 1), card.Volume("Headset Playback Volume", 24, -2400, 0, 20, 20), sidetone(1)}
)

func sidetone(on int) card.Control { return card.Switch("Sidetone Playback Switch", on) }

// mixed is a line on two cards, of which one has a mixer.
func mixed(t *testing.T, mixer ...card.Control) (devices []string, headset *card.Card) {
	t.Helper()
	made := card.New(t, card.Spec{Name: "trunk", Rate: 8000}, card.Spec{Name: "headset", Rate: 8000, Mixer: append([]card.Control{}, mixer...)})
	return []string{"trunk", "headset"}, made[1]
}

func TestMonitors(t *testing.T) {
	for name, c := range map[string]struct {
		mixer []card.Control
		open  string // and the remedies
	}{
		"nothing open":  {shut, "[]"},
		"a sidetone":    {opened, `[Sidetone Playback Switch of headset: amixer -D headset cset 'name=Sidetone Playback Switch' off]`},
		"one channel":   {[]card.Control{card.Switch("Mic Playback Switch", 0, 1)}, `[Mic Playback Switch of headset: amixer -D headset cset 'name=Mic Playback Switch' off]`},
		"a choice":      {[]card.Control{card.Choice("Loopback Mixing", 1, "Disabled", "Enabled")}, `[Loopback Mixing of headset: amixer -D headset cset 'name=Loopback Mixing' 0]`},
		"a choice, off": {[]card.Control{card.Choice("Loopback Mixing", 0, "Disabled", "Enabled")}, `[]`},
		"a volume":      {[]card.Control{card.Volume("Mic Playback Volume", 31, -8000, 0, 3)}, `[Mic Playback Volume of headset: amixer -D headset cset 'name=Mic Playback Volume' 0]`},
		"a volume, low": {[]card.Control{card.Volume("Mic Playback Volume", 31, -8000, 0, 0)}, `[]`},
		"a volume, not low enough": {[]card.Control{card.Volume("Mic Playback Volume", 31, -3450, 1200, 0)},
			"[Mic Playback Volume of headset: something passes at its lowest, and it has no switch: use another card]"},
		"a name for no shell": {[]card.Control{sidetone(0), card.Switch("Mic '$(halt)' Playback Switch", 1)},
			"[Mic '$(halt)' Playback Switch of headset: amixer -D headset cset 'numid=2' off]"},
		"no control": {nil, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			devices, _ := mixed(t, c.mixer...)
			open, err := sound.Monitors(devices)
			if said := fmt.Sprint(open); err != nil || said != c.open {
				t.Errorf("%s, %v; not %s", said, err, c.open)
			}
		})
	}
}

func TestMixersThatCannotBeRead(t *testing.T) {
	devices, headset := mixed(t, shut...)
	headset.Unplug()
	if _, err := sound.Monitors(devices); !errors.Is(err, syscall.ENODEV) || !strings.Contains(err.Error(), "the mixer headset") {
		t.Errorf("of a card that was pulled out: %v", err)
	}
	headset.Plug()
	if _, err := sound.Monitors(devices); err != nil {
		t.Errorf("of a card that is back: %v", err)
	}
	for name, of := range map[string]string{"PortAudio's of a card": "USB Audio: - (hw:7,0)", "no name": "", "what ALSA can't parse": "a:b{c"} {
		if _, err := sound.Monitors([]string{of, "headset"}); err != nil {
			t.Errorf("of %s: %v", name, err)
		}
	}
}

// seen is what a watcher is told.
type seen struct {
	open []sound.Monitor
	err  error
}

func watch(t *testing.T, devices []string) (told <-chan seen, stop func() time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	all, ended := make(chan seen, 1000), make(chan struct{})
	go func() {
		defer close(ended)
		sound.WatchMonitors(ctx, devices, func(open []sound.Monitor, err error) { all <- seen{open, err} })
	}()
	stop = func() time.Duration {
		from := time.Now()
		cancel()
		<-ended
		return time.Since(from)
	}
	t.Cleanup(func() { stop() })
	return all, stop
}

// until waits for something to be told.
func until(t *testing.T, what string, told <-chan seen, is func(seen) bool) {
	t.Helper()
	for end := time.After(30 * time.Second); ; {
		select {
		case s := <-told:
			if is(s) {
				return
			}
		case <-end:
			t.Fatalf("never told: %s", what)
		}
	}
}

func isOpen(s seen) bool { return s.err == nil && len(s.open) == 1 }
func isShut(s seen) bool { return s.err == nil && len(s.open) == 0 }

func TestMixersAreWatched(t *testing.T) {
	before := runtime.NumGoroutine()
	devices, headset := mixed(t, shut...)
	told, stop := watch(t, devices)
	until(t, "all shut", told, isShut)
	fastest := time.Hour
	for range 3 {
		from := time.Now()
		headset.Mix(opened...)
		until(t, "the sidetone opens", told, isOpen)
		fastest = min(fastest, time.Since(from))
		headset.Mix(shut...)
		until(t, "and shuts", told, isShut)
	}
	if fastest > 500*time.Millisecond { // from one look to the next it is a second
		t.Errorf("what the mixer tells of itself isn't heard: %v passed", fastest)
	}
	headset.Mix(opened...)
	until(t, "the sidetone opens", told, isOpen)
	headset.Mix(shut[:2]...)
	until(t, "it vanishes", told, isShut)

	for len(told) > 0 {
		<-told
	}
	until(t, "the same without a change", told, isShut)

	headset.Unplug()
	until(t, "the card is pulled out", told, func(s seen) bool { return errors.Is(s.err, syscall.ENODEV) })
	for len(told) > 0 {
		<-told
	}
	time.Sleep(2500 * time.Millisecond)
	if n := len(told); n > 3 {
		t.Errorf("told %d times in 2.5 s that the card is gone", n)
	}
	headset.Plug()
	until(t, "the card is back", told, isShut)
	stop()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("goroutines are left")
		}
	}
}

// A mixer that answers nothing more counts as one that can't be read, and nobody waits for it. Its thread stays: a process of its own.
func TestAMixerThatHangs(t *testing.T) {
	if !hwtest.IsApart() {
		hwtest.Apart(t, t.Name())
		return
	}
	devices, headset := mixed(t, opened...)
	told, stop := watch(t, devices)
	until(t, "the sidetone", told, isOpen)
	headset.Mix(slices.Insert(slices.Clone(shut), 0, card.Hangs)...)
	until(t, "no answer", told, func(s seen) bool {
		return s.err != nil && strings.Contains(s.err.Error(), "not answered") && len(s.open) == 1
	})
	if took := stop(); took > time.Second {
		t.Errorf("the watcher left after %v", took)
	}
	if _, err := sound.Monitors(devices); err == nil || !strings.Contains(err.Error(), "not answered") {
		t.Errorf("asked once, it says %v", err)
	}
}

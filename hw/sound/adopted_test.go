//go:build cgo

package sound_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/card"
	"github.com/flattone/flattone/hw/sound"
	kernel "github.com/flattone/flattone/hw/sound/cards"
)

// desk is a line between two USB cards that are alike: what the kernel shows of them, and what is heard.
type desk struct {
	t     *testing.T
	sys   *card.Sys
	made  []*card.Card // one for each box of a card, wherever it is plugged in
	names []string
	cfg   sound.Config
}

var ports = map[string]string{"trunk": "1.1", "headset": "1.2"}

// newDesk plugs a card into either port, and adopts both.
func newDesk(t *testing.T) *desk {
	d := &desk{t: t, sys: card.NewSys(t), names: []string{"trunk", "headset"}}
	d.made = card.New(t, card.Spec{Name: "A", HW: "1,0", Rate: 8000, Patient: true, In: [][]int16{noise(0, 0)}},
		card.Spec{Name: "B", HW: "2,0", Rate: 8000, Patient: true, In: [][]int16{noise(1, 0)}}, card.Spec{Name: "plain", Rate: 8000})
	d.cfg = sound.Config{Rate: 8000, PeriodFrames: 80, LockDir: t.TempDir(), Known: kernel.Known{}, Kernel: kernel.Kernel{Sys: d.sys.Root},
		Caller: sound.Side{Device: "trunk", Channel: 1}, Agent: sound.Side{Device: "headset", Channel: 1}}
	d.plug(0, 1, ports["trunk"])
	d.plug(1, 2, ports["headset"])
	for _, name := range d.names {
		d.adopt(name)
	}
	return d
}

// plug plugs a card in, which the kernel gives a number.
func (d *desk) plug(box, number int, port string) {
	d.sys.Plug(card.USB{Number: number, Port: port, IDs: "08bb:2912", Product: "USB Audio CODEC"})
	d.made[box].Number(string(rune('0'+number)) + ",0")
	d.made[box].Plug()
}

func (d *desk) pull(box, number int) {
	d.sys.Pull(number)
	d.made[box].Unplug()
}

func (d *desk) adopt(name string) {
	d.t.Helper()
	list, err := d.cfg.Kernel.List()
	i := slices.IndexFunc(list, func(c kernel.Card) bool { return strings.HasSuffix(c.Place, "-usb-"+ports[name]) })
	if err != nil || i < 0 {
		d.t.Fatalf("nothing is in %s: %v", ports[name], err)
	}
	d.cfg.Known[name] = kernel.Adopted{Identity: list[i].Identity, Plugging: list[i].Plugging}
}

// carries runs the line, and says which card is on the caller's side.
func (d *desk) carries() string {
	d.t.Helper()
	line := open(d.t, d.cfg)
	got := make([]int16, d.cfg.PeriodFrames) // the last period of the caller's side
	run(d.t, line, 20, crossing{to: got}, crossing{})
	if err := line.Close(); err != nil {
		d.t.Error(err)
	}
	for box, name := range []string{"A", "B"} {
		for said := noise(box, 0); len(said) >= len(got); said = said[1:] {
			if slices.Equal(said[:len(got)], got) {
				return name
			}
		}
	}
	return "neither"
}

// refuses wants the line refused, for a reason, in words.
func (d *desk) refuses(when string, why error, says ...string) {
	d.t.Helper()
	_, err := sound.Open(d.cfg)
	if !errors.Is(err, why) {
		d.t.Fatalf("%s: %v", when, err)
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			d.t.Errorf("%s: %q does not say %q", when, err, want)
		}
	}
}

func (d *desk) runs(when, on string) {
	d.t.Helper()
	if got := d.carries(); got != on {
		d.t.Errorf("%s: the caller's side is on %s", when, got)
	}
}

// An adopted card is found by its place whatever number the kernel gives it, and nothing else is taken for it.
func TestAnAdoptedCardIsFoundByItsPlace(t *testing.T) {
	d := newDesk(t)
	d.runs("as adopted", "A")
	d.pull(1, 2)
	d.refuses("one pulled out", sound.ErrAbsent, "device_absent: headset (08bb:2912) is not plugged in", "-usb-1.2")
	d.pull(0, 1)
	d.sys.Plug(card.USB{Number: 1, Port: ports["headset"], IDs: "1235:8211", Product: "Scarlett"})
	d.plug(0, 2, ports["trunk"])
	d.refuses("another card in its place", kernel.ErrReplaced, "device_replaced", "is another card (1235:8211)")
	d.sys.Pull(1)
	d.plug(1, 1, "3")
	d.refuses("on another port", kernel.ErrMoved, "device_moved: headset", "-usb-3", "adopt headset anew")
	d.pull(1, 1)
	d.plug(1, 1, ports["headset"])
	d.refuses("both in their ports again", kernel.ErrSwapped)
	for _, name := range d.names {
		d.adopt(name)
	}
	d.runs("the numbers the other way round", "A")
}

// Twins that change places while the machine runs are refused: neither side opens, and nobody hears anybody.
func TestSwappedTwinsAreRefused(t *testing.T) {
	d := newDesk(t)
	d.runs("as adopted", "A")
	heard := func() int { return len(d.made[0].Heard(1)) + len(d.made[1].Heard(1)) }
	before := heard()
	d.pull(0, 1)
	d.pull(1, 2)
	d.plug(0, 1, ports["headset"])
	d.plug(1, 2, ports["trunk"])
	for range 3 {
		d.refuses("swapped", kernel.ErrSwapped, "device_swapped: trunk", "device_swapped: headset", "flattone devices adopt")
	}
	if now := heard(); now != before {
		t.Errorf("%d frames were played meanwhile", now-before)
	}
	d.adopt("trunk")
	d.refuses("one of them adopted", kernel.ErrSwapped, "headset")
	d.adopt("headset")
	d.runs("both adopted", "B")
}

// A card with no other like it comes back by itself, under another number.
func TestACardComesBackUnderAnotherNumber(t *testing.T) {
	d := newDesk(t)
	d.cfg.Agent.Device = "plain"
	d.pull(1, 2)
	delete(d.cfg.Known, "headset")
	d.runs("the only one", "A")
	d.pull(0, 1)
	d.plug(0, 4, ports["trunk"])
	d.runs("plugged in again", "A")
}

// Of a card with several devices the adopted one is opened.
func TestAnAdoptedDeviceOfACard(t *testing.T) {
	d := newDesk(t)
	d.made[0].Number("0,0")
	d.made[1].Number("0,3")
	for name, pcm := range map[string]int{"trunk": 3, "headset": 0} {
		d.cfg.Known[name] = kernel.Adopted{Identity: kernel.Identity{Place: "pci-0000:00:1f.3", IDs: "8086:a348"}, PCM: pcm}
	}
	d.runs("the fourth device", "B")
}

// Where PortAudio's list has no such number, or the number changes while the card is opened, the card counts as absent: it is tried again.
func TestACardThatPortAudioDoesNotHave(t *testing.T) {
	d := newDesk(t)
	d.made[0].Number("7,0")
	d.refuses("listed otherwise", sound.ErrAbsent, `there is no device "trunk" (hw:1,0)`, "A: USB Audio (hw:7,0)")
	d.made[0].Number("1,0")
	line := open(t, d.cfg)
	other := d.cfg
	other.LockDir = t.TempDir()
	_, err := sound.Open(other)
	if !errors.Is(err, sound.ErrAbsent) || !strings.Contains(err.Error(), "another program plays on it") {
		t.Errorf("a card that another plays on: %v", err)
	}
	if err := line.Close(); err != nil {
		t.Error(err)
	}
}

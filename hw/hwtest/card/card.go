// Package card gives tests sound cards on machines that have none: the ALSA plugin in hw/hwtest/vcard, built, configured, and
// steered from Go. A program under test reaches them as it reaches any card.
//
// What a [Card] captures and plays is known to the frame, and faults come when the test says so. PortAudio looks for cards when it
// is initialised: cards are made before. A card that was pulled out leaves a thread of PortAudio spinning until the process ends
// (see hw/sound), so such a test belongs into a process of its own.
package card

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/hw/hwtest/native"
	"golang.org/x/sys/unix"
)

// Spec is a card to be made.
type Spec struct {
	// Name is what ALSA and PortAudio list it as: letters, digits and underscores, beginning with a letter.
	Name string
	// HW, such as "3,0", lists it as PortAudio does a card and device of the kernel, with the kernel's numbers: "NAME: USB Audio (hw:3,0)". One program at a
	// time opens it then.
	HW string
	// Rate is the only one the card has, in frames a second.
	Rate int
	// Channels is as many in as out, 0 for 1.
	Channels int
	// PPM is how many millionths the card's clock is faster than the machine's.
	PPM int
	// Burst is in steps of how many frames the card's clock is seen to go, 0 for 1: one that gives several periods at a time.
	Burst int
	// Patient makes the clock wait for a program that is late, in place of an overrun: every bit can then be checked on a busy machine.
	Patient bool
	// In is what the card captures, a slice a channel, from the moment when the cards began; silence after its end and in channels
	// that aren't given. See also [Card.Say].
	In [][]int16
	// Mixer are the controls of the card's mixer, which goes by the card's name; with nil it has none.
	Mixer []Control
}

// Card is one virtual card.
type Card struct {
	t        testing.TB
	file     string // without its ending
	channels int
	spec     Spec
	all      *shelf
	said     []int64 // by channel, the frame up to which Say has said something
}

// shelf is ALSA's configuration of a test's cards.
type shelf struct {
	path, plugin string
	cards        []*Card
}

// New makes the cards of a test, and makes them all the cards that this process can see until the test is over.
func New(t testing.TB, specs ...Spec) []*Card {
	t.Helper()
	dir := t.TempDir()
	all := &shelf{path: filepath.Join(dir, "asound.conf"), plugin: native.Build(t, "vcard", "libasound2-dev", "-shared", "-fPIC", "-DPIC", "-lasound")}
	for _, s := range specs {
		s.Channels = max(s.Channels, 1)
		c := &Card{t: t, file: filepath.Join(dir, s.Name), channels: s.Channels, spec: s, all: all, said: make([]int64, s.Channels)}
		c.say(s.In)
		if s.Mixer != nil {
			c.Mix(s.Mixer...)
		}
		all.cards = append(all.cards, c)
	}
	if err := all.write(); err != nil {
		t.Fatal(err)
	}
	// In a program with C in it, Go's environment is C's as well.
	t.Setenv("ALSA_CONFIG_PATH", all.path)
	return all.cards
}

// write writes the configuration, which a program reads when it initialises PortAudio.
func (a *shelf) write() error {
	var conf strings.Builder
	fmt.Fprintf(&conf, "pcm_type.vcard { lib %q }\nctl_type.vcard { lib %[1]q }\n", a.plugin)
	// PortAudio 19.6 ends the process in Pa_Initialize where no card is called default.
	conf.WriteString("pcm.default { type null }\n")
	for _, c := range a.cards {
		conf.WriteString(c.conf())
		if c.spec.Mixer != nil {
			fmt.Fprintf(&conf, "ctl.%s { type vcard dir %q name %[1]q }\n", c.spec.Name, filepath.Dir(c.file))
		}
	}
	next := a.path + ".new"
	return errors.Join(os.WriteFile(next, []byte(conf.String()), 0o600), os.Rename(next, a.path))
}

// conf is the card's part of the configuration. ALSA takes what follows a colon in a name for arguments: a card of the kernel's has one entry to be listed
// by, and another to be opened by.
func (c *Card) conf() string {
	s := c.spec
	patient := 0
	if s.Patient {
		patient = 1
	}
	body := fmt.Sprintf("type vcard dir %q name %q rate %d channels %d ppm %d burst %d patient %d", filepath.Dir(c.file), s.Name, s.Rate, s.Channels, s.PPM,
		max(s.Burst, 1), patient)
	if s.HW == "" {
		return fmt.Sprintf("pcm.%s { %s }\n", s.Name, body)
	}
	listed := fmt.Sprintf("%s: USB Audio (hw:%s)", s.Name, s.HW)
	return fmt.Sprintf("pcm.%q { %s }\npcm.%s { @args [ A B ] @args.A { type string } @args.B { type string } %s as %q }\n", listed, body, s.Name, body, listed)
}

// Number gives the card other numbers of the kernel's, as another plugging does.
func (c *Card) Number(hw string) {
	c.spec.HW = hw
	if err := c.all.write(); err != nil {
		c.t.Error(err)
	}
}

// say writes what the card captures.
func (c *Card) say(in [][]int16) {
	c.t.Helper()
	frames := 0
	for _, x := range in {
		frames = max(frames, len(x))
	}
	b := make([]byte, frames*c.channels*2)
	for channel, x := range in {
		for i, v := range x {
			binary.LittleEndian.PutUint16(b[(i*c.channels+channel)*2:], uint16(v))
		}
	}
	if err := os.WriteFile(c.file+".in", b, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// Heard is what a channel, counted from 1, has played since the cards began; 0 where it was given nothing.
func (c *Card) Heard(channel int) []int16 {
	c.t.Helper()
	b, err := os.ReadFile(c.file + ".out")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.t.Fatal(err)
	}
	x := make([]int16, len(b)/(2*c.channels))
	for i := range x {
		x[i] = int16(binary.LittleEndian.Uint16(b[(i*c.channels+channel-1)*2:]))
	}
	return x
}

// Where the words of struct card in vcard.c lie.
const (
	unplugged  = 0
	overruns   = 4
	stallFrom  = 8
	stallUntil = 16
	late       = 24
	wires      = 64
	wireBytes  = 16
)

// Unplug pulls the card out: whatever the program asks of it fails from now on.
func (c *Card) Unplug() { c.set(unplugged, binary.LittleEndian.AppendUint32(nil, 1)) }

// Plug puts it back, for the next program that opens it.
func (c *Card) Plug() { c.set(unplugged, binary.LittleEndian.AppendUint32(nil, 0)) }

// Stall makes the card's clock stand still for as long as d; it then shows what it would have shown.
func (c *Card) Stall(d time.Duration) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		c.t.Error(err)
	}
	c.set(stallFrom, binary.LittleEndian.AppendUint64(nil, uint64(now.Nano())))
	c.set(stallUntil, binary.LittleEndian.AppendUint64(nil, uint64(now.Nano()+int64(d))))
}

// Xruns counts how often the program was late, to play or to capture. A patient card has none.
func (c *Card) Xruns() int {
	c.t.Helper()
	b, err := os.ReadFile(c.file + ".card")
	if err != nil {
		c.t.Fatal(err)
	}
	return int(binary.LittleEndian.Uint32(b[overruns:]))
}

// Say has a channel, counted from 1, capture x from now on, or after what it was last given so; in the place of what In has there. In must be
// long enough, and the card in use.
func (c *Card) Say(channel int, x []int16) {
	c.t.Helper()
	from := max(c.now()+int64(c.spec.Rate)/10, c.said[channel-1]) // what was captured, the program may not have asked for yet
	c.said[channel-1] = from + int64(len(x))
	f, err := os.OpenFile(c.file+".in", os.O_RDWR, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	frame := 2 * int64(c.channels)
	b := make([]byte, int64(len(x))*frame) // all at once, with what the other channels say: the card is listening
	if _, err := f.ReadAt(b, from*frame); err != nil {
		c.t.Fatalf("card: what it captures ends before frame %d: %v", c.said[channel-1], err)
	}
	for i, v := range x {
		binary.LittleEndian.PutUint16(b[int64(i)*frame+2*int64(channel-1):], uint16(v))
	}
	if _, err := f.WriteAt(b, from*frame); err != nil {
		c.t.Fatal(err)
	}
}

// now is the frame that the card's clock shows.
func (c *Card) now() int64 {
	c.t.Helper()
	clock, err := os.ReadFile(filepath.Join(filepath.Dir(c.file), "clock"))
	card, err2 := os.ReadFile(c.file + ".card")
	if err := errors.Join(err, err2); err != nil || len(clock) < 8 || len(card) < late+8 {
		c.t.Fatalf("card: nobody has opened it (%v)", err)
	}
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		c.t.Fatal(err)
	}
	ran := now.Nano() - int64(binary.LittleEndian.Uint64(clock))
	return int64(float64(ran)*1e-9*float64(c.spec.Rate)*(1+float64(c.spec.PPM)*1e-6)) - int64(binary.LittleEndian.Uint64(card[late:]))
}

// Wire joins, from now on, what a channel plays to what one captures, delay frames later: at least two periods. There are two wires; gain 0
// takes one out.
func (c *Card) Wire(wire, from, to, delay int, gain float64) { c.wire(wire, from, to, delay, gain) }

// Couple is Wire for what a channel captures, which may be at once.
func (c *Card) Couple(wire, from, to, delay int, gain float64) { c.wire(wire, -from, to, delay, gain) }

func (c *Card) wire(wire, from, to, delay int, gain float64) {
	b := binary.LittleEndian.AppendUint32(nil, uint32(int32(from)))
	b = binary.LittleEndian.AppendUint32(b, uint32(int32(to)))
	b = binary.LittleEndian.AppendUint32(b, uint32(int32(delay)))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(gain)))
	c.set(wires+int64(wire)*wireBytes, b)
}

func (c *Card) set(at int64, word []byte) {
	f, err := os.OpenFile(c.file+".card", os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteAt(word, at)
		f.Close()
	}
	if err != nil {
		c.t.Error(err) // not Fatal: faults come on the card's own thread as well
	}
}

package contact

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/uhid"
	"golang.org/x/sys/unix"
)

// patience bounds every wait for something that must happen.
const patience = 20 * time.Second

// watched is a contact that is followed until it is lost.
type watched struct {
	t     *testing.T
	told  chan bool
	ended chan error
}

func watch(t *testing.T, cfg Config) *watched {
	t.Helper()
	c := opened(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{t, make(chan bool, 100), make(chan error, 1)}
	go func() {
		w.ended <- c.Run(ctx, func(closed bool) { w.told <- closed })
		close(w.told)
	}()
	t.Cleanup(func() {
		cancel()
		for range w.told {
		}
		c.Close()
	})
	return w
}

// opened waits until the kernel has made the device.
func opened(t *testing.T, cfg Config) *Contact {
	t.Helper()
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		c, err := Open(cfg)
		if err == nil {
			return c
		}
		if time.Now().After(until) {
			t.Fatal(err)
		}
	}
}

func (w *watched) expect(closed bool) {
	w.t.Helper()
	select {
	case got := <-w.told:
		if got != closed {
			w.t.Errorf("the contact is closed: %v", got)
		}
	case err := <-w.ended:
		w.t.Fatalf("the contact is lost: %v", err)
	case <-time.After(patience):
		w.t.Fatal("nothing is told")
	}
}

func (w *watched) expectLoss() {
	w.t.Helper()
	select {
	case err := <-w.ended:
		if !errors.Is(err, hw.ErrLost) {
			w.t.Errorf("it ended with %v", err)
		}
	case <-time.After(patience):
		w.t.Fatal("nobody notices")
	}
}

// A headset, through the kernel's HID driver: how its hook switch is at first, how it moves, and that it is pulled out and put back.
func TestHeadset(t *testing.T) {
	const place = "usb-test-1/input3"
	spec := uhid.Spec{Name: "Test Headset", Place: place, Vendor: 0x1209, Product: 1, Descriptor: headset,
		Answer: func(byte) []byte { return []byte{2, 0b100} }}
	d := uhid.New(t, spec)
	w := watch(t, Config{Kind: HID, Device: place})
	w.expect(true)
	d.Report(1, 0b11) // volume
	d.Report(2, 0b010)
	w.expect(false)
	d.Report(2, 0b100)
	w.expect(true)
	_, err := Open(Config{Kind: HID, Device: "usb-test-2/input0"})
	if err == nil || !strings.Contains(err.Error(), place+" (Test Headset)") {
		t.Errorf("a place where there is none: %v", err)
	}
	d.Unplug()
	w.expectLoss()
	spec.Answer = nil // and one that doesn't say how it is
	d = uhid.New(t, spec)
	w = watch(t, Config{Kind: HID, Device: place, Inverted: true})
	time.Sleep(10 * every)
	d.Report(2, 0b100)
	w.expect(false)
	d.Report(2, 0)
	w.expect(true)
}

func TestAHeadsetWithoutAHookSwitch(t *testing.T) {
	const place = "usb-test-3/input0"
	uhid.New(t, uhid.Spec{Name: "Keys", Place: place, Vendor: 0x1209, Product: 2, Descriptor: headset[:27]})
	for until := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		_, err := Open(Config{Kind: HID, Device: place})
		if err != nil && strings.Contains(err.Error(), "no hook switch") {
			return
		}
		if err == nil || time.Now().After(until) {
			t.Fatal(err)
		}
	}
}

// ownMachine skips a test that takes the first GPIO chip or moves a serial port's outputs, where something may hang on them.
func ownMachine(t *testing.T) {
	t.Helper()
	if os.Getenv("FLATTONE_GUEST") == "" {
		t.Skip("it wants a machine of its own: make guest gives it one")
	}
}

// adapter is how a vendor's own device describes itself: a report of four bytes that is only asked for.
var adapter = []byte{0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x85, 0x02, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08, 0x95, 0x04, 0x09, 0x01, 0xb1, 0x02, 0xc0}

// A USB adapter with eight GPIO lines, through the kernel's driver and its GPIO interface.
func TestGPIO(t *testing.T) {
	ownMachine(t)
	var lines atomic.Uint32 // as they are
	lines.Store(0b0000_1000)
	var relay atomic.Uint32 // how line 5 was put
	relay.Store(1)
	d := uhid.New(t, uhid.Spec{Name: "Adapter", Place: "usb-test-4/input0", Vendor: 0x10c4, Product: 0xea90, Descriptor: adapter,
		Answer: func(number byte) []byte {
			switch number {
			case 2: // how lines are set up
				return make([]byte, 5)
			case 3: // how they are
				return []byte{3, byte(lines.Load())}
			case 5: // version
				return []byte{5, 0x0c, 1}
			case 6: // of its other half
				return make([]byte, 14)
			}
			return nil
		},
		Told: func(report []byte) {
			if report[0] == 4 && len(report) > 2 && report[2] == 1<<5 { // lines are put high or low
				relay.Store(uint32(report[1]))
			}
		}})
	chip := ""
	for until := time.Now().Add(patience); chip == ""; time.Sleep(10 * time.Millisecond) {
		if found, _ := filepath.Glob("/dev/gpiochip*"); len(found) > 0 {
			chip = found[0]
		} else if time.Now().After(until) {
			t.Fatal("the kernel makes no GPIO chip of it")
		}
	}
	w := watch(t, Config{Kind: GPIO, Device: chip, Input: "3"})
	w.expect(true)
	if _, err := Open(Config{Kind: GPIO, Device: chip, Input: "3"}); err == nil || !strings.Contains(err.Error(), "uses this line") {
		t.Errorf("a second owner: %v", err)
	}
	if _, err := Open(Config{Kind: GPIO, Device: chip, Input: "8"}); err == nil || !strings.Contains(err.Error(), "lines 0 to 7") {
		t.Errorf("a line too many: %v", err)
	}
	low := watch(t, Config{Kind: GPIO, Device: chip, Input: "7", Inverted: true})
	low.expect(true)
	lines.Store(0b1111_0111)
	w.expect(false)
	low.expect(false)
	r, err := OpenRelay(RelayConfig{chip, "5"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	put := func(want uint32, err error) {
		t.Helper()
		if got := relay.Load(); err != nil || got != want {
			t.Errorf("the relay's line was put %#x, %v; want %#x", got, err, want)
		}
	}
	put(0, nil)
	put(0xff, r.Set(true))
	put(0, r.Set(false))
	put(0xff, r.Set(true))
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	put(0, nil)
	if r, err = OpenRelay(RelayConfig{chip, "5"}); err != nil {
		t.Fatal(err)
	}
	d.Unplug()
	if err := r.Set(true); err == nil {
		t.Error("a relay whose chip was pulled out is switched")
	}
	w.expectLoss()
	low.expectLoss()
}

// A serial port whose outputs are joined to its inputs by the port itself (an 8250's loop): each input by its name, and DCD, with which
// the kernel would else hang up.
func TestSerial(t *testing.T) {
	ownMachine(t)
	const port = "/dev/ttyS1"
	fd, err := unix.Open(port, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	const loop, out1, out2 = 0x8000, 0x2000, 0x4000 // TIOCM_LOOP, TIOCM_OUT1, TIOCM_OUT2
	set := func(outputs int) {
		t.Helper()
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCMSET, loop|outputs); err != nil {
			t.Fatal(err)
		}
	}
	set(0)
	t.Run("relay", func(t *testing.T) {
		for output, input := range map[string]int{"rts": unix.TIOCM_CTS, "dtr": unix.TIOCM_DSR} {
			set(0)
			r, err := OpenRelay(RelayConfig{port, output})
			if err != nil {
				t.Fatal(err)
			}
			is := func(want bool, err error) {
				t.Helper()
				state, failed := unix.IoctlGetInt(fd, unix.TIOCMGET)
				if on := state&input != 0; on != want || err != nil || failed != nil {
					t.Errorf("%s is on: %v, %v, %v; want %v", output, on, err, failed, want)
				}
			}
			is(false, nil)
			is(true, r.Set(true))
			is(false, r.Set(false))
			is(true, r.Set(true))
			is(false, r.Close())
		}
	})
	for input, output := range map[string]int{"cts": unix.TIOCM_RTS, "dsr": unix.TIOCM_DTR, "ri": out1, "dcd": out2} {
		t.Run(input, func(t *testing.T) {
			w := watch(t, Config{Kind: Serial, Device: port, Input: input})
			set(0)
			if now := <-w.told; now { // opening the port put DTR and RTS on
				w.expect(false)
			}
			set(output)
			w.expect(true)
			set(0)
			w.expect(false)
			set(output)
			w.expect(true)
		})
	}
}

package contact

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/hwtest/pty"
	"golang.org/x/sys/unix"
)

// What the kernel gives is as long as what its header says (linux/gpio.h).
func TestTheKernelsWords(t *testing.T) {
	for name, c := range map[string]struct{ got, want uintptr }{
		"gpiochip_info":               {unsafe.Sizeof(chipInfo{}), 68},
		"gpio_v2_line_request":        {unsafe.Sizeof(lineRequest{}), 592},
		"gpio_v2_line_request.config": {unsafe.Offsetof(lineRequest{}.flags), 288},
		"gpio_v2_line_request.lines":  {unsafe.Offsetof(lineRequest{}.lines), 560},
		"gpio_v2_line_request.fd":     {unsafe.Offsetof(lineRequest{}.fd), 588},
		"gpio_v2_line_values":         {unsafe.Sizeof(lineValues{}), 16},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
}

// What is no contact is refused with the reason and the remedy.
func TestOpenNamesWhatIsWrong(t *testing.T) {
	_, terminal := pty.Open(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg  Config
		says string
	}{
		"no such kind":            {Config{Kind: "relay"}, "use gpio, serial or hid"},
		"no such port":            {Config{Kind: Serial, Device: "/dev/nowhere", Input: "dcd"}, "is it plugged in"},
		"no such input":           {Config{Kind: Serial, Device: "/dev/ttyS0", Input: "rts"}, `no input "rts": use dcd`},
		"no port":                 {Config{Kind: Serial, Device: "/dev/null", Input: "dcd"}, "it is no serial port: name one"},
		"a file for a port":       {Config{Kind: Serial, Device: file, Input: "dcd"}, "it is no serial port: name one"},
		"a port without inputs":   {Config{Kind: Serial, Device: terminal.Name(), Input: "dcd"}, "it has no modem inputs: use"},
		"no such chip":            {Config{Kind: GPIO, Device: "/dev/nowhere", Input: "1"}, "is there such a chip"},
		"no number":               {Config{Kind: GPIO, Device: "/dev/null", Input: "GPIO17"}, `"GPIO17" is not the number`},
		"no chip":                 {Config{Kind: GPIO, Device: "/dev/null", Input: "1"}, "it is no GPIO chip: name one"},
		"no such headset":         {Config{Kind: HID, Device: "/dev/nowhere"}, "is it plugged in"},
		"no headset":              {Config{Kind: HID, Device: "/dev/null"}, "it is no HID device: name one"},
		"nothing at that place":   {Config{Kind: HID, Device: "usb-nowhere-1/input3"}, "there is no HID device"},
		"a terminal as a headset": {Config{Kind: HID, Device: terminal.Name()}, "it is no HID device: name one"},
	} {
		c2, err := Open(c.cfg)
		if err == nil {
			c2.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "contact "+c.cfg.String()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What no relay can hang at is refused with the reason and the remedy.
func TestARelayNamesWhatIsWrong(t *testing.T) {
	_, terminal := pty.Open(t)
	for name, c := range map[string]struct {
		cfg  RelayConfig
		says string
	}{
		"no such port":           {RelayConfig{"/dev/nowhere", "rts"}, "is it plugged in"},
		"no port":                {RelayConfig{"/dev/null", "dtr"}, "it is no serial port: name one"},
		"a port without outputs": {RelayConfig{terminal.Name(), "rts"}, "it has no outputs: use"},
		"an input":               {RelayConfig{"/dev/null", "cts"}, `"cts" is not the number of a line`},
		"no chip":                {RelayConfig{"/dev/null", "17"}, "it is no GPIO chip: name one"},
	} {
		r, err := OpenRelay(c.cfg)
		if err == nil {
			r.Close()
			t.Errorf("%s: opened", name)
		} else if !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "relay "+c.cfg.String()) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// wire is a contact that is opened and closed by hand.
type wire struct{ atomic.Pointer[seen] }

type seen struct {
	on, known bool
	err       error
}

func (w *wire) high() (bool, bool, error) { s := w.Load(); return s.on, s.known, s.err }
func (w *wire) close() error              { return nil }

func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		told []string
	}{
		"hook":     {Config{Kind: Serial, Device: "d", Input: "cts"}, []string{"closed after 1.03s", "open after 2.03s"}},
		"inverted": {Config{Kind: Serial, Device: "d", Input: "cts", Inverted: true}, []string{"open after 1.03s", "closed after 2.03s"}},
		"ring":     {Config{Kind: Serial, Device: "d", Input: "ri", Ring: true}, []string{"closed after 1s", "open after 2.5s"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{}
				w.Store(&seen{})
				contact := &Contact{c.cfg, w}
				start := time.Now()
				var told []string
				ended := make(chan error)
				go func() {
					ended <- contact.Run(t.Context(), func(closed bool) {
						told = append(told, fmt.Sprintf("%s after %v", map[bool]string{true: "closed", false: "open"}[closed], time.Since(start)))
					})
				}()
				pass := func() { time.Sleep(time.Second - time.Millisecond); synctest.Wait() }
				pass()
				w.Store(&seen{on: true, known: true})
				pass()
				w.Store(&seen{known: true})
				pass()
				if !slices.Equal(told, c.told) {
					t.Errorf("told %q, want %q", told, c.told)
				}
				w.Store(&seen{err: unix.ENODEV})
				if err := <-ended; !errors.Is(err, hw.ErrLost) || !errors.Is(err, unix.ENODEV) || !strings.HasPrefix(err.Error(), "contact serial d ") {
					t.Errorf("a lost contact: %v", err)
				}
			})
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := &wire{}
	w.Store(&seen{})
	if err := (&Contact{Config{}, w}).Run(ctx, nil); err != nil {
		t.Error(err)
	}
}

// A headset's reports are read from a pipe: the last one says how the hook switch is, and its end is a loss.
func TestReports(t *testing.T) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_DIRECT|unix.O_CLOEXEC); err != nil { // packets, as reports are
		t.Fatal(err)
	}
	h := &hid{fd: ends[0], hook: bit{2, 2}, report: make([]byte, mostReport)}
	defer h.close()
	for i, c := range []struct {
		reports   [][]byte
		on, known bool
	}{
		{nil, false, false},
		{[][]byte{{1, 0xff}}, false, false},
		{[][]byte{{2, 0b100}}, true, true},
		{[][]byte{{1, 0}, {2}}, true, true},
		{[][]byte{{2, 0}, {2, 0b110}, {2, 0b010}}, false, true},
	} {
		for _, report := range c.reports {
			if _, err := unix.Write(ends[1], report); err != nil {
				t.Fatal(err)
			}
		}
		if on, known, err := h.high(); on != c.on || known != c.known || err != nil {
			t.Errorf("%d: on %v, known %v, %v", i, on, known, err)
		}
	}
	unix.Close(ends[1])
	if _, _, err := h.high(); err == nil {
		t.Error("the end is no loss")
	}
}

func TestHIDPlace(t *testing.T) {
	place, name := hidPlace("DRIVER=hid-generic\nHID_ID=0003:00000B0E:00000300\nHID_NAME=A Headset=1\nHID_PHYS=usb-0000:00:14.0-2/input3\nHID_UNIQ=\n")
	if place != "usb-0000:00:14.0-2/input3" || name != "A Headset=1" {
		t.Errorf("%q, %q", place, name)
	}
}

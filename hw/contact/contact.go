// Package contact watches the contact that tells of a line's calls: at a GPIO line, at a modem input of a serial port, or the hook
// switch of a USB headset. It also has the output at which the relay of a bypass hangs: see [Relay].
//
// It exists because sound alone doesn't say who is on a line: whoever hung up may be followed by another without a tone between.
//
// It promises that no change is told before it has stood for longer than contacts bounce, and that a device which goes away ends Run
// with [hw.ErrLost]. It looks at the contact a hundred times a second in place of being woken by it: what is seen between two
// looks is bouncing, and a level that is asked for can't be missed. It must never guess: while a device hasn't said how its contact
// stands, nothing is told.
package contact

import (
	"context"
	"fmt"
	"time"

	"github.com/flattone/flattone/hw"
)

// Kind is what a contact is wired to.
type Kind string

// The kinds of contacts.
const (
	GPIO   Kind = "gpio"   // a line of a GPIO chip
	Serial Kind = "serial" // a modem input of a serial port
	HID    Kind = "hid"    // the hook switch of a headset
)

// Config says which contact.
type Config struct {
	Kind Kind
	// Device is a GPIO chip's or a serial port's path; of a headset its path, or the place where it is plugged in, as the kernel
	// calls it (HID_PHYS).
	Device string
	// Input is the number of a GPIO line; dcd, cts, dsr or ri of a serial port; nothing of a headset.
	Input string
	// Inverted: the contact counts as closed where its input is low or off. A GPIO line is pulled to what counts as open.
	Inverted bool
	// Ring: the contact closes while the line rings, and may follow the ringing current's every period.
	Ring bool
}

// String is the contact, as its owner would call it.
func (c Config) String() string {
	if c.Input == "" {
		return fmt.Sprintf("%s %s", c.Kind, c.Device)
	}
	return fmt.Sprintf("%s %s %s", c.Kind, c.Device, c.Input)
}

// input is what a contact is read by.
type input interface {
	// high reports whether the input is high, or on; known is false while the device hasn't said so.
	high() (high, known bool, err error)
	close() error
}

// Contact is an opened contact. One goroutine has it.
type Contact struct {
	cfg   Config
	input input
}

// Open finds the contact. The error says what is wrong and what to do.
func Open(cfg Config) (*Contact, error) {
	var in input
	var err error
	switch cfg.Kind {
	case GPIO:
		in, err = openGPIO(cfg.Device, cfg.Input, cfg.Inverted)
	case Serial:
		in, err = openSerial(cfg.Device, cfg.Input)
	case HID:
		in, err = openHID(cfg.Device)
	default:
		err = fmt.Errorf("no such kind of contact: use gpio, serial or hid")
	}
	if err != nil {
		return nil, fmt.Errorf("contact %v: %w", cfg, err)
	}
	return &Contact{cfg, in}, nil
}

// Close gives the device back.
func (c *Contact) Close() error { return c.input.close() }

// every is how often the contact is looked at.
const every = 10 * time.Millisecond

// Run tells how the contact stands as soon as that is known, and then each time it has changed, until ctx ends (it then returns nil)
// or the device is lost ([hw.ErrLost]).
func (c *Contact) Run(ctx context.Context, tell func(closed bool)) error {
	s := settled{closing: bounces, opening: bounces}
	if c.cfg.Ring {
		s = settled{opening: ringing}
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		high, known, err := c.input.high()
		if err != nil {
			return fmt.Errorf("contact %v: %w: %w", c.cfg, hw.ErrLost, err)
		}
		if known && s.look(high != c.cfg.Inverted, time.Now()) {
			tell(s.closed)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Calls is who tells when calls begin and end on a live line. Recordings tell that themselves.
type Calls struct {
	Source Source
	// Device and Input are where the contact is, as in hw/contact.
	Device, Input string
	Contact       Contact
	// Inverted: the input is low, or off, while the contact is closed.
	Inverted bool
	// Silence on both legs is the end of a call that is only presumed; 0 for never.
	Silence time.Duration
}

// Source is what tells of calls.
type Source string

// The sources.
const (
	SourceAudio  Source = "audio"  // nobody, but for the sound itself: calls are presumed
	SourceAPI    Source = "api"    // whoever commands flattoned
	SourceGPIO   Source = "gpio"   // contacts
	SourceSerial Source = "serial" //
	SourceHID    Source = "hid"    //
	SourceModem  Source = "modem"  // the caller's modem, which needs no table for that
)

// Contact is what a contact says.
type Contact string

// The contacts.
const (
	Hook Contact = "hook" // closed during calls
	Ring Contact = "ring" // closed while it rings
)

// Wired reports whether it is a contact that tells of calls.
func (c Calls) Wired() bool {
	return c.Source == SourceGPIO || c.Source == SourceSerial || c.Source == SourceHID
}

// Trusted reports whether the source tells of every call's end and beginning. A ring comes before most calls, and after none.
func (c Calls) Trusted() bool {
	return c.Source == SourceAPI || c.Source == SourceModem || c.Wired() && c.Contact == Hook
}

func (t *table) calls(c *Calls) {
	choice(t, "source", &c.Source, SourceAudio, SourceAPI, SourceGPIO, SourceSerial, SourceHID)
	t.text("device", &c.Device)
	t.text("input", &c.Input)
	choice(t, "contact", &c.Contact, Hook, Ring)
	t.truth("inverted", &c.Inverted)
	t.period("silence_s", &c.Silence, time.Second, 0, 120)
}

// calls judges what a line is told of its calls by; contacts are what others use.
func (j judgement) calls(path string, c Calls, contacts map[string]string) {
	t := j.table(path)
	if !j.sound(path, "source") {
		return
	}
	wanted := map[Source][]string{
		SourceGPIO: {"device", "input", "contact", "inverted"}, SourceSerial: {"device", "input", "contact", "inverted"}, SourceHID: {"device", "inverted"},
	}[c.Source]
	for _, key := range []string{"device", "input", "contact", "inverted"} {
		if t.has(key) && !slices.Contains(wanted, key) {
			t.fault(key, fmt.Sprintf("means nothing where source is %q", c.Source), "leave it out, or name the source that has it")
		}
	}
	if !c.Wired() {
		return
	}
	t.need("device", map[Source]string{
		SourceGPIO:   `name the chip, such as "/dev/gpiochip0"`,
		SourceSerial: `name the port, such as "/dev/serial/by-id/..."`,
		SourceHID:    `name the headset by its place (HID_PHYS in /sys/class/hidraw/*/device/uevent), or by its path`,
	}[c.Source])
	if c.Source != SourceHID && !filepath.IsAbs(c.Device) && j.sound(path, "device") || c.Device == "" && t.has("device") {
		t.fault("device", "is no path of a device", `write it from the root on ("/dev/...")`)
	}
	_, number := strconv.ParseUint(c.Input, 10, 32)
	switch {
	case c.Source == SourceGPIO && (c.Input == "" || number != nil) && j.sound(path, "input"):
		t.fault("input", "is not the number of a line of the chip", `write its number in quotes, such as "17"`)
	case c.Source == SourceSerial && !slices.Contains([]string{"dcd", "cts", "dsr", "ri"}, c.Input) && j.sound(path, "input"):
		t.fault("input", "is not an input of a serial port", `write "dcd", "cts", "dsr" or "ri"`)
	}
	if !j.sound(path, "device", "input") {
		return
	}
	contact := c.Device + " " + c.Input
	if taken := contacts[contact]; taken != "" {
		t.fault("device", "has the contact that "+taken+" names too", "give each line a contact of its own: two lines have two calls")
	}
	contacts[contact] = path
}

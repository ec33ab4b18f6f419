package config

import (
	"path/filepath"
	"strconv"
)

// relay judges a line's bypass relay; relays are those of others.
func (j judgement) relay(path string, l Line, relays map[Relay]string) {
	r := l.Relay
	if r == nil {
		return
	}
	t := j.table(path)
	if !l.Live() {
		t.fault("device", "is for calls, and a line of recordings has none", "leave [line.relay] out")
		return
	}
	if !filepath.IsAbs(r.Device) && t.has("device") && j.sound(path, "device") {
		t.fault("device", "is no path of a device", `write it from the root on ("/dev/...")`)
	}
	if _, err := strconv.ParseUint(r.Output, 10, 32); err != nil && r.Output != "rts" && r.Output != "dtr" && t.has("output") && j.sound(path, "output") {
		t.fault("output", "is no output", `write the number of a GPIO chip's line in quotes, such as "17", or "rts" or "dtr" of a serial port`)
	}
	if !t.has("device") || !t.has("output") || !j.sound(path, "device", "output") {
		return
	}
	if l.Calls.Source == SourceSerial && l.Calls.Device == r.Device {
		t.fault("device", "is the port of the contact in [line.calls], whose outputs are always on", "name another port")
	}
	if taken := relays[*r]; taken != "" {
		t.fault("device", "has the output that "+taken+" names too", "give each line a relay of its own")
	}
	relays[*r] = path
}

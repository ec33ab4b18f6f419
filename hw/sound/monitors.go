package sound

import (
	"fmt"
	"strings"
	"unicode"
)

// Monitor is a way through a card's own mixer that is open from an input to an output, past whatever is between the card's ports: a sidetone, an input that
// is monitored, a loopback.
type Monitor struct {
	// Mixer is ALSA's name of it, such as hw:1.
	Mixer string
	// Control is the one that opens the way.
	Control string
	// Remedy is the command that closes it; empty where nothing does but another card.
	Remedy string
}

func (m Monitor) String() string {
	remedy := m.Remedy
	if remedy == "" {
		remedy = "something passes at its lowest, and it has no switch: use another card"
	}
	return fmt.Sprintf("%s of %s: %s", m.Control, m.Mixer, remedy)
}

// kind is what a control can be set to.
type kind uint8

const (
	toggle kind = iota + 1 // ALSA's boolean
	volume                 // its integer
	choice                 // its enumerated
)

// control is one of a mixer, as it stands.
type control struct {
	name   string
	index  int // of several with one name
	number int // of them all, from 1
	kind   kind
	values []int // one a channel: 0 or 1, how loud, which of the items
	// min is a volume's lowest; passes: something is heard even there, as with HDA codecs, which end at -34.5 dB.
	min    int
	passes bool
	// items are a choice's.
	items []string
}

// knob is what the switch and the volume of one way have in common.
type knob struct {
	name  string
	index int
}

func (c control) knob() knob {
	name := c.name
	for _, function := range []string{" Switch", " Volume"} {
		name = strings.TrimSuffix(name, function)
	}
	return knob{name, c.index}
}

// monitors are the ways that are open in a mixer. One that has a switch and a volume is closed by either.
func monitors(mixer string, all []control) (list []Monitor) {
	closed, found := map[knob]bool{}, map[knob]control{}
	var order []knob
	for _, c := range all {
		way := wayOf(c.name, c.kind)
		if way == none {
			continue
		}
		k := c.knob()
		if !c.open(way) {
			closed[k] = true
		}
		best, is := found[k]
		if !is {
			order = append(order, k)
		}
		if !is || c.kind == toggle || best.passes {
			found[k] = c
		}
	}
	for _, k := range order {
		if c := found[k]; !closed[k] {
			list = append(list, Monitor{Mixer: mixer, Control: c.name, Remedy: c.remedy(mixer)})
		}
	}
	return list
}

// open reports whether anything passes, in any channel.
func (c control) open(way way) bool {
	if c.passes {
		return true
	}
	for _, v := range c.values {
		if c.lets(v, way) {
			return true
		}
	}
	return false
}

// lets reports whether something passes at one value.
func (c control) lets(v int, way way) bool {
	switch c.kind {
	case toggle:
		return (v != 0) != mutes(c.name)
	case volume:
		return v > c.min
	}
	return v < 0 || v >= len(c.items) || !shuts(c.items[v], way)
}

// remedy is the command that closes the way, or empty.
func (c control) remedy(mixer string) string {
	to := ""
	switch c.kind {
	case toggle:
		to = "off"
		if mutes(c.name) {
			to = "on"
		}
	case volume:
		if c.passes {
			return ""
		}
		if to = fmt.Sprint(c.min); c.min < 0 {
			to = "-- " + to
		}
	case choice:
		way := wayOf(c.name, c.kind)
		for i, item := range c.items {
			if shuts(item, way) && (to == "" || off(item)) {
				to = fmt.Sprint(i)
			}
		}
		if to == "" {
			return ""
		}
	}
	id := "name=" + c.name
	if c.index > 0 {
		id += fmt.Sprintf(",index=%d", c.index)
	}
	if strings.ContainsFunc(c.name, parts) {
		id = fmt.Sprintf("numid=%d", c.number)
	}
	return fmt.Sprintf("amixer -D %s cset '%s' %s", mixer, id, to)
}

// parts reports whether a rune may mean something to a shell or to amixer. Names come from whatever is plugged in, and the command will be copied.
func parts(r rune) bool { return strings.ContainsRune(`'"\,`, r) || !unicode.IsPrint(r) }

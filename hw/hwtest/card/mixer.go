package card

import (
	"fmt"
	"os"
	"strings"
)

// Control is one of a mixer's controls, and how it stands: a line of the file that mixer.c reads.
type Control string

// Hangs makes a mixer answer nothing more.
const Hangs Control = "hangs"

// Switch is a control that is on (1) or off (0), a value a channel.
func Switch(name string, values ...int) Control { return line(name, "bool", "-", values) }

// Volume is a control from 0 to most, which are those gains in hundredths of a decibel.
func Volume(name string, most, leastGain, mostGain int, values ...int) Control {
	return line(name, "int", fmt.Sprintf("0,%d,%d,%d", most, leastGain, mostGain), values)
}

// Choice is a control that stands on one of its items.
func Choice(name string, item int, items ...string) Control {
	return line(name, "enum", strings.Join(items, ","), []int{item})
}

func line(name, kind, limits string, values []int) Control {
	return Control(fmt.Sprintf("%s\t%s\t%s\t%s", name, kind, limits, strings.Join(strings.Fields(strings.Trim(fmt.Sprint(values), "[]")), ",")))
}

// Mix makes these all the controls of a card that was made with a mixer, at once, and tells whoever watches it.
func (c *Card) Mix(controls ...Control) {
	c.t.Helper()
	var text strings.Builder
	for _, control := range controls {
		fmt.Fprintln(&text, control)
	}
	next := c.file + ".mixer-next"
	err := os.WriteFile(next, []byte(text.String()), 0o600)
	if err == nil {
		err = os.Rename(next, c.file+".mixer")
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

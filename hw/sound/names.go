package sound

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// What a mixer's control does is told by its name alone. The kernel's rule for that is SOURCE [CHANNEL] [DIRECTION] FUNCTION (its document "Standard ALSA
// Control Names"), drivers keep to it more or less, and USB cards bring names of their own. In doubt a control counts as a way past the box: then the line
// isn't armed, and somebody looks.

// way is how a control may lead from an input to an output.
type way uint8

const (
	none    way = iota
	through     // it lets an input through, unless it is off
	route       // it chooses what an output plays, which may be an input
)

// sources are the inputs. Line is one by the kernel's rule ("Line Out" is the output), Headset and Headphone without Mic are outputs.
var sources = []string{"mic", "mics", "micin", "microphone", "microphones", "dmic", "line", "linein", "aux", "auxin", "cd", "phone", "video", "radio", "tuner", "tv",
	"adc", "input", "inputs", "in", "guitar", "instrument", "inst", "talkback"}

// places may stand beside a source without changing what it is.
var places = []string{"front", "rear", "dock", "internal", "external", "headset", "headphone", "left", "right", "mono", "stereo", "analog", "analogue", "digital",
	"spdif", "mixer", "source"}

// outputs are what a monitor is where it means loudspeakers.
var outputs = []string{"master", "out", "output", "outputs", "speaker", "speakers", "headphone", "headphones", "pcm"}

// wayOf is what a control of that name may be.
func wayOf(name string, k kind) way {
	w := words(name)
	switch {
	case w.has("sidetone", "loopback") || w.next("side", "tone") || w.next("loop", "back") || w.next("zero", "latency"),
		w.has("monitor", "monitoring") && (w.has("direct") || w.source() || !w.has(outputs...)):
		return through
	case k == choice && w.has("playback", "output", "route") && (w.has("playback") || !w.has("capture")):
		return route
	case k == choice || !w.source():
		return none
	case w.has("playback", "bypass"):
		return through
	case w.bare(): // and so it is for both directions
		return through
	}
	return none
}

// shuts reports whether nothing passes with an item chosen.
func shuts(item string, way way) bool {
	if way == through {
		return off(item)
	}
	w := words(item)
	digital := w.has("analog", "analogue", "spdif", "adat", "aes", "digital", "iec958") || w.next("s", "pdif")
	return !w.source() && !(digital && (w.has("mixer") || w.numbered()))
}

// off reports whether a choice's item is one that stands for nothing.
func off(item string) bool {
	w := words(item)
	return len(w) == 1 && w.has("off", "disabled", "disable", "none", "no", "mute", "muted")
}

// mutes reports whether a switch closes when it is on.
func mutes(name string) bool { return words(name).has("mute") }

// phrase is a name in small letters, cut at whatever is neither letter nor digit.
type phrase []string

func words(name string) phrase {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// is reports whether a word is one of a list, numbered or not.
func is(word string, list []string) bool {
	return slices.Contains(list, word) || slices.Contains(list, strings.TrimRight(word, "0123456789"))
}

func (p phrase) has(list ...string) bool {
	return slices.ContainsFunc(p, func(word string) bool { return is(word, list) })
}

// next reports whether two words follow each other.
func (p phrase) next(first, second string) bool {
	i := slices.Index(p, first)
	return i >= 0 && i+1 < len(p) && p[i+1] == second
}

// numbered reports whether a word is a number.
func (p phrase) numbered() bool {
	return slices.ContainsFunc(p, func(word string) bool {
		_, err := strconv.Atoi(word)
		return err == nil
	})
}

// source reports whether an input is named. What is called its output isn't one, and what is unknown to a USB card's driver may be.
func (p phrase) source() bool {
	for i, word := range p {
		if is(word, sources) && (i+1 == len(p) || !is(p[i+1], []string{"out", "outs", "output", "outputs"})) {
			return true
		}
	}
	return p.next("mixer", "source")
}

// bare reports whether the phrase is a source's switch or volume, and nothing else such as its boost.
func (p phrase) bare() bool {
	last := len(p) - 1
	if last < 0 || p[last] != "switch" && p[last] != "volume" {
		return false
	}
	return !slices.ContainsFunc(p[:last], func(word string) bool {
		return !is(word, sources) && !is(word, places) && strings.Trim(word, "0123456789") != ""
	})
}

package sound

import (
	"slices"
	"strings"
	"testing"
	"unicode"
)

// on, loud, chosen are controls as they stand.
func on(name string, values ...int) control { return control{name: name, kind: toggle, values: values} }

func loud(name string, values ...int) control {
	return control{name: name, kind: volume, values: values}
}

func chosen(name string, item int, items ...string) control {
	return control{name: name, kind: choice, values: []int{item}, items: items}
}

// at makes a volume's lowest one that is heard.
func (c control) at(index int) control { c.index = index; return c }
func (c control) heard() control       { c.passes = true; return c }

// Cards as amixer shows them, and the ways that are open in each.
func TestMonitorsOfRealCards(t *testing.T) {
	for card, c := range map[string]struct {
		controls []control
		open     []string
	}{
		"USB headset, C-Media CM108": {[]control{
			on("Speaker Playback Switch", 1), loud("Speaker Playback Volume", 20, 20), on("Mic Playback Switch", 1), loud("Mic Playback Volume", 8),
			on("Mic Capture Switch", 1), loud("Mic Capture Volume", 30), on("Auto Gain Control", 1),
		}, []string{"Mic Playback Switch"}},
		"the same, muted": {[]control{
			on("Speaker Playback Switch", 1), loud("Speaker Playback Volume", 20, 20), on("Mic Playback Switch", 0), loud("Mic Playback Volume", 8),
			on("Mic Capture Switch", 1), loud("Mic Capture Volume", 30), on("Auto Gain Control", 1),
		}, nil},
		"the same, turned down": {[]control{
			on("Mic Playback Switch", 1), loud("Mic Playback Volume", 0),
		}, nil},
		"USB headset with a sidetone": {[]control{
			on("Headset Capture Switch", 1), loud("Headset Capture Volume", 10), on("Sidetone Playback Switch", 1), loud("Sidetone Playback Volume", 4096),
			on("Headset Playback Switch", 1), loud("Headset Playback Volume", 20, 20),
		}, []string{"Sidetone Playback Switch"}},
		"USB card with a mixer unit": {[]control{
			loud("Mic Volume", 3), loud("PCM Volume", 3), loud("Mixer Source 1 Volume", 3), on("Mic Boost Switch", 1),
		}, []string{"Mic Volume", "Mixer Source 1 Volume"}},
		"HDA, Realtek": {[]control{
			loud("Master Playback Volume", 80), on("Headphone Playback Switch", 1, 1), on("Line Out Playback Switch", 1, 1),
			on("Front Mic Playback Switch", 0, 1), loud("Front Mic Playback Volume", 0, 0).heard(), on("Rear Mic Playback Switch", 0, 0),
			loud("Rear Mic Playback Volume", 31, 31).heard(), on("Line Playback Switch", 0, 0), loud("Line Playback Volume", 20, 20).heard(),
			loud("Front Mic Boost Volume", 2, 2), loud("Headphone Mic Boost Volume", 2, 2), loud("Line Boost Volume", 1), on("Capture Switch", 1, 1),
			on("Beep Playback Switch", 1), chosen("Input Source", 1, "Front Mic", "Rear Mic", "Line"), chosen("Auto-Mute Mode", 1, "Disabled", "Enabled"),
			chosen("Loopback Mixing", 0, "Disabled", "Enabled"), chosen("Mic Jack Mode", 1, "Line Out", "Mic In"), on("IEC958 Playback Switch", 1),
		}, []string{"Front Mic Playback Switch"}},
		"HDA, VIA": {[]control{chosen("Loopback Mixing", 1, "Disabled", "Enabled")}, []string{"Loopback Mixing"}},
		"AC97": {[]control{
			on("Phone Playback Switch", 1), loud("Phone Playback Volume", 24).heard(), on("CD Playback Switch", 1, 1), on("Aux Playback Switch", 0, 0),
			on("Line Playback Switch", 0, 0), on("Mic Boost (+20dB)", 1), chosen("Mic Select", 0, "Mic1", "Mic2"), on("ADC/DAC Loopback", 1),
			chosen("Capture Source", 0, "Mic", "CD", "Video", "Aux", "Line", "Mix", "Mix Mono", "Phone"), on("External Amplifier", 1),
		}, []string{"Phone Playback Switch", "CD Playback Switch", "ADC/DAC Loopback"}},
		"TI PCM2902, as in Behringer's UCA202": {[]control{
			on("PCM Playback Switch", 1), loud("PCM Playback Volume", 100, 100), chosen("PCM Capture Source", 1, "Mic", "Line"), on("Mic Capture Switch", 1),
			loud("Mic Capture Volume", 40), on("Line Capture Switch", 1), loud("Line Capture Volume", 40, 40),
		}, nil},
		"Behringer UMC202HD": {[]control{
			on("UMC202HD 192k Output Playback Switch", 1), loud("UMC202HD 192k Output Playback Volume", 127, 127),
		}, nil},
		"Focusrite Scarlett Solo, third generation": {[]control{
			on("Direct Monitor Playback Switch", 1), chosen("Line In 1 Level Capture Enum", 1, "Line", "Inst"), on("Line In 1 Air Capture Switch", 1),
			on("Line In 2 Phantom Power Capture Switch", 1),
		}, []string{"Direct Monitor Playback Switch"}},
		"Focusrite Scarlett 2i2, third generation": {[]control{
			chosen("Direct Monitor Playback Enum", 2, "Off", "Mono", "Stereo"),
		}, []string{"Direct Monitor Playback Enum"}},
		"Focusrite Scarlett 4i4, third generation": {[]control{
			chosen("Analogue Output 01 Playback Enum", 1, "Off", "Analogue 1", "PCM 1", "Mix A"),
			chosen("Analogue Output 02 Playback Enum", 2, "Off", "Analogue 1", "PCM 1", "Mix A"),
			chosen("Analogue Output 03 Playback Enum", 3, "Off", "Analogue 1", "PCM 1", "Mix A"), chosen("PCM 01 Capture Enum", 1, "Off", "Analogue 1"),
			chosen("Mixer Input 01 Capture Enum", 1, "Off", "Analogue 1"), loud("Mix A Input 01 Playback Volume", 160), loud("Mix A Input 02 Playback Volume", 0),
		}, []string{"Analogue Output 01 Playback Enum", "Mix A Input 01 Playback Volume"}},
		"Focusrite Scarlett 6i6, first generation": {[]control{
			on("Master 1 (Monitor) Playback Switch", 1), loud("Master 1 (Monitor) Playback Volume", 120, 120), on("Input 1 Pad Switch", 1),
			chosen("Matrix 01 Input Playback Route", 2, "Off", "PCM 1", "Analog 1"), loud("Matrix 01 Mix A Playback Volume", 0), on("Input 1 Hi-Z Switch", 1),
		}, []string{"Matrix 01 Input Playback Route"}},
		"Xonar": {[]control{
			on("Analog Input Monitor Playback Switch", 1), loud("Analog Input Monitor Playback Volume", 127), on("Digital Input Monitor Playback Switch", 0),
			chosen("Analog Output Playback Enum", 1, "Speakers", "Headphones"),
		}, []string{"Analog Input Monitor Playback Switch"}},
		"Envy24": {[]control{
			chosen("H/W Playback Route", 1, "PCM Out", "H/W In 0", "IEC958 In L", "Digital Mixer"),
			chosen("IEC958 Playback Route", 3, "PCM Out", "H/W In 0", "IEC958 In L", "Digital Mixer"), loud("DAC Volume", 127),
		}, []string{"H/W Playback Route", "IEC958 Playback Route"}},
		"WM8731": {[]control{
			on("Output Mixer Line Bypass Switch", 1), on("Output Mixer Mic Sidetone Switch", 1), on("Output Mixer HiFi Playback Switch", 1),
			chosen("Input Select", 1, "Line In", "Mic"),
		}, []string{"Output Mixer Line Bypass Switch", "Output Mixer Mic Sidetone Switch"}},
		"names that nobody has seen yet": {[]control{
			on("Zero Latency Monitoring", 1), on("Side-Tone", 1), loud("Talkback Mix A Playback Volume", 1), chosen("Hardware Loop-Back", 1, "none", "pre fader"),
			chosen("Sidetone Level", 7, "off"), on("Mic Playback Mute", 0), loud("Sidetone Playback Volume", 0).heard(), on("Monitor", 1),
		}, []string{"Zero Latency Monitoring", "Side-Tone", "Talkback Mix A Playback Volume", "Hardware Loop-Back", "Sidetone Level", "Mic Playback Mute",
			"Sidetone Playback Volume", "Monitor"}},
		"two of one name": {[]control{
			on("Mic Playback Switch", 0), loud("Mic Playback Volume", 9), on("Mic Playback Switch", 1).at(1), loud("Mic Playback Volume", 9).at(1),
		}, []string{"Mic Playback Switch"}},
	} {
		t.Run(card, func(t *testing.T) {
			for range 2 { // in whatever order
				var open []string
				for _, m := range monitors("hw:1", c.controls) {
					open = append(open, m.Control)
				}
				slices.Sort(open)
				slices.Sort(c.open)
				if !slices.Equal(open, c.open) {
					t.Errorf("open are %q, not %q", open, c.open)
				}
				slices.Reverse(c.controls)
			}
		})
	}
}

// A remedy, once carried out, closes the way.
func TestRemedies(t *testing.T) {
	for _, c := range []struct {
		of     control
		remedy string
	}{
		{on("Mic Playback Switch", 1), `amixer -D hw:1 cset 'name=Mic Playback Switch' off`},
		{on("Mic Playback Switch", 1).at(2), `amixer -D hw:1 cset 'name=Mic Playback Switch,index=2' off`},
		{on("Mic Playback Mute", 0), `amixer -D hw:1 cset 'name=Mic Playback Mute' on`},
		{control{name: "Sidetone Volume", kind: volume, values: []int{5}, min: -3}, `amixer -D hw:1 cset 'name=Sidetone Volume' -- -3`},
		{loud("Sidetone Volume", 5).heard(), ""},
		{chosen("Loopback Mixing", 1, "Disabled", "Enabled"), `amixer -D hw:1 cset 'name=Loopback Mixing' 0`},
		{chosen("Analogue Output 01 Playback Enum", 0, "Analogue 1", "PCM 1", "Off", "PCM 2"), `amixer -D hw:1 cset 'name=Analogue Output 01 Playback Enum' 2`},
		{chosen("Output 1 Route", 0, "Line", "PCM"), `amixer -D hw:1 cset 'name=Output 1 Route' 1`},
		{chosen("Sidetone Level", 0, "low", "high"), ""},
		{control{name: "Mic '$(halt)' Playback Switch", kind: toggle, values: []int{1}, number: 7}, `amixer -D hw:1 cset 'numid=7' off`},
	} {
		if open := monitors("hw:1", []control{c.of}); len(open) != 1 || open[0].Remedy != c.remedy {
			t.Errorf("%+v is open, and closed by %q", open, c.remedy)
		}
	}
}

// Whatever a card calls its controls, a remedy is one command for a shell.
func FuzzRemedies(f *testing.F) {
	f.Add("Mic Playback Switch", "Off,On", 1)
	f.Add("Mic '; halt #' Playback Volume\n", "\x1b[2J", -1)
	f.Add("Sidetone \\\"`halt`$(halt), Enum", "", 0)
	f.Fuzz(func(t *testing.T, name, items string, value int) {
		for k := toggle; k <= choice; k++ {
			c := control{name: name, kind: k, number: 3, values: []int{value}, items: strings.Split(items, ",")}
			for _, m := range monitors("hw:1", []control{c}) {
				rest, begins := strings.CutPrefix(m.Remedy, "amixer -D hw:1 cset '")
				id, to, ends := strings.Cut(rest, "' ")
				if m.Remedy != "" && (!begins || !ends || strings.ContainsFunc(id, func(r rune) bool { return r == '\'' || !unicode.IsPrint(r) }) ||
					strings.Trim(to, "-0123456789 ") != "" && to != "on" && to != "off") {
					t.Errorf("%q is closed by %q", name, m.Remedy)
				}
			}
		}
	})
}

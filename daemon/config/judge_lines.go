package config

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func (j judgement) lines() {
	if len(j.c.Lines) == 0 && j.sound("", "line") {
		j.table("").fault("line", "is missing", "write a [[line]] table for each telephone line")
	}
	channels, contacts, ports, relays := map[channel]string{}, map[string]string{}, map[string]string{}, map[Relay]string{}
	names, files := map[string]string{}, map[string]string{
		filepath.Clean(j.c.file): "this file",
	}
	for _, d := range j.c.Upstream {
		for _, file := range d.Files() {
			files[file] = "what upstream." + d.Name + " names"
		}
	}
	for _, c := range j.c.Clients {
		files[c.SecretFile], files[c.OldSecretFile] = "what client."+c.Name+" names", "what client."+c.Name+" names"
	}
	delete(files, "") // what isn't there overwrites nothing
	for _, f := range j.c.Vault.files() {
		files[f.path] = "what " + f.key + " names"
	}
	for i, l := range j.c.Lines {
		for _, in := range slices.Concat(l.WAV.CallerIn, l.WAV.AgentIn) {
			files[in] = "a recording that " + element("line", i) + " plays"
		}
	}
	for i, l := range j.c.Lines {
		path := element("line", i)
		if j.sound(path, "name") {
			j.name(j.table(path), "name", l.Name)
			if first, taken := names[l.Name]; taken {
				j.table(path).fault("name", "is the name of "+first+" too", "give every line a name of its own")
			}
			names[l.Name] = path
		}
		j.line(path, l)
		j.agentKeys(join(path, "agent_keys"), l)
		j.emergencyNumbers(path, l.EmergencyNumbers)
		j.wav(join(path, "wav"), l.WAV, files)
		j.modems(path, &l, ports)
		if l.Sound != nil {
			j.devices(join(path, "sound"), l, channels)
			j.flatTone(path, l)
		}
		if l.Live() {
			j.calls(join(path, "calls"), l.Calls, contacts)
		}
		j.relay(join(path, "relay"), l, relays)
		j.recorder(join(path, "recorder"), l.Recorder)
	}
}

// channel is one of a device's.
type channel struct {
	device string
	number int
}

// numbered is how PortAudio's name of a kernel's card ends.
var numbered = regexp.MustCompile(`\(hw:\d+,\d+\)$`)

// devices judges the sides of a line that are sound devices; channels are what others use.
func (j judgement) devices(path string, l Line, channels map[channel]string) {
	t := j.table(path)
	for _, side := range []struct {
		key   string
		modem *Modem
		channel
	}{{"caller", l.CallerModem, channel{l.Sound.Caller, l.Sound.CallerChannel}}, {"agent", l.AgentModem, channel{l.Sound.Agent, l.Sound.AgentChannel}}} {
		if side.modem != nil || !j.sound(path, side.key, side.key+"_channel") {
			continue
		}
		if side.device == "" {
			t.fault(side.key, "is empty", "name a sound device: flattone devices lists them")
			continue
		}
		if numbered.MatchString(side.device) {
			t.fault(side.key, "names a card by the kernel's number, which is another one after it was plugged in again",
				"give the card a name, and write that: flattone devices adopt")
		}
		if taken := channels[side.channel]; taken != "" {
			t.fault(side.key, fmt.Sprintf("has channel %d of a device that is %s", side.number, taken), "name another device, or another channel of it")
		}
		channels[side.channel] = join(path, side.key) + "'s"
	}
}

// loudestTone is the most that a flat tone may be amplified to, in dBm0: there is 6 dB more up to full scale, for the noise that it stands in.
const loudestTone = -3.0

// flatTone judges how loud the agent hears a key.
func (j judgement) flatTone(path string, l Line) {
	if heard := l.FlatToneDBm0 + l.Sound.GainToAgentDB; heard > loudestTone && j.sound(path, "flat_tone_dbm0") && j.sound(join(path, "sound"), "gain_to_agent_db") {
		j.table(join(path, "sound")).fault("gain_to_agent_db", fmt.Sprintf("makes the flat tone %g dBm0 loud", heard),
			fmt.Sprintf("make flat_tone_dbm0 and this no more than %g together", loudestTone))
	}
}

// name reports a name that can't be part of file names, unit names and arguments.
func (j judgement) name(t *table, key, name string) {
	if remedy := nameFlaw(name); remedy != "" {
		t.fault(key, "can't be used as a name", remedy)
	}
}

// nameFlaw is what to write in the place of a name that can't be used; empty for one that can.
func nameFlaw(name string) (remedy string) {
	odd := strings.ContainsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' })
	if name == "" || len(name) > 32 || odd || name[0] == '-' {
		return "write 1 to 32 of a-z, 0-9 and hyphens, not a hyphen first"
	}
	return ""
}

func (j judgement) line(path string, l Line) {
	t := j.table(path)
	if j.sound(path, "rate_hz") && !l.Rate.Supported() {
		t.fault("rate_hz", "is not a rate that flattone works at", "write 8000, 16000, 44100 or 48000")
	}
	if near, what := tooNear(l.FlatToneHz); near && j.sound(path, "flat_tone_hz") {
		t.fault("flat_tone_hz", fmt.Sprintf("is within %d Hz of %s", toneDistanceHz, what), "write 1020, or another that is further from all signalling tones")
	}
	if l.OnFault == OnFaultWire && l.Place == DeskSide && j.sound(path, "on_fault", "place") {
		t.fault("on_fault", "contradicts place: behind a desk-side line there is nothing but the agent's ear, and the phone beside it goes on by itself", `write "mute", or leave it out`)
	}
	if !j.sound(path, "profile") || !j.sound("profile", l.Profile) {
		return
	}
	p, exists := j.c.Profiles[l.Profile]
	switch {
	case !exists:
		t.fault("profile", "is not a profile of this file", "write a [profile.NAME] table of that name, or name one that there is")
	case p.TestCVVLength != 0 && !t.has("wav"):
		t.fault("profile", "has test_cvv_length, which no real card meets", "take test_cvv_length out of the profile: it is for recordings")
	case p.Keep.Stored() && l.Place == DeskSide && !j.c.Vault.DeskSide && j.sound(path, "place"):
		t.fault("profile", fmt.Sprintf("has keep = %q, and a desk-side line leaves telephone, PBX and recorder in scope beside the cards that are kept", p.Keep),
			`write keep = "none" into the profile, or desk_side = true into [vault] if it is meant`)
	}
}

// agentKeys judges what the agent keys to ask for something. No ordinary number begins with * or #, and no card: on a line whose legs are
// swapped the first key of one must not pass for the first of these.
func (j judgement) agentKeys(path string, l Line) {
	t, k := j.table(path), l.AgentKeys
	all := []struct{ key, keys string }{{"start", k.Start}, {"cancel", k.Cancel}, {"answer", k.Answer}, {"hang_up", k.HangUp}}
	for i, s := range all {
		odd := strings.ContainsFunc(s.keys, func(r rune) bool { return !strings.ContainsRune("0123456789*#ABCD", r) })
		switch {
		case s.keys == "" || !j.sound(path, s.key):
			continue
		case odd || len(s.keys) < 2 || len(s.keys) > 8:
			t.fault(s.key, "is not a sequence of keys", "write 2 to 8 of 0-9, *, # and A-D, or leave it out")
		case s.keys[0] != '*' && s.keys[0] != '#':
			t.fault(s.key, "begins as a number does", "begin it with * or #")
		case i >= 2 && l.CallerModem == nil:
			t.fault(s.key, "is for calls that a modem takes, and the caller's side is none", "leave it out")
		}
		for _, o := range all[:i] {
			if o.keys != "" && j.sound(path, o.key, s.key) && (strings.Contains(o.keys, s.keys) || strings.Contains(s.keys, o.keys)) {
				t.fault(s.key, "lies within "+o.key+", or "+o.key+" within it", "choose sequences of which none is part of another")
			}
		}
	}
}

// emergencyNumbers judges the numbers that are never kept from being dialled. A single key would be one that anybody presses by mistake, and whoever has none to
// dial here has the wrong list, not none.
func (j judgement) emergencyNumbers(path string, numbers []string) {
	if !j.sound(path, "emergency_numbers") {
		return
	}
	t, seen := j.table(path), map[string]bool{}
	for _, number := range numbers {
		switch {
		case len(number) < 2 || len(number) > 8 || strings.Trim(number, "0123456789") != "":
			t.fault("emergency_numbers", "has "+show(number)+", which is no number to dial", "write 2 to 8 of 0-9 for each, without spaces")
		case seen[number]:
			t.fault("emergency_numbers", "has "+show(number)+" twice", "write it once")
		}
		seen[number] = true
	}
}

// wav judges a line's recordings; files are what others read and write.
func (j judgement) wav(path string, w WAV, files map[string]string) {
	t := j.table(path)
	if len(w.CallerIn) != len(w.AgentIn) && j.sound(path, "caller_in", "agent_in") {
		t.fault("agent_in", fmt.Sprintf("has %d recordings, caller_in %d", len(w.AgentIn), len(w.CallerIn)), "name one recording of each leg for each call")
	}
	for _, out := range []struct{ key, file string }{{"agent_out", w.AgentOut}, {"caller_out", w.CallerOut}, {"clock_file", w.ClockFile}} {
		if out.file == "" {
			continue
		}
		if taken := files[out.file]; taken != "" {
			t.fault(out.key, "would overwrite "+taken, "name a file of its own")
		}
		files[out.file] = "what " + join(path, out.key) + " writes"
	}
}

func (j judgement) profiles() {
	for _, name := range j.c.profileNames() {
		p, path := j.c.Profiles[name], join("profile", name)
		t := j.table(path)
		j.name(j.table("profile"), name, name)
		if flaw := nameFlaw(p.Tenant); flaw != "" && j.sound(path, "tenant") {
			t.fault("tenant", "is not a name", flaw)
		}
		j.charged(path, p)
		if j.sound(path, "fields") && !ordered(p.Fields) {
			t.fault("fields", "does not ask in the order in which a card can be checked", `write "pan" first, then "expiry" and "cvv" if they are wanted`)
		}
		if j.sound(path, "key_warning_s", "key_timeout_s") && p.KeyWarning >= p.KeyTimeout {
			t.fault("key_warning_s", "is no warning, as key_timeout_s comes first", "make it shorter than key_timeout_s")
		}
		if j.sound(path, "overall_timeout_s", "key_timeout_s") && p.OverallTimeout <= p.KeyTimeout {
			t.fault("overall_timeout_s", "is over before key_timeout_s is", "make it longer than key_timeout_s")
		}
	}
}

// ordered reports whether fields begin with the PAN and keep the order of [Fields].
func ordered(fields []Field) bool {
	place := func(f Field) int { return slices.Index(Fields(), f) }
	return fields[0] == PAN && slices.IsSortedFunc(fields, func(a, b Field) int { return place(a) - place(b) })
}

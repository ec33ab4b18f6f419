package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/flattone/flattone/audio"
)

// Modem is a side of a line that is a modem at a serial port.
type Modem struct {
	// Name is that of the profile by which the modem is spoken to.
	Name    string
	Profile ModemProfile
	// Port is for commands, SoundPort for the sound of a [PCM] modem. Both are empty where the modem is found by the profile's USB numbers.
	Port, SoundPort string
}

// modemRate is every modem's.
const modemRate = audio.Rate8k

// Live reports whether the line is made of devices, rather than of recordings.
func (l Line) Live() bool { return l.Sound != nil || l.CallerModem != nil || l.AgentModem != nil }

// Tunes reports whether the line has to be tuned before it takes cards: it is where wires may be crossed, and a cable can be put where the agent is. Behind a
// modem on his side is a network, and nobody knows what that makes of silence.
func (l Line) Tunes() bool { return l.Sound != nil && l.AgentModem == nil }

func (t *table) modem(m *Modem) {
	if !t.has("profile") { // or all names would be looked up for nothing
		t.need("profile", "write the name of a modem's profile: "+either(modemNames(t.r.file)))
	}
	t.text("profile", &m.Name)
	t.text("port", &m.Port)
	t.text("sound_port", &m.SoundPort)
}

// modems judges the sides of a line that are modems; ports are what others use.
func (j judgement) modems(path string, l *Line, ports map[string]string) {
	if (l.CallerModem != nil || l.AgentModem != nil) && l.Rate != modemRate && j.sound(path, "rate_hz") {
		j.table(path).fault("rate_hz", "is not the rate of a modem", fmt.Sprintf("write %d, or leave it out", int(modemRate)))
	}
	if l.Sound != nil && j.sound(path, "rate_hz") {
		j.deviceRate(join(path, "sound"), l)
	}
	j.modem(join(path, "caller_modem"), l.CallerModem, ports)
	j.modem(join(path, "agent_modem"), l.AgentModem, ports)
}

// deviceRate judges the rate of a device that has none of a modem's.
func (j judgement) deviceRate(path string, l *Line) {
	t := j.table(path)
	if !t.has("device_rate_hz") || !j.sound(path, "device_rate_hz") {
		return
	}
	switch s := l.Sound; {
	case l.CallerModem == nil && l.AgentModem == nil:
		t.fault("device_rate_hz", "stands on a line without a modem, which runs at its devices' rate", "write that as the line's rate_hz")
	case !s.DeviceRate.Supported() || s.DeviceRate%modemRate != 0:
		t.fault("device_rate_hz", fmt.Sprintf("is no whole multiple of a modem's %d", int(modemRate)), "write 16000 or 48000, or leave it out")
	case s.PeriodFrames%int(s.DeviceRate/modemRate) != 0 && j.sound(path, "period_frames"):
		t.fault("period_frames", "makes no whole number of frames at a modem's rate", fmt.Sprintf("write a multiple of %d", int(s.DeviceRate/modemRate)))
	}
}

// modem finds a modem's profile, and judges its ports by that.
func (j judgement) modem(path string, m *Modem, ports map[string]string) {
	t := j.table(path)
	if m == nil || !t.has("profile") || !j.sound(path, "profile") || !j.modemProfile(t, m) {
		return
	}
	switch pcm := m.Profile.Kind == PCM; {
	case !pcm && t.has("sound_port"):
		t.fault("sound_port", "is one port too many, for the sound comes in where the commands go out", "leave it out")
	case pcm && t.has("port") != t.has("sound_port"):
		const remedy = "write both ports or neither: one is for commands, the other for sound"
		t.need("port", remedy)
		t.need("sound_port", remedy)
	case t.has("port"):
	case len(m.Profile.USB) == 0:
		t.need("port", "write the port's path: the profile has no USB numbers to find it by")
	default:
		j.port(t, "profile", "the "+m.Name+" at USB", ports)
	}
	for _, p := range []struct{ key, port string }{{"port", m.Port}, {"sound_port", m.SoundPort}} {
		switch {
		case !t.has(p.key) || !j.sound(path, p.key):
		case !filepath.IsAbs(p.port):
			t.fault(p.key, "is no path of a device", `write it from the root on ("/dev/serial/by-id/...")`)
		default:
			j.port(t, p.key, p.port, ports)
		}
	}
}

// port reports a port that has another use already.
func (j judgement) port(t *table, key, port string, ports map[string]string) {
	if taken := ports[port]; taken != "" {
		t.fault(key, "names what "+taken+" names, too", "give every modem ports of its own, by their paths")
	}
	ports[port] = join(t.path, key)
}

// modemProfile reads the profile that a modem's table names, whose faults are told once.
func (j judgement) modemProfile(t *table, m *Modem) (ok bool) {
	p, known, err := modemProfile(j.c.file, m.Name)
	m.Profile = p
	switch faults, wrong := errors.AsType[Faults](err); {
	case !known:
		t.fault("profile", "is no modem that flattone knows", "write "+either(modemNames(j.c.file))+", or put a file of that name into the folder modems beside this one")
	case wrong:
		for _, f := range faults {
			if !slices.Contains(j.r.faults, f) {
				j.r.faults = append(j.r.faults, f)
			}
		}
	case err != nil:
		t.fault("profile", "can't be read: "+err.Error(), "make it readable, or name another")
	}
	return known && err == nil
}

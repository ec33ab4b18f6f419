package line

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/recording"
	"github.com/flattone/flattone/hw/contact"
	"github.com/flattone/flattone/hw/serial"
	"github.com/flattone/flattone/hw/sound"
	"github.com/flattone/flattone/hw/sound/cards"
	"github.com/flattone/flattone/hw/wavline"
)

// What the config says, in the words of the parts.

func pathConfig(l config.Line) path.Config {
	c := path.Config{Rate: l.Rate, LookAhead: l.LookAhead, Wire: l.OnFault == config.OnFaultWire, ToneHz: float64(l.FlatToneHz), ToneDBm0: l.FlatToneDBm0,
		Idle:   map[config.Idle]mask.Grade{config.IdleMask: mask.Idle, config.IdlePass: mask.Pass}[l.Idle],
		Shield: map[config.Shield]mask.Shield{config.ShieldKeys: mask.Keys, config.ShieldRun: mask.Run, config.ShieldField: mask.Field}[l.Shield]}
	return c
}

func wavConfig(w config.WAV, released <-chan struct{}, follow func(audio.Position)) wavline.Config {
	return wavline.Config{CallerIn: w.CallerIn, AgentIn: w.AgentIn, AgentOut: w.AgentOut, CallerOut: w.CallerOut,
		Pace: w.Pace, Gap: w.Gap, WaitArmed: w.WaitArmed, Released: released, ClockFile: w.ClockFile, Follow: follow}
}

// periodFrames is what a device gives at a time, for want of another wish: 2.7 ms, or 3.
var periodFrames = map[audio.Rate]int{audio.Rate8k: 24, audio.Rate16k: 48, audio.Rate44k: 128, audio.Rate48k: 128}

func soundConfig(l config.Line, runtimeDir string, known cards.Known) sound.Config {
	rate := cmp.Or(l.Sound.DeviceRate, l.Rate)
	by := int(rate / l.Rate)
	whole := (periodFrames[rate] + by - 1) / by * by
	c := sound.Config{Rate: l.Rate, DeviceRate: rate, PeriodFrames: cmp.Or(l.Sound.PeriodFrames, whole), LockDir: locks(runtimeDir), Known: known}
	if l.CallerModem == nil {
		c.Caller = sound.Side{Device: l.Sound.Caller, Channel: l.Sound.CallerChannel}
	}
	if l.AgentModem == nil {
		c.Agent = sound.Side{Device: l.Sound.Agent, Channel: l.Sound.AgentChannel}
	}
	return c
}

func recorderConfig(l config.Line) recording.Config {
	return recording.Config{Line: l.Name, Rate: l.Rate, Folder: l.Recorder.Folder, Most: l.Recorder.Most}
}

func modemProfile(p config.ModemProfile) serial.Profile {
	return serial.Profile{Make: p.Make, Kind: serial.Kind(p.Kind), Baud: p.Baud, Frame: p.Frame, Init: p.Init, Optional: p.Optional,
		Before: p.Before, Answer: p.Answer, Dial: p.Dial, HangUp: p.HangUp, AudioOn: p.AudioOn, AudioOff: p.AudioOff, AudioTries: p.AudioTries,
		Calls: p.Calls, Reset: p.Reset, Says: serial.Says(p.Says)}
}

// locks is the folder in which a device says who owns it, and which card it is.
func locks(runtimeDir string) string { return filepath.Join(runtimeDir, "devices") }

func knownCards(from config.Devices) cards.Known {
	known := cards.Known{}
	for name, d := range from {
		known[name] = cards.Adopted{Identity: cards.Identity{Place: d.Place, IDs: d.IDs, Serial: d.Serial}, PCM: d.PCM, Plugging: d.Plugging}
	}
	return known
}

func contactConfig(c config.Calls) contact.Config {
	return contact.Config{Kind: contact.Kind(c.Source), Device: c.Device, Input: c.Input, Inverted: c.Inverted, Ring: c.Contact == config.Ring}
}

// talkingKeypads are the profiles whose callers have phones that speak the keys.
func talkingKeypads(of map[string]config.Profile) map[string]bool {
	talking := map[string]bool{}
	for name, p := range of {
		talking[name] = p.TalkingKeypad
	}
	return talking
}

func captureProfiles(from map[string]config.Profile) (map[string]capture.Profile, error) {
	out := map[string]capture.Profile{}
	for name, p := range from {
		c := capture.Profile{
			Visa19: p.Visa19, Tries: p.Tries, KeyTimeout: p.KeyTimeout, KeyWarning: p.KeyWarning, OverallTimeout: p.OverallTimeout,
			QuietEnd: p.QuietEnd, RefusalQuiet: p.RefusalQuiet, Restart: p.Restart, SameKeyGuard: p.SameKeyGuard, TestCVVLength: p.TestCVVLength,
		}
		for _, f := range p.Fields {
			field, err := capture.ParseField(string(f))
			if err != nil {
				return nil, fmt.Errorf("profile %s: %w", name, err)
			}
			c.Fields = append(c.Fields, field)
		}
		for _, b := range p.Brands {
			c.Brands = append(c.Brands, capture.Brand(b))
		}
		out[name] = c
	}
	return out, nil
}

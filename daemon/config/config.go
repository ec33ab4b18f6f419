// Package config reads flattone's one configuration file, /etc/flattone/flattone.toml, which every
// process of the box shares.
//
// It exists so that a mistake in the file is found before a call is, and by the person who made it: the
// file carries a version, a key that nobody reads is refused, every fault is reported at once, and each
// says where it stands, what was written, why that is wrong and what to write instead. What is absent
// takes the value in defaults.go, the one place that has them.
//
// The file holds no secret. Keys and webhook secrets are in files of their own, which it names; a fault
// never repeats the value of a key it doesn't know, nor anything that looks like a secret put in the
// wrong place.
//
// [Load] and [Parse] look at nothing but the file itself and the profiles of the modems in it, because the processes
// that share it may not open the same things: only [Check] follows the paths, and only `flattone check` calls it.
//
// It also writes the file ([Config.Text]), for who would rather be asked than write.
package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flattone/flattone/audio"
)

// Version is the only version of the file there is.
const Version = 1

// Config is the whole file. Every path in it is absolute, or relative to the working directory if the
// name given to [Parse] was. A Config is not changed once it is in use.
type Config struct {
	// StateDir holds the store: the vault, the outbox and the audit log.
	StateDir string
	// RuntimeDir holds the sockets and the marks of armed calls. It is emptied by a reboot.
	RuntimeDir string
	Daemon     Daemon
	Roles      Roles
	Store      Store
	Vault      Vault
	Upstream   Upstream
	// Gateways by name: every one that a profile names is here.
	Gateways map[string]Gateway
	// Clients in the order of their names.
	Clients []Client
	Metrics Metrics
	Syslog  Syslog
	// RecorderHook is nil where no recorder is in front of the box.
	RecorderHook *RecorderHook
	Audit        Audit
	// Lines in the order of the file; at least one, their names unique.
	Lines []Line
	// Profiles by name: every profile a line names is here.
	Profiles map[string]Profile

	file string
	at   positions
	// devices are the adopted ones, and strangers what [roles] names and this machine doesn't know, if [Check] has looked.
	devices   Devices
	strangers []string
}

// Daemon is how flattoned itself runs.
type Daemon struct {
	// LineBinary is the flattone-line to start; empty is the one beside flattoned.
	LineBinary string
}

// Metrics is where Prometheus may ask how the box is.
type Metrics struct {
	// Listen is "unix:" and a path, or an address and a port of this machine's loopback; empty: nowhere.
	Listen string
}

// Address is where to listen, as package net has it.
func (m Metrics) Address() (network, address string) {
	if path, unix := strings.CutPrefix(m.Listen, "unix:"); unix {
		return "unix", path
	}
	return "tcp", m.Listen
}

// Line is one telephone line through the box.
type Line struct {
	// Name is 1 to 32 of a-z, 0-9 and hyphens: part of file names, unit names and events.
	Name  string
	Place Place
	Rate  audio.Rate
	// LookAhead is the fixed delay from caller to agent, 10 to 100 ms.
	LookAhead time.Duration
	Shield    Shield
	Idle      Idle
	// OnFault is [OnFaultWire] on the trunk-side for want of another word, and always [OnFaultMute] on the desk-side.
	OnFault OnFault
	// CallerCue plays the caller a soft tick for every key.
	CallerCue bool
	// Profile names what a caller is asked for.
	Profile string
	// FlatToneHz and FlatToneDBm0 are what the agent hears for a key.
	FlatToneHz   int
	FlatToneDBm0 float64
	// AgentKeys are what the agent keys to ask for something; empty ones ask for nothing.
	AgentKeys AgentKeys
	// EmergencyNumbers open the line where the agent dials one: each 2 to 8 of 0-9.
	EmergencyNumbers []string
	// CallerModem and AgentModem are the sides that are modems; else nil. Sound has the sides that are sound devices, and is nil where there is
	// none. WAV is the line's interface where all of them are nil: see [Line.Live].
	CallerModem, AgentModem *Modem
	Sound                   *Sound
	WAV                     WAV
	// Calls is who tells of calls on a live line.
	Calls Calls
	// Relay joins caller and agent past the box while the line doesn't carry them; nil where there is none.
	Relay *Relay
	// Recorder has the line record its calls; nil where it doesn't.
	Recorder *Recorder
}

// Relay is an output, as in hw/contact, that is on while a live line carries its calls.
type Relay struct{ Device, Output string }

// AgentKeys are sequences of 2 to 8 keys that begin with * or #, none within another.
type AgentKeys struct{ Start, Cancel, Answer, HangUp string }

// Sound is a line between two sound devices, or two channels of one, or the one side of it that is no modem.
type Sound struct {
	// Caller and Agent name the devices of the two sides, which may be one: as it was adopted (see [Devices]), or as PortAudio does what is no card.
	// The side that is a modem is empty.
	Caller, Agent string
	// CallerChannel and AgentChannel count from 1.
	CallerChannel, AgentChannel int
	// DeviceRate is what the device runs at that stands beside a modem; 0 for the line's rate.
	DeviceRate audio.Rate `json:",omitempty"`
	// PeriodFrames are what the devices give and take at a time; 0 for what suits their rate.
	PeriodFrames int
	// GainToAgentDB and GainToCallerDB amplify what the two devices are given, -20 to 20.
	GainToAgentDB, GainToCallerDB float64
}

// WAV is a line that is played from recordings and into them.
type WAV struct {
	// CallerIn and AgentIn are the two legs' recordings, one pair a call.
	CallerIn, AgentIn []string
	// AgentOut and CallerOut are what the agent and the caller heard.
	AgentOut, CallerOut string
	// Pace is 1 for real time, 4 for four times as fast, 0 for as fast as possible.
	Pace float64
	// Gap is the silence before the first call and between calls.
	Gap time.Duration
	// WaitArmed holds each recording at its first frame until the line is armed.
	WaitArmed bool
	// ClockFile keeps the position across restarts of the line process; empty keeps none.
	ClockFile string
}

// Profile is what a caller is asked to key, and how patiently.
type Profile struct {
	// Fields to key, a leading run of pan, expiry, cvv with the optional ones left out.
	Fields []Field
	// Brands that are taken; never empty.
	Brands []Brand
	// Visa19 takes a Visa number of 16 digits for complete only when the caller ends it, since 19 exist.
	Visa19 bool
	// TalkingKeypad says that these callers have phones that speak the keys: they are covered while they key.
	TalkingKeypad bool
	// Keep is what becomes of the card.
	Keep Keep
	// Tenant is whose cards these are, where a box serves several businesses.
	Tenant string
	// Gateway names who charges the card; empty: it is only stored. Charge is what is asked of him, and Offline what becomes of an arm while he can't be reached.
	Gateway string
	Charge  Charge
	Offline Offline
	// Tries is how often a field may be keyed in all.
	Tries int
	// KeyTimeout is the longest pause between keys; the agent is warned at KeyWarning.
	KeyTimeout, KeyWarning time.Duration
	// OverallTimeout bounds the whole capture.
	OverallTimeout time.Duration
	// QuietEnd ends a field of open length without #.
	QuietEnd time.Duration
	// RefusalQuiet must pass without a key after a refusal before keys count again.
	RefusalQuiet time.Duration
	// Restart is how close two * must follow each other to start the field again.
	Restart time.Duration
	// SameKeyGuard is how close a second press of the same key is taken for a bounce of the first; 0
	// lets the capture learn it from the caller's own rhythm ("auto").
	SameKeyGuard time.Duration
	// TestCVVLength replaces the CVV's real length in tests, so that its digits can be searched for in
	// memory without false finds. 0 outside of tests; refused on any line but one of recordings.
	TestCVVLength int
}

// Folder is where the file is, and what is kept beside it.
func (c *Config) Folder() string { return filepath.Dir(c.file) }

// AdminSocket is where technicians and tools reach flattoned.
func (c *Config) AdminSocket() string { return filepath.Join(c.RuntimeDir, "admin.sock") }

// LineSocket is where line processes reach flattoned.
func (c *Config) LineSocket() string { return filepath.Join(c.RuntimeDir, "line.sock") }

// ProbeSocket is where flattoned asks about devices, on a box whose systemd keeps the lines.
func (c *Config) ProbeSocket() string { return filepath.Join(c.RuntimeDir, "probe.sock") }

// Line finds a line by its name.
func (c *Config) Line(name string) (Line, bool) {
	for _, l := range c.Lines {
		if l.Name == name {
			return l, true
		}
	}
	return Line{}, false
}

// profileNames are sorted, so that what is said of profiles has an order; so are gatewayNames.
func (c *Config) profileNames() []string { return slices.Sorted(maps.Keys(c.Profiles)) }

func (c *Config) gatewayNames() []string { return slices.Sorted(maps.Keys(c.Gateways)) }

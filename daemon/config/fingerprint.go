package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
)

// tuned is what a line's tuning holds for. Whatever is added to Sound is part of it.
type tuned struct {
	Place       Place  `json:"place"`
	RateHz      int    `json:"rate_hz"`
	LookAheadMS int64  `json:"lookahead_ms"`
	Sound       *Sound `json:"sound"`
	Caller      *known `json:"caller,omitempty"`
	Agent       *known `json:"agent,omitempty"`
	CallerModem *modem `json:"caller_modem,omitempty"`
	AgentModem  *modem `json:"agent_modem,omitempty"`
}

// modem is what a modem is known by. Commands stands for all that it is told, levels among it.
type modem struct {
	Profile   string `json:"profile"`
	Port      string `json:"port,omitempty"`
	SoundPort string `json:"sound_port,omitempty"`
	Commands  string `json:"commands"`
}

// known is what an adopted card is known by.
type known struct {
	Place  string `json:"place"`
	IDs    string `json:"ids,omitempty"`
	Serial string `json:"serial,omitempty"`
	PCM    int    `json:"pcm"`
}

// Fingerprint stands for the devices and settings that a line's tuning holds for, which are also told as they are. Once it is another, nothing
// is known of the line's levels, legs and delays. What doesn't change how the line sounds or is wired isn't part of it, nor is how often a
// card was plugged in where it was adopted.
func (l Line) Fingerprint(adopted Devices) (fingerprint, settings string) {
	t := tuned{Place: l.Place, RateHz: int(l.Rate), LookAheadMS: l.LookAhead.Milliseconds(), Sound: l.Sound,
		CallerModem: l.CallerModem.known(), AgentModem: l.AgentModem.known()}
	if l.Sound != nil {
		t.Caller, t.Agent = adopted.known(l.Sound.Caller), adopted.known(l.Sound.Agent)
	}
	return digest(t)
}

// Settings stands for all that a line's process reads of the file. It must be started again only once it is another: every profile is part of it, as the line
// may be armed with any.
func (c *Config) Settings(line string) string {
	l, _ := c.Line(line)
	sum, _ := digest(struct {
		Folder, RuntimeDir string
		Line               Line
		Profiles           map[string]Profile
	}{c.Folder(), c.RuntimeDir, l, c.Profiles})
	return sum
}

// BoxSettings stands for what flattoned reads when it starts, and then never again: all but the lines and their profiles.
func (c *Config) BoxSettings() string {
	box := *c
	box.Lines, box.Profiles = nil, nil
	sum, _ := digest(box)
	return sum
}

// Change is what becomes of lines when a box goes over to a configuration.
type Change struct{ Restarted, Begun, Ended, Untouched []string }

// Change compares c with lines, in their order, that run with settings.
func (c *Config) Change(lines []string, settings func(line string) string) Change {
	change := Change{[]string{}, []string{}, []string{}, []string{}} // lists in JSON, not nothing
	for _, l := range c.Lines {
		list := &change.Untouched
		switch {
		case !slices.Contains(lines, l.Name):
			list = &change.Begun
		case settings(l.Name) != c.Settings(l.Name):
			list = &change.Restarted
		}
		*list = append(*list, l.Name)
	}
	for _, name := range lines {
		if _, stays := c.Line(name); !stays {
			change.Ended = append(change.Ended, name)
		}
	}
	return change
}

// digest is a short name for v, and v as text.
func digest(v any) (sum, text string) {
	doc, err := json.Marshal(v)
	if err != nil {
		panic(err) // they are numbers and words
	}
	whole := sha256.Sum256(doc)
	return hex.EncodeToString(whole[:16]), string(doc)
}

// known is nil for no modem.
func (m *Modem) known() *modem {
	if m == nil {
		return nil
	}
	commands, _ := digest(m.Profile)
	return &modem{m.Name, m.Port, m.SoundPort, commands}
}

// known is nil for what is no adopted card.
func (d Devices) known(name string) *known {
	if k, adopted := d[name]; adopted {
		return &known{k.Place, k.IDs, k.Serial, k.PCM}
	}
	return nil
}

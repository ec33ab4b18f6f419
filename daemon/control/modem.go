package control

// Modem is what the modem at a port answered, and what flattone makes of that.
type Modem struct {
	Answers []ModemAnswer `json:"answers"`
	// Fits are the profiles by which it may be spoken to. For one that none fits there is a Draft of one, in TOML.
	Fits  []ModemFit `json:"fits,omitempty"`
	Draft string     `json:"draft,omitempty"`
}

// ModemAnswer is what it said to one question.
type ModemAnswer struct {
	Ask   string   `json:"ask"`
	Lines []string `json:"lines,omitempty"`
	// OK is how the answer ended; else with an error, or not at all.
	OK bool `json:"ok"`
}

// ModemFit is what a [line.caller_modem] or [line.agent_modem] table would say.
type ModemFit struct {
	Profile string `json:"profile"`
	// Make is what people call it.
	Make string `json:"make"`
	Port string `json:"port"`
	// SoundPort is wanted if NeedsSoundPort; empty if it isn't known.
	SoundPort      string `json:"sound_port,omitempty"`
	NeedsSoundPort bool   `json:"needs_sound_port,omitempty"`
}

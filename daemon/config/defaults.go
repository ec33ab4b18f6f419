package config

import (
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/gateway/template/dialect"
)

// defaults is a file in which nothing but the version has been written. A line and a profile start from
// here too, each time one is read.
func defaults() (Config, Line, Profile) {
	return Config{
			StateDir:   "/var/lib/flattone",
			RuntimeDir: "/run/flattone",
			// Root installs, and tries what it has installed. It has no part in what is a named person's: keys, and the audit log.
			Roles:    Roles{Technician: []string{"root", "@flattone-admin"}, Installer: []string{"root"}, Desk: []string{DeskUser}},
			Vault:    Vault{Cards: Cards{Retention: 395 * 24 * time.Hour, OnceTTL: 24 * time.Hour, RotateAfter: 365 * 24 * time.Hour, RotateRecords: 10_000_000}},
			Audit:    Audit{CheckpointEvery: 5 * time.Minute},
			Gateways: map[string]Gateway{},
			Profiles: map[string]Profile{},
		}, Line{
			Rate:         audio.Rate8k,
			LookAhead:    30 * time.Millisecond,
			Shield:       ShieldRun,
			Idle:         IdleMask,
			FlatToneHz:   1020,
			FlatToneDBm0: -22,
			// What a mobile telephone takes for one (3GPP TS 22.101, 10.1.1), but for 08, which is too short to be taken for one unasked.
			EmergencyNumbers: []string{"112", "911", "999", "000", "110", "118", "119"},
			WAV:              WAV{Pace: 1, Gap: time.Second},
			Calls:            Calls{Source: SourceAudio, Contact: Hook, Silence: 15 * time.Second},
		}, Profile{
			Fields:         Fields(),
			Brands:         Brands(),
			Keep:           KeepNone,
			Tenant:         "main",
			Charge:         Take,
			Offline:        Refuse,
			Tries:          3,
			KeyTimeout:     20 * time.Second,
			KeyWarning:     10 * time.Second,
			OverallTimeout: 5 * time.Minute,
			QuietEnd:       3 * time.Second,
			RefusalQuiet:   1500 * time.Millisecond,
			Restart:        700 * time.Millisecond,
		}
}

// NewLine is a line in which nothing has been decided but its name and profile.
func NewLine(name, profile string) Line {
	_, l, _ := defaults()
	l.Name, l.Profile, l.Place, l.OnFault = name, profile, DeskSide, DeskSide.OnFault()
	l.Sound = &Sound{Caller: name + "-caller", CallerChannel: 1, Agent: name + "-agent", AgentChannel: 1}
	return l
}

// modemDefaults is a modem's profile in which nothing has been written.
func modemDefaults() ModemProfile {
	return ModemProfile{Baud: 115200, Frame: 20 * time.Millisecond, AudioTries: 1}
}

// gatewayDefaults are gateways in which nothing but the kind has been written.
func gatewayDefaults() (*Stripe, *ISO8583, *Template) {
	return &Stripe{URL: "https://api.stripe.com", Timeout: 30 * time.Second},
		&ISO8583{Variant: ASCII, Echo: time.Minute, Timeout: 30 * time.Second},
		&Template{Provider: dialect.Provider{Encoding: dialect.JSON, Answer: dialect.Answer{Read: []int{200, 201}, Refused: []int{400, 401, 403, 404, 422}}}, Timeout: 30 * time.Second, Settle: 15 * time.Second}
}

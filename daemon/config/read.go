package config

import (
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/level"
)

// config reads the root of the file into c. Lines and profiles start from l and p.
func (t *table) config(c *Config, l Line, p Profile) {
	t.file("state_dir", &c.StateDir)
	t.file("runtime_dir", &c.RuntimeDir)

	t.sub("daemon").file("line_binary", &c.Daemon.LineBinary)

	t.sub("roles").roles(&c.Roles)

	t.sub("store").store(&c.Store)

	t.sub("vault").vault(&c.Vault)

	t.upstream(&c.Upstream)

	t.gateways(c.Gateways)

	t.clients(&c.Clients)

	t.sub("metrics").text("listen", &c.Metrics.Listen)
	syslog := t.sub("syslog")
	syslog.text("address", &c.Syslog.Address)
	syslog.file("ca_file", &c.Syslog.CAFile)

	if hook := t.sub("recorder_hook"); t.has("recorder_hook") {
		c.RecorderHook = &RecorderHook{Timeout: usualHookTimeout}
		hook.recorderHook(c.RecorderHook)
	}

	audit := t.sub("audit")
	audit.period("checkpoint_every_s", &c.Audit.CheckpointEvery, time.Second, 10, 3600)
	audit.file("checkpoint_file", &c.Audit.CheckpointFile)
	audit.truth("checkpoint_webhook", &c.Audit.CheckpointWebhook)

	for _, lt := range t.subs("line") {
		line := l
		lt.line(&line)
		c.Lines = append(c.Lines, line)
	}
	names, profiles := t.named("profile")
	for i, pt := range profiles {
		profile := p
		pt.profile(&profile)
		c.Profiles[names[i]] = profile
	}
}

func (t *table) line(l *Line) {
	t.need("name", `write a name of its own, such as "desk-1"`)
	t.text("name", &l.Name)
	t.need("place", `write "trunk-side" (between trunk and PBX) or "desk-side" (between phone and headset)`)
	choice(t, "place", &l.Place, TrunkSide, DeskSide)
	rate := int(l.Rate)
	t.whole("rate_hz", &rate, 0, 1<<31-1)
	l.Rate = audio.Rate(rate)
	t.period("lookahead_ms", &l.LookAhead, time.Millisecond, 10, 100)
	choice(t, "shield", &l.Shield, ShieldKeys, ShieldRun, ShieldField)
	choice(t, "idle", &l.Idle, IdleMask, IdlePass)
	l.OnFault = l.Place.OnFault()
	choice(t, "on_fault", &l.OnFault, OnFaultMute, OnFaultWire)
	t.truth("caller_cue", &l.CallerCue)
	t.need("profile", "write the NAME of one of the [profile.NAME] tables")
	t.text("profile", &l.Profile)
	t.whole("flat_tone_hz", &l.FlatToneHz, 300, 3000)
	t.number("flat_tone_dbm0", &l.FlatToneDBm0, -45, -10)
	keys := t.sub("agent_keys")
	keys.text("start", &l.AgentKeys.Start)
	keys.text("cancel", &l.AgentKeys.Cancel)
	keys.text("answer", &l.AgentKeys.Answer)
	keys.text("hang_up", &l.AgentKeys.HangUp)
	if numbers, ok := texts(t, "emergency_numbers"); ok {
		l.EmergencyNumbers = numbers
	}
	t.sides(l)
	calls := t.sub("calls")
	for _, teller := range []struct{ table, word string }{{"wav", "recordings say themselves"}, {"caller_modem", "the modem says itself"}} {
		if t.has("calls") && t.has(teller.table) && !calls.broken {
			t.fault("calls", "stands beside [line."+teller.table+"]", "leave it out: "+teller.word+" when calls begin and end")
			calls.broken = true
		}
	}
	calls.calls(&l.Calls)
	if relay := t.sub("relay"); t.has("relay") {
		l.Relay = &Relay{}
		relay.need("device", `name a GPIO chip, such as "/dev/gpiochip0", or a serial port`)
		relay.text("device", &l.Relay.Device)
		relay.need("output", `write the number of a line of the chip in quotes, such as "17", or "rts" or "dtr" of the port`)
		relay.text("output", &l.Relay.Output)
	}
	if recorder := t.sub("recorder"); t.has("recorder") {
		l.Recorder = usualRecorder()
		recorder.recorder(l.Recorder)
	}
	if l.CallerModem != nil {
		l.Calls.Source = SourceModem
	}
}

// sides reads what a line is made of: recordings, or for each side a sound device or a modem.
func (t *table) sides(l *Line) {
	caller, agent, sound, wav := t.sub("caller_modem"), t.sub("agent_modem"), t.sub("sound"), t.sub("wav")
	for _, device := range []string{"sound", "caller_modem", "agent_modem"} {
		if t.has("wav") && t.has(device) && !wav.broken {
			t.fault("wav", "stands beside [line."+device+"]", "leave one of the two out: a line is made of devices or of recordings")
			wav.broken = true
		}
	}
	if t.has("wav") {
		wav.wav(&l.WAV)
	}
	if t.has("caller_modem") {
		l.CallerModem = &Modem{}
		caller.modem(l.CallerModem)
	}
	if t.has("agent_modem") {
		l.AgentModem = &Modem{}
		agent.modem(l.AgentModem)
	}
	switch modems := l.CallerModem != nil && l.AgentModem != nil; {
	case modems && t.has("sound"):
		t.fault("sound", "stands beside modems on both sides", "leave one of the three out: a line has two sides")
		sound.broken = true
	case l.Live() && !modems:
		t.need("sound", "write a [line.sound] table for the other side, or make that a modem too")
	case !modems && !t.has("wav"):
		t.need("sound", "write a [line.sound] table below the line's own keys: it says what the line is made of")
	}
	if t.has("sound") {
		l.Sound = &Sound{CallerChannel: 1, AgentChannel: 1}
		sound.sound(l.Sound)
		sound.besides("caller", l.CallerModem, "gain_to_caller_db")
		sound.besides("agent", l.AgentModem, "gain_to_agent_db")
	}
}

func (t *table) sound(s *Sound) {
	t.text("caller", &s.Caller)
	t.whole("caller_channel", &s.CallerChannel, 1, 32)
	t.text("agent", &s.Agent)
	t.whole("agent_channel", &s.AgentChannel, 1, 32)
	rate := int(s.DeviceRate)
	t.whole("device_rate_hz", &rate, 0, 1<<31-1)
	s.DeviceRate = audio.Rate(rate)
	t.whole("period_frames", &s.PeriodFrames, 8, 1024)
	t.number("gain_to_agent_db", &s.GainToAgentDB, -level.MostGainDB, level.MostGainDB)
	t.number("gain_to_caller_db", &s.GainToCallerDB, -level.MostGainDB, level.MostGainDB)
}

// besides reports a side that has no device, or one besides its modem.
func (t *table) besides(side string, m *Modem, gain string) {
	if m == nil {
		t.need(side, map[string]string{
			"caller": "name the caller's sound device: flattone devices lists them",
			"agent":  "name the agent's sound device: it may be the caller's, with another channel",
		}[side])
		return
	}
	for _, key := range []string{side, side + "_channel", gain} {
		if t.has(key) && !t.broken {
			t.fault(key, "stands beside [line."+side+"_modem]", "leave it out: that side is the modem")
		}
	}
}

func (t *table) wav(w *WAV) {
	t.need("caller_in", "name the recordings of the caller's leg")
	t.files("caller_in", &w.CallerIn)
	t.need("agent_in", "name the recordings of the agent's leg, one for each of the caller's")
	t.files("agent_in", &w.AgentIn)
	t.need("agent_out", "name the file for what the agent hears")
	t.file("agent_out", &w.AgentOut)
	t.need("caller_out", "name the file for what the caller hears")
	t.file("caller_out", &w.CallerOut)
	t.number("pace", &w.Pace, 0, 100)
	t.period("gap_ms", &w.Gap, time.Millisecond, 0, 3_600_000)
	t.truth("wait_armed", &w.WaitArmed)
	t.file("clock_file", &w.ClockFile)
}

func (t *table) profile(p *Profile) {
	choices(t, "fields", &p.Fields, Fields())
	choices(t, "brands", &p.Brands, Brands())
	t.truth("visa_19", &p.Visa19)
	t.truth("talking_keypad", &p.TalkingKeypad)
	choice(t, "keep", &p.Keep, KeepNone, KeepVault, KeepOnce, KeepOneWay)
	t.text("tenant", &p.Tenant)
	t.text("gateway", &p.Gateway)
	choice(t, "charge", &p.Charge, Take, Authorise)
	choice(t, "offline", &p.Offline, Refuse, ChargeLater)
	t.whole("tries", &p.Tries, 1, 10)
	t.period("key_timeout_s", &p.KeyTimeout, time.Second, 5, 120)
	t.period("key_warning_s", &p.KeyWarning, time.Second, 1, 119)
	t.period("overall_timeout_s", &p.OverallTimeout, time.Second, 30, 3600)
	t.period("quiet_end_ms", &p.QuietEnd, time.Millisecond, 1000, 15_000)
	t.period("refusal_quiet_ms", &p.RefusalQuiet, time.Millisecond, 500, 10_000)
	t.period("restart_ms", &p.Restart, time.Millisecond, 200, 2000)
	guard, _ := t.take("same_key_guard_ms")
	switch word, isWord := guard.(string); {
	case isWord && word != "auto":
		t.fault("same_key_guard_ms", `is neither "auto" nor a number`, `write "auto", or a whole number from 40 to 250`)
	case !isWord:
		t.period("same_key_guard_ms", &p.SameKeyGuard, time.Millisecond, 40, 250)
	}
	t.whole("test_cvv_length", &p.TestCVVLength, 12, 12)
}

// secretFile reads the path of a file that holds a secret. The secret itself in its place is the mistake to
// expect.
func (t *table) secretFile(key string, to *string) {
	if s, ok := t.values[key].(string); ok && secretive(s) {
		t.take(key)
		t.fault(key, "looks like the secret itself", "put a new secret into a file of mode 0600, and name the file here: others may know this one by now")
		return
	}
	t.file(key, to)
}

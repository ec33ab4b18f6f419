package config

import "time"

// line writes a line as far as it is other than usual.
func (w *writer) line(l, usual Line) {
	w.table("[[line]]", "")
	w.set("name", l.Name)
	w.say(l.Scope())
	w.set("place", l.Place)
	w.set("profile", l.Profile)
	if l.Rate != usual.Rate {
		w.say("The rate of its devices, or of its recordings.")
	}
	w.other("rate_hz", l.Rate, usual.Rate)
	w.time("lookahead_ms", time.Millisecond, l.LookAhead, usual.LookAhead)
	w.other("shield", l.Shield, usual.Shield)
	w.other("idle", l.Idle, usual.Idle)
	w.other("on_fault", l.OnFault, l.Place.OnFault())
	w.other("caller_cue", l.CallerCue, usual.CallerCue)
	w.other("flat_tone_hz", l.FlatToneHz, usual.FlatToneHz)
	w.other("flat_tone_dbm0", l.FlatToneDBm0, usual.FlatToneDBm0)
	w.other("emergency_numbers", l.EmergencyNumbers, usual.EmergencyNumbers)
	if k := l.AgentKeys; k != usual.AgentKeys {
		w.table("[line.agent_keys]", "What the agent keys to ask for something.")
		w.other("start", k.Start, "")
		w.other("cancel", k.Cancel, "")
		w.other("answer", k.Answer, "")
		w.other("hang_up", k.HangUp, "")
	}
	w.modem("[line.caller_modem]", "The caller's side is a modem, which tells of calls itself.", l.CallerModem)
	w.modem("[line.agent_modem]", "The agent's side is a modem.", l.AgentModem)
	switch {
	case l.Sound != nil:
		w.sound(*l.Sound, l)
	case !l.Live():
		w.wav(l.WAV, usual.WAV)
	}
	if l.Live() && l.CallerModem == nil {
		w.table("[line.calls]", l.Calls.why())
		w.calls(l.Calls, usual.Calls)
	}
	if l.Relay != nil {
		w.table("[line.relay]", "It joins caller and agent past the box while the line doesn't work.")
		w.set("device", l.Relay.Device)
		w.set("output", l.Relay.Output)
	}
	if r := l.Recorder; r != nil {
		w.table("[line.recorder]", "Its calls are recorded as the agent's side hears and says them.")
		w.set("folder", r.Folder)
		w.time("most_minutes", time.Minute, r.Most, usualRecorder().Most)
	}
}

func (w *writer) modem(header, why string, m *Modem) {
	if m == nil {
		return
	}
	w.table(header, why)
	w.set("profile", m.Name)
	w.other("port", m.Port, "")
	w.other("sound_port", m.SoundPort, "")
}

func (w *writer) sound(s Sound, l Line) {
	w.table("[line.sound]", "The sound devices, by the names that flattone devices lists.")
	if l.CallerModem == nil {
		w.set("caller", s.Caller)
		w.other("caller_channel", s.CallerChannel, 1)
	}
	if l.AgentModem == nil {
		w.set("agent", s.Agent)
		w.other("agent_channel", s.AgentChannel, 1)
	}
	usual := Sound{}
	w.other("device_rate_hz", s.DeviceRate, usual.DeviceRate)
	w.other("period_frames", s.PeriodFrames, usual.PeriodFrames)
	w.other("gain_to_agent_db", s.GainToAgentDB, usual.GainToAgentDB)
	w.other("gain_to_caller_db", s.GainToCallerDB, usual.GainToCallerDB)
}

func (w *writer) wav(v, usual WAV) {
	w.table("[line.wav]", "A line for trying out: recordings of the two legs, and what each side would have heard.")
	w.set("caller_in", v.CallerIn)
	w.set("agent_in", v.AgentIn)
	w.set("agent_out", v.AgentOut)
	w.set("caller_out", v.CallerOut)
	w.other("pace", v.Pace, usual.Pace)
	w.time("gap_ms", time.Millisecond, v.Gap, usual.Gap)
	w.other("wait_armed", v.WaitArmed, usual.WaitArmed)
	w.other("clock_file", v.ClockFile, usual.ClockFile)
}

func (w *writer) calls(c, usual Calls) {
	w.set("source", c.Source)
	w.other("device", c.Device, usual.Device)
	w.other("input", c.Input, usual.Input)
	w.other("contact", c.Contact, usual.Contact)
	w.other("inverted", c.Inverted, usual.Inverted)
	w.time("silence_s", time.Second, c.Silence, usual.Silence)
}

// why is what the source means for a line.
func (c Calls) why() string {
	switch {
	case c.Source == SourceAPI:
		return "The telephone system tells of calls: flattone call began LINE, flattone call ended LINE."
	case !c.Wired():
		return "Nobody tells of calls: the line may be armed at any time, for three minutes at most."
	case c.Contact == Ring:
		return "A contact tells of each ring, and nobody that a call has ended: the line may be armed for three minutes at most."
	}
	return "A contact tells of calls: it is closed as long as one lasts."
}

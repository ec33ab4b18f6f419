package modem

import "time"

// family is what sets the kinds of modems apart. The modem's mutex is held in all of it.
type family interface {
	commands() commands
	// boots are lines by which the modem tells that it was switched on, chatter one that has nothing to do with anything.
	boots() []string
	chatter() string

	// rings tells of a call that rings, for the n-th time from 0.
	rings(n int)
	ringsEvery() time.Duration
	// answers and dials carry out ATA and ATD.
	answers() result
	dials(number string) result
	// began tells that a call is active, ended that one is over.
	began()
	ended(was call, remote bool)
	// resume is how it stands in a call whose sound was begun before.
	resume()

	// hears reports whether the sound of a call that is active flows.
	hears() bool
	// bytes appends a sample to what is sent; samples is what was received.
	bytes(dst []byte, sample int16) []byte
	samples(p []byte) []int16
	// underran tells that there was nothing to play, overran that there was too much.
	underran()
	overran()
	// key tells of a key that the far party keyed.
	key(key byte, s stage)
}

var families = map[Kind]func(*Modem) family{
	Quectel: func(m *Modem) family { return &quectel{module: module{Modem: m}} },
	SIMCom:  func(m *Modem) family { return newSIMCom(m) },
	Huawei:  func(m *Modem) family { return &huawei{module: module{Modem: m}} },
	V253:    func(m *Modem) family { return newVoice(m) },
}

var names = map[Kind][]string{
	Quectel: {"Quectel", "EC25", "Revision: EC25EFAR06A01M4G"},
	SIMCom:  {"SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "Revision: SIM7600M22_V2.0"},
	Huawei:  {"huawei", "E1550", "11.608.14.15.311"},
	V253:    {"CONEXANT", "CX93001-EIS_V0.2013-V92", "V0.2013"},
}

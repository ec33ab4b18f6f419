package modem

import (
	"fmt"
	"strings"
)

// commands are what a family knows, each by its whole text. Where one ends in a star, that stands for anything.
type commands map[string]func(given string) result

// take finds a command.
func (c commands) take(text string) (do func(string) result, given string) {
	if do := c[text]; do != nil {
		return do, ""
	}
	for known, do := range c {
		if begin, ok := strings.CutSuffix(known, "*"); ok && strings.HasPrefix(text, begin) {
			return do, text[len(begin):]
		}
	}
	return nil, ""
}

// do carries out one command, without its AT. mu is held.
func (m *Modem) do(text string) result {
	for _, known := range []commands{m.family.commands(), m.everyone()} {
		if do, given := known.take(text); do != nil {
			return do(given)
		}
	}
	if m.spec.Kind != V253 {
		if do, given := m.mobile().take(text); do != nil {
			return do(given)
		}
	}
	return refused
}

// ok is what there is to say to a command that changes nothing here.
func ok(string) result { return done }

// set is a command that sets something.
func set[T any](to *T, value T) func(string) result {
	return func(string) result {
		*to = value
		return done
	}
}

// says is a command that is answered by lines.
func (m *Modem) says(lines ...string) func(string) result {
	return func(string) result {
		m.say(lines...)
		return done
	}
}

// everyone is what all modems know.
func (m *Modem) everyone() commands {
	reset := func(string) result {
		if m.call.state != idle {
			return refused // it would hang up, here and there
		}
		m.do("H")
		m.reset()
		return done
	}
	names := m.spec.Names
	return commands{
		"Z": reset, "Z0": reset, "&F": reset, "&F0": reset,
		"E0": set(&m.settings.echo, false), "E1": set(&m.settings.echo, true), "E": set(&m.settings.echo, false),
		"V1": ok, "Q0": ok, "X4": ok, "M0": ok, "L0": ok, "S0=0": ok,
		"I": m.says(names...), "I0": m.says(names...), "I3": m.says(names...), "+GMI": m.says(names[0]), "+GMM": m.says(names[1]),
		"A":  func(string) result { return m.pickUp() },
		"D*": m.dial,
		"H":  func(string) result { return m.putDown() }, "H0": func(string) result { return m.putDown() },
	}
}

// mobile is what mobile modules know (3GPP TS 27.007).
func (m *Modem) mobile() commands {
	return commands{
		"+CGMI": m.says(m.spec.Names[0]), "+CGMM": m.says(m.spec.Names[1]),
		"+CMEE=0": set(&m.settings.errors, 0), "+CMEE=1": set(&m.settings.errors, 1), "+CMEE=2": set(&m.settings.errors, 2),
		"+CLIP=0": set(&m.settings.callerID, false), "+CLIP=1": set(&m.settings.callerID, true),
		"+CRC=0": ok, "+CVHU=0": ok, "+COLP=0": ok, "+CREG=0": ok, "+CNMI=0,0": ok,
		"+CPIN?": m.says("+CPIN: READY"), "+CREG?": m.says("+CREG: 0,1"), "+CSQ": m.says("+CSQ: 20,99"),
		"+CHUP": func(string) result { return m.putDown() },
		"+CLCC": func(string) result {
			if m.call.state != idle {
				m.say(fmt.Sprintf(`+CLCC: 1,%d,%d,0,0,"%s",129`, m.call.direction(), m.call.state.clcc(), m.call.number))
			}
			return done
		},
	}
}

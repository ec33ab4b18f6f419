package modem

import (
	"fmt"
	"time"
)

// simcom is a SIM7600 or SIM8202. Its sound is begun in a call that is active, and has to be ended after it: else the port for sound is half dead from the
// next call on, until the module is reset.
type simcom struct {
	module
	registered bool // for sound
	half       bool // dead
	tries      int  // to register while it is
	wide       bool // 16 kHz, as a program before may have left it
	clcc       bool
}

// A module that is reset goes after a moment, and is back after a while.
const (
	resetsAfter = 500 * time.Millisecond
	resetsFor   = 4 * time.Second
	// acceptedAt is the try to register that a half-dead module accepts, and has no sound all the same.
	acceptedAt = 3
)

func newSIMCom(m *Modem) *simcom { return &simcom{module: module{Modem: m}, wide: true} }

func (*simcom) boots() []string { return []string{"RDY", "+CPIN: READY", "PB DONE"} }
func (*simcom) chatter() string { return "+CNSMOD: 8" }

func (s *simcom) commands() commands {
	off := func(string) result {
		s.registered, s.tries = false, 0
		s.reflow()
		return done
	}
	return commands{
		"+CPCMREG=?": s.says("+CPCMREG: (0-1)"),
		"+CPCMREG=1": s.register,
		// Some firmware refuses the plain form.
		"+CPCMREG=0": func(string) result { return refused }, "+CPCMREG=0,1": off,
		"+CPCMFRM=0": s.frame(false), "+CPCMFRM=1": s.frame(true),
		"+CPCMBANDWIDTH=1,1": ok,
		"+CLCC=0":            set(&s.clcc, false), "+CLCC=1": set(&s.clcc, true),
		"+DDET=0": set(&s.settings.keys, false), "+DDET=1": set(&s.settings.keys, true),
		"+CRESET": func(string) result {
			s.after(resetsAfter, func() {
				s.unplug()
				s.after(resetsFor, s.back)
			})
			return done
		},
	}
}

func (s *simcom) register(string) result {
	s.tries++
	if s.call.state != active || s.registered || s.half && s.tries < acceptedAt || s.spec.LatePCM && s.tries == 1 {
		return refused
	}
	s.registered = true
	s.reflow()
	return done
}

func (s *simcom) frame(wide bool) func(string) result {
	return func(string) result {
		if s.registered {
			return refused
		}
		s.wide = wide
		return done
	}
}

func (s *simcom) tell() {
	if s.clcc {
		s.say(fmt.Sprintf(`+CLCC: 1,%d,%d,0,0,"%s",129`, s.call.direction(), s.call.state.clcc(), s.call.number))
	}
}

func (s *simcom) rings(n int) {
	if n == 0 {
		s.tell()
	}
	s.module.rings(n)
}

func (s *simcom) began() {
	s.since = time.Now()
	s.tries = 0
	if s.registered {
		s.registered, s.half = false, true
	}
	s.tell()
	s.say("VOICE CALL: BEGIN")
}

func (s *simcom) ended(was call, remote bool) {
	if was.state == active {
		s.say(fmt.Sprintf("VOICE CALL: END: %06d", s.seconds(was)))
	}
	if remote && was.state == ringing {
		s.say("MISSED_CALL: 08:48AM " + was.number)
	}
	if remote {
		s.say("NO CARRIER")
	}
}

func (s *simcom) resume() { s.since, s.registered, s.wide = time.Now(), true, false }

func (s *simcom) hears() bool { return s.call.state == active && s.registered && !s.half }

// bytes are those of a sample at 8 kHz; at 16 kHz each is there twice.
func (s *simcom) bytes(dst []byte, sample int16) []byte {
	if s.wide {
		dst = s.module.bytes(dst, sample)
	}
	return s.module.bytes(dst, sample)
}

func (s *simcom) samples(p []byte) []int16 {
	x := s.module.samples(p)
	if !s.wide {
		return x
	}
	half := x[:0]
	for i := 0; i < len(x); i += 2 {
		half = append(half, x[i])
	}
	return half
}

func (s *simcom) key(key byte, st stage) {
	if st == heardKey && s.settings.keys {
		s.say("+RXDTMF: " + string(key))
	}
}

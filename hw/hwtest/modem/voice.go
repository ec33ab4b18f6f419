package modem

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flattone/flattone/hw/hwtest/wires"
)

// voice is a V.253 voice modem. Nothing on a telephone line tells that a call is over: there are tones, which the modem names by codes.
//
//	class 0 ──+FCLASS=8──▶ class 8 ──+VLS=1──▶ off hook ──+VTR──▶ sound
//	                                              ▲                │
//	                                              └──── DLE ^ ─────┘
type voice struct {
	*Modem
	class8, offHook, sound bool
	format                 format
	callerID               bool
	escaped                bool // a DLE came
	rest                   []byte

	// silence is after how many samples of it the far party is presumed gone, and quiet how many there were; idle how long the modem stays off hook without
	// sound or command. Makes differ in what these are at first; programs had better switch both off.
	silence, quiet int
	idle           time.Duration
}

func newVoice(m *Modem) *voice { return &voice{Modem: m, silence: 50 * 800, idle: 10 * time.Second} }

func (*voice) boots() []string { return nil }
func (*voice) chatter() string { return "" }

func (v *voice) commands() commands {
	hook := func(string) result {
		if !v.class8 {
			return refused
		}
		v.offHook = true
		v.watch()
		if v.call.state == ringing {
			v.becomeActive()
		}
		return done
	}
	return commands{
		"+FCLASS=?": v.says("0,1,1.0,8"), "+FCLASS=0": v.class(false), "+FCLASS=8": v.class(true),
		"+VCID=0": set(&v.callerID, false), "+VCID=1": set(&v.callerID, true),
		"+VSM=?": func(string) result {
			for _, f := range v.spec.Formats {
				v.say(f.Line)
			}
			return done
		},
		"+VSM=*": v.choose,
		"+VSD=*": v.number(func(n []int) { v.silence = n[len(n)-1] * 800 }),
		"+VIT=*": v.number(func(n []int) { v.idle = time.Duration(n[0]) * time.Second }),
		"+VGR=*": v.number(func([]int) {}), "+VGT=*": v.number(func([]int) {}),
		"+IFC=*": ok,
		"+VLS=?": v.says(`0,"",0,0,0`, fmt.Sprintf(`%d,"T",0,0,0`, v.spec.OffHook)),
		"+VLS=0": v.onHook, "H": v.onHook, "H0": v.onHook,
		"+VLS=" + strconv.Itoa(v.spec.OffHook): hook,
		"+VTR=?":                               func(string) result { return refused }, // there is no such form of a command that acts
		"+VTR":                                 v.duplex,
	}
}

// watch has the modem hang up when it is told nothing for too long.
func (v *voice) watch() {
	if v.idle == 0 {
		return
	}
	answered := v.line.answered
	v.after(v.idle, func() {
		switch {
		case !v.offHook || v.sound:
		case v.line.answered == answered:
			v.onHook("")
			v.class8 = false
		default:
			v.watch()
		}
	})
}

func (v *voice) onHook(string) result {
	v.offHook = false
	return v.putDown()
}

// number is a command of numbers, up to 255 each, that class 8 has.
func (v *voice) number(take func(n []int)) func(string) result {
	return func(given string) result {
		var numbers []int
		for field := range strings.SplitSeq(given, ",") {
			n, err := strconv.ParseUint(field, 10, 8)
			if err != nil {
				return refused
			}
			numbers = append(numbers, int(n))
		}
		if !v.class8 {
			return refused
		}
		take(numbers)
		return done
	}
}

func (v *voice) class(eight bool) func(string) result {
	return func(string) result {
		if v.offHook {
			return refused
		}
		v.class8 = eight
		return done
	}
}

// choose is +VSM with a format's number and 8000 samples a second.
func (v *voice) choose(given string) result {
	fields := strings.Split(given, ",")
	for _, f := range v.spec.Formats {
		if v.class8 && f.Coding != wires.Unusable && len(fields) >= 2 && fields[0] == strconv.Itoa(f.ID) && fields[1] == "8000" {
			v.format = format(f)
			return done
		}
	}
	return refused
}

func (v *voice) duplex(string) result {
	if !v.offHook || v.format.Coding == "" {
		return refused
	}
	v.answer("CONNECT")
	v.sound, v.escaped, v.rest, v.line.typed = true, false, nil, nil
	v.reflow()
	return told
}

func (v *voice) rings(n int) {
	if v.class8 {
		v.code('R')
	} else {
		v.say("RING")
	}
	if n == 0 && v.callerID {
		v.say("DATE = 0101", "TIME = 1200", "NMBR = "+v.call.number)
	}
}

func (*voice) ringsEvery() time.Duration { return 6 * time.Second }

// answers: ATA would have the modem speak to another modem, or answer VCON.
func (*voice) answers() result { return refused }

// dials dials before it answers. That somebody was reached, a telephone line doesn't tell.
func (v *voice) dials(number string) result {
	if !v.class8 {
		return "NO CARRIER"
	}
	v.call = call{state: dialling, outgoing: true, number: number, nth: v.call.nth + 1}
	v.offHook = true
	v.during(time.Second+time.Duration(len(number))*100*time.Millisecond, dialling, func() {
		v.answer(done)
		v.becomeActive()
		if v.spec.Busy {
			v.during(v.spec.AnswersAfter, active, func() { v.endCall(true) })
		}
	})
	return told
}

func (*voice) began() {}

func (v *voice) ended(was call, remote bool) {
	if !remote {
		v.offHook = false
		return
	}
	if was.state == dialling {
		v.answer("BUSY")
	}
	if was.state != ringing {
		v.gone(v.call.nth)
	}
}

// gone tells what is heard once nobody is there any more, again and again.
func (v *voice) gone(nth int) {
	v.code(v.spec.Gone)
	v.after(2*time.Second, func() {
		if v.offHook && v.call.nth == nth {
			v.gone(nth)
		}
	})
}

func (v *voice) resume() {
	v.class8, v.offHook, v.sound = true, true, true
	i := slices.IndexFunc(v.spec.Formats, func(f wires.Format) bool { return f.Coding != wires.Unusable })
	v.format = format(v.spec.Formats[i])
}

func (v *voice) hears() bool { return v.sound }

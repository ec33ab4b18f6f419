package modem

import "fmt"

// quectel is an EC2x, EG9x or EG25. Its sound has to be switched off and on before each call, or it dies after some of them; here it does so after the first.
type quectel struct {
	module
	pcm struct {
		on, stale bool
		call      bool // as it was when the call was answered or dialled
	}
	dsci, ccinfo bool
}

func (*quectel) boots() []string { return []string{"RDY"} }
func (*quectel) chatter() string { return `+QIND: "csq",31,99` }

func (q *quectel) commands() commands {
	return commands{
		"+QPCMV=?": q.says("+QPCMV: (0,1),(0-2)"),
		"+QPCMV?": func(string) result {
			on := 0
			if q.pcm.on {
				on = 1
			}
			q.say(fmt.Sprintf("+QPCMV: %d,0", on))
			return done
		},
		"+QPCMV=0": func(string) result {
			q.pcm.on, q.pcm.stale, q.pcm.call = false, false, false
			q.reflow()
			return done
		},
		"+QPCMV=1,0":            set(&q.pcm.on, true),
		"+QTONEDET=0":           set(&q.settings.keys, false),
		"+QTONEDET=1":           set(&q.settings.keys, true),
		"^DSCI=0":               set(&q.dsci, false),
		"^DSCI=1":               set(&q.dsci, true),
		`+QINDCFG="ccinfo",0,0`: set(&q.ccinfo, false),
		`+QINDCFG="ccinfo",1,0`: set(&q.ccinfo, true),
	}
}

// The states of a call in ^DSCI, and those in "ccinfo" (as in +CLCC).
const (
	dsciDialling = 2
	dsciActive   = 3
	dsciIncoming = 4
	dsciEnded    = 6
	ccEnded      = -1
)

func (q *quectel) tell(c call, dsci, cc int) {
	if q.dsci {
		q.say(fmt.Sprintf("^DSCI: 1,%d,%d,0,%s,129", c.direction(), dsci, c.number))
	}
	if q.ccinfo {
		q.say(fmt.Sprintf(`+QIND: "ccinfo",1,%d,%d,0,0,"%s",129`, c.direction(), cc, c.number))
	}
}

func (q *quectel) rings(n int) {
	if n == 0 {
		q.tell(q.call, dsciIncoming, ringing.clcc())
	}
	q.module.rings(n)
}

// latch is that the sound has to be on when the call is answered or dialled.
func (q *quectel) latch() { q.pcm.call = q.pcm.on && !q.pcm.stale }

func (q *quectel) answers() result {
	q.latch()
	return q.module.answers()
}

func (q *quectel) dials(number string) result {
	q.latch()
	r := q.module.dials(number)
	q.tell(q.call, dsciDialling, dialling.clcc())
	return r
}

func (q *quectel) began() { q.tell(q.call, dsciActive, active.clcc()) }

func (q *quectel) ended(was call, remote bool) {
	q.pcm.stale, q.pcm.call = q.pcm.on, false
	q.tell(was, dsciEnded, ccEnded)
	if remote {
		q.say("NO CARRIER")
	}
}

func (q *quectel) resume() { q.pcm.on, q.pcm.call = true, true }

func (q *quectel) hears() bool { return q.call.state == active && q.pcm.call }

func (q *quectel) key(key byte, s stage) {
	if s == heardKey && q.settings.keys {
		q.say(fmt.Sprintf("+QTONEDET: %d", key))
	}
}

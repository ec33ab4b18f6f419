package line

import (
	"context"
	"errors"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/session"
	"github.com/flattone/flattone/daemon/wire"
	"github.com/flattone/flattone/hw"
	"github.com/flattone/flattone/hw/serial"
)

// phones are those sides of a line that are modems. The caller's is the source of the line's calls; the agent's is a call that the agent keeps
// for all of them.
//
//	caller's modem ──rings──▶ the agent's ear, flattoned        agent's keys, flattoned ──answer, dial, hang up──▶ caller's modem
//	               ──began, joined, ended──▶ edges of calls
//	               ──a key──▶ the session, as another ear
//	either modem   ──broken, mended──▶ bars
//	agent's modem  ──rings──▶ answered at once
//	               ──ended──▶ hang up: the agent has put the telephone down
type phones struct {
	caller, agent modem            // nil where that side is none
	asked         chan session.Ask // by the agent's keys, which the session's goroutine tells of and mustn't wait

	// What follows belongs to the goroutine of Line.phone.
	ringing, inCall bool
	ails            map[modem]capture.Code // what each suffers from
}

// mostAsked wait to be done; of an agent who keys faster the rest is left out.
const mostAsked = 4

// errNoPhone answers whoever would command one.
var errNoPhone = errors.New("its caller's side is no modem, so there is nothing to answer, to dial or to hang up")

// ask asks the caller's modem for something.
func (p *phones) ask(do func(modem) error) error {
	if p.caller == nil {
		return errNoPhone
	}
	return do(p.caller)
}

// events are nil, which yields nothing, where there is no modem.
func events(m modem) <-chan serial.Event {
	if m == nil {
		return nil
	}
	return m.Events()
}

// phone follows the line's modems until ctx ends.
func (l *Line) phone(ctx context.Context) error {
	callers, agents := events(l.phones.caller), events(l.phones.agent)
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-callers:
			l.callersPhone(e)
		case e := <-agents:
			l.agentsPhone(e)
		case a := <-l.phones.asked:
			l.askedByKeys(a)
		}
	}
}

// callersPhone takes what the caller's modem tells.
func (l *Line) callersPhone(e serial.Event) {
	p := &l.phones
	switch e.Kind {
	case serial.Ringing:
		l.rings(wire.Ringing{On: true, Number: e.Number})
	case serial.Began:
		l.calls(hw.CallBegan)
	case serial.Joined:
		l.calls(hw.CallJoined)
	case serial.Ended:
		l.rings(wire.Ringing{})
		if p.inCall { // else it only rang
			l.calls(hw.CallEnded)
		}
	case serial.KeyHeard:
		l.session.Witnessed() // fails only while the process ends
	case serial.Broken:
		l.rings(wire.Ringing{})
		l.ails(p.caller, e)
		if p.inCall && (e.Code == serial.Silent || e.Code == serial.Refuses) {
			l.sourceLost()
		}
	case serial.Mended:
		l.ails(p.caller, e)
	}
}

// agentsPhone takes what the agent's modem tells.
func (l *Line) agentsPhone(e serial.Event) {
	p := &l.phones
	switch e.Kind {
	case serial.Ringing:
		if err := p.agent.Answer(); err != nil {
			l.log.Warn("the agent's call can't be answered", "error", err)
		}
	case serial.Began:
		l.log.Info("the agent is on the line")
		l.session.OffHook() // fails only while the process ends
	case serial.Joined:
		l.log.Info("the agent is on the line")
	case serial.Ended:
		l.log.Info("the agent is off the line")
		if p.inCall {
			if err := p.ask(modem.HangUp); err != nil {
				l.log.Warn("the caller can't be told that the agent has hung up", "error", err)
			}
		}
	case serial.Broken, serial.Mended:
		l.ails(p.agent, e)
	}
}

// rings has the agent and flattoned know that a call comes in, or no longer does.
func (l *Line) rings(r wire.Ringing) {
	p := &l.phones
	if !r.On && !p.ringing {
		return
	}
	p.ringing = r.On
	l.bridge.bell.on.Store(r.On)
	if r.On {
		l.session.Tested() // he is to hear it; it fails where nothing is tested
	}
	l.told.rings(r)
}

// calls is an edge of a call, which the modem has told: it is there.
func (l *Line) calls(k hw.EdgeKind) {
	l.rings(wire.Ringing{})
	l.phones.inCall = k != hw.CallEnded
	l.told.tells(wire.Source{Code: string(capture.OK)})
	l.happened(k)
}

// ails bars the line for what a modem suffers from, as long as it does. Of what both do, one alone is mended in vain.
func (l *Line) ails(m modem, e serial.Event) {
	p := &l.phones
	before, now := p.ails[m], capture.Code(e.Code)
	if now != "" {
		l.log.Error("a modem can't do its work: no card is taken until it can", "code", now, "error", e.Err)
		p.ails[m] = now
		l.session.Bar(now, true) // fails only while the process ends, as below
	} else {
		l.log.Info("the modem works again")
		delete(p.ails, m)
	}
	for _, still := range p.ails {
		if still == before {
			return
		}
	}
	if before != "" {
		l.session.Bar(before, false)
	}
}

// askedByKeys does what the agent asks of the telephone, and says so: a call is answered whether flattoned is there or not.
func (l *Line) askedByKeys(a session.Ask) {
	do := map[session.Ask]func(modem) error{session.AskAnswer: modem.Answer, session.AskHangUp: modem.HangUp}[a]
	said := wire.Asked{For: string(a)}
	if err := l.phones.ask(do); err != nil {
		said.Error = err.Error()
		l.log.Warn("what the agent asked for by keys was not done", "for", a, "error", err)
	}
	l.link.say(said)
}

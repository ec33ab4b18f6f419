package board

import (
	"slices"

	"github.com/flattone/flattone/daemon/control"
)

// cvv is the field whose stars are kept back: three or four of them tell a thief when to listen.
const cvv = "cvv"

// line makes a view of what is told of one line, and is all there is to it: no clock, no other line.
type line struct {
	view View
	told View // the last that watchers have
	// unseen are the stars of the cvv, until it is judged.
	unseen int
	// asked are the fields of the capture that they were said of.
	asked    []string
	askedFor string
}

// seed is how the line is at the moment, before the events that tell it.
func (l *line) seed(c control.Line) {
	v := &l.view
	v.Line, v.Place, v.Away = c.Name, c.Place, false
	v.Up, v.State, v.Reason, v.InCall = c.Up, c.State, c.Reason, c.InCall
	v.Barred = slices.Sorted(slices.Values(c.Barred))
	v.Covered = c.Covered
	l.bind(c.Bound)
	if c.Capture != "" {
		l.began(c.Capture, c.Test)
	}
}

func (l *line) apply(e control.Event) {
	v := &l.view
	switch e.Kind {
	case control.KindLineUp:
		v.Up, v.Reason, v.Barred = true, "", nil
	case control.KindLineDown:
		v.Up, v.Reason, v.Barred, v.Warning = false, e.Reason, nil, ""
	case control.KindState:
		l.state(e)
	case control.KindCall:
		l.call(e.Code)
	case control.KindBar:
		v.Barred = slices.DeleteFunc(slices.Clone(v.Barred), func(code string) bool { return code == e.Code })
		if e.On {
			v.Barred = append(v.Barred, e.Code)
			slices.Sort(v.Barred)
		}
	case control.KindBond:
		if e.On {
			l.bind(e.Agent)
		} else {
			l.view.Bound = ""
			if v.Last == "" {
				v.Last = e.Agent
			}
		}
	case control.KindCover:
		v.Covered = e.On
	case control.KindKey, control.KindVerdict, control.KindToken:
		l.keyed(e)
	case control.KindWarning:
		v.Warning = e.Code
	case control.KindPayment:
		p := l.payment(e.Payment, e.Capture)
		p.State, p.Reason = e.State, e.Reason
		if e.State == control.PaymentWanted {
			p.Later = e.Reason == control.CodeGatewayAway
		}
	case control.KindAct:
		l.payment(e.Payment, e.Capture).Act = Act{e.Act, e.Code, e.State, e.Reason}
	}
}

func (l *line) bind(agent string) {
	l.view.Bound = agent
	if agent != "" {
		l.view.Last = agent
	}
}

func (l *line) state(e control.Event) {
	v := &l.view
	if e.Capture != "" {
		l.began(e.Capture, e.Test)
	}
	v.State, v.Reason = e.State, e.Reason
	if e.State == control.StateVoid {
		v.Void = e.Reason
	}
	if e.State != control.StateKeying {
		v.Warning = ""
	}
	if e.State == control.StateArmed && len(v.Fields) > 0 && v.Fields[0].State == Waiting {
		v.Fields[0].State = Open
	}
}

// call takes an edge. What the last call left stays to be seen until another begins.
func (l *line) call(edge string) {
	v := &l.view
	v.InCall, v.Ended, v.Warning = edge != control.CallEnded, edge == control.CallEnded, ""
	if v.InCall {
		v.Capture, v.Test, v.Fields, v.Stored, v.Void, v.Payments = "", false, nil, false, "", nil
		v.Last = v.Bound
		l.unseen = 0
	}
}

// began is word of a capture, which may be the one that is known.
func (l *line) began(capture string, test bool) {
	v := &l.view
	if capture == v.Capture {
		return
	}
	v.Capture, v.Test, v.Fields, v.Stored, v.Void, v.Warning, l.unseen = capture, test, nil, false, "", "", 0
	names := []string{"pan"} // what every capture begins with
	if l.askedFor == capture {
		names = l.asked
	}
	for i, name := range names {
		state := Waiting
		if i == 0 {
			state = Open
		}
		v.Fields = append(v.Fields, Field{Name: name, State: state})
	}
}

// expect says what a capture asks for.
func (l *line) expect(capture string, fields []string) {
	l.asked, l.askedFor = fields, capture
	if l.view.Capture != capture {
		return
	}
	for _, name := range fields {
		l.field(name)
	}
}

func (l *line) keyed(e control.Event) {
	v := &l.view
	if e.Capture != v.Capture {
		if v.Capture != "" && v.Taking() {
			return // late word of one that is over
		}
		l.began(e.Capture, e.Test)
	}
	if e.Kind == control.KindToken {
		v.Stored = true
		return
	}
	f := l.field(e.Field)
	if e.Kind == control.KindVerdict {
		l.judged(f, e)
		return
	}
	if e.Field == cvv {
		l.unseen = e.Stars
		if f.State == Open || e.Stars > 0 && f.State != Waiting {
			return // not even that a key came
		}
	} else {
		v.Warning = ""
		f.Stars = e.Stars
	}
	if f.State == Refused && e.Stars == 0 {
		return // it was emptied, and why is still to be read
	}
	for i := range v.Fields {
		if v.Fields[i].State == Open {
			v.Fields[i].State = Waiting
		}
	}
	f.State, f.Code, f.Brand, f.Last4 = Open, "", "", ""
	if e.Field == cvv {
		f.Stars = 0
	}
}

// judged is the end of a field. After a good one the next one's turn has come.
func (l *line) judged(f *Field, e control.Event) {
	v := &l.view
	v.Warning = ""
	if e.Field == cvv {
		f.Stars = l.unseen
	}
	if e.Code != control.CodeOK {
		f.State, f.Code, f.Brand, f.Last4 = Refused, e.Code, "", ""
		return
	}
	f.State, f.Code, f.Brand, f.Last4 = Good, "", e.Brand, e.Last4
	open := func(f Field) bool { return f.State == Open || f.State == Refused }
	if i := slices.IndexFunc(v.Fields, func(f Field) bool { return f.State == Waiting }); i >= 0 && !slices.ContainsFunc(v.Fields, open) {
		v.Fields[i].State = Open
	}
}

// field is the field of that name, which is made if it wasn't known.
func (l *line) field(name string) *Field {
	v := &l.view
	i := slices.IndexFunc(v.Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		i = len(v.Fields)
		v.Fields = append(v.Fields, Field{Name: name, State: Waiting})
	}
	return &v.Fields[i]
}

// payment is the payment of that id, which is made if it wasn't known.
func (l *line) payment(id, capture string) *Payment {
	v := &l.view
	i := slices.IndexFunc(v.Payments, func(p Payment) bool { return p.ID == id })
	if i < 0 {
		i = len(v.Payments)
		v.Payments = append(v.Payments, Payment{ID: id, Capture: capture})
	}
	return &v.Payments[i]
}

// know is what was asked of a payment.
func (l *line) know(c control.Payment) {
	i := slices.IndexFunc(l.view.Payments, func(p Payment) bool { return p.ID == c.ID })
	if i < 0 {
		return // of a call that is over
	}
	p := &l.view.Payments[i]
	p.Known, p.Amount, p.Currency, p.Reference = true, c.Amount, c.Currency, c.Reference
	p.Taken, p.Refunded, p.Voided = c.Taken, c.Refunded, c.Voided
	p.Bill, p.Total, p.Paid, p.Left = c.Bill, c.Total, c.Paid, c.Left
}

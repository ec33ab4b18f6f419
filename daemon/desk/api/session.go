package api

import (
	"reflect"
	"slices"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
)

// The states of a session.
//
//	created ──bind──▶ bound ──start──▶ taking ──the card is complete──▶ charging ──▶ approved | declined | failed
//	   ▲                │                │  └─▶ void, cancelled           │ └─▶ held ──confirm──▶ charging
//	   └─the call's edge┘                └──no amount──▶ stored           └─▶ unknown, being checked ──▶ ...
const (
	stateCreated   = "created"
	stateBound     = "bound"
	stateTaking    = "taking"
	stateCharging  = "charging"
	stateHeld      = control.PaymentHeld
	stateUnknown   = control.PaymentUnknown
	stateApproved  = control.PaymentApproved
	stateDeclined  = control.PaymentDeclined
	stateFailed    = control.PaymentFailed
	stateStored    = "stored"
	stateVoid      = control.StateVoid
	stateCancelled = "cancelled"
)

// notSeen is why the end of a card that was only to be stored is unknown: another call was on the line before the desk saw it. Upstream is told of it if it was stored.
const notSeen = "not_seen"

// Session is one card, as the client is told of it.
type Session struct {
	ID        string    `json:"session"`
	Seq       int       `json:"seq"`
	Agent     string    `json:"agent"`
	Reference string    `json:"reference,omitempty"`
	Amount    string    `json:"amount,omitempty"`
	Currency  string    `json:"currency,omitempty"`
	State     string    `json:"state"`
	Reason    string    `json:"reason,omitempty"`
	Line      string    `json:"line,omitempty"`
	Covered   bool      `json:"covered,omitempty"`
	Warning   string    `json:"warning,omitempty"`
	Fields    []Field   `json:"fields,omitempty"`
	Brand     string    `json:"brand,omitempty"`
	Last4     string    `json:"last4,omitempty"`
	Token     string    `json:"token,omitempty"`
	Payment   string    `json:"payment,omitempty"`
	Later     bool      `json:"later,omitempty"`
	Created   time.Time `json:"created"`
	Changed   time.Time `json:"changed"`
}

// Field is one that the caller keys.
type Field struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Stars int    `json:"stars"`
	Code  string `json:"code,omitempty"`
}

// over reports whether nothing more will come of it.
func (s Session) over() bool {
	return slices.Contains([]string{stateApproved, stateDeclined, stateFailed, stateStored, stateVoid, stateCancelled}, s.State)
}

// after is how the session stands with the line as it is seen. What it was told of a capture that the line shows no more stays.
func (s Session) after(capture string, v board.View) Session {
	if s.over() || v.Line != s.Line || v.Away {
		return s
	}
	if capture == "" {
		if s.State = stateCreated; v.Bound == s.Agent {
			s.State = stateBound
		}
		s.Covered = v.Covered
		return s
	}
	if v.Capture != capture { // not yet, or no longer
		if s.State == stateTaking && len(s.Fields) > 0 && s.Payment == "" {
			s.State, s.Reason = stateUnknown, notSeen
		}
		return s
	}
	s.Warning, s.Covered, s.Fields = v.Warning, v.Covered, nil
	for _, f := range v.Fields {
		s.Fields = append(s.Fields, Field{f.Name, f.State, f.Stars, f.Code})
		if f.Last4 != "" {
			s.Brand, s.Last4 = f.Brand, f.Last4
		}
	}
	paying, is := v.Paying()
	switch {
	case v.State == control.StateVoid && !v.Stored:
		s.State, s.Reason = stateVoid, v.Reason
	case is:
		s = s.paid(control.Payment{ID: paying.ID, State: paying.State, Reason: paying.Reason})
	case v.Stored && s.Amount == "":
		s.State = stateStored
	}
	return s
}

// paid is how it stands with its payment as that is known. What a payment waits for doesn't take it back.
func (s Session) paid(p control.Payment) Session {
	s.Payment, s.Reason = p.ID, p.Reason
	switch p.State {
	case control.PaymentWanted:
		s.Reason = ""
	case control.PaymentReady, control.PaymentWaiting, control.PaymentAsked:
		s.State = stateCharging
	case control.PaymentAbandoned:
		s.State = stateVoid
	case stateHeld, stateUnknown, stateApproved, stateDeclined, stateFailed:
		s.State = p.State
	}
	if p.Token != "" {
		s.Token = p.Token
	}
	return s
}

// same reports whether a client would see no difference.
func (s Session) same(to Session) bool {
	s.Seq, s.Changed = to.Seq, to.Changed
	return reflect.DeepEqual(s, to)
}

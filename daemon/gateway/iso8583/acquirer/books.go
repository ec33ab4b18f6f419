package acquirer

import (
	"maps"
	"slices"

	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// Entry is what the books have of one reference number, in minor units.
type Entry struct {
	Authorised int64
	Taken      int64
	Refunded   int64 // by the reference number of the payment, whatever that of the refund was
	Reversed   bool
	Code       string   // what the question was answered with; "": it hasn't come
	originals  []string // types, trace numbers and transmission times that it came with, as field 90 has them
}

// Holds is the money that a card holder lacks: taken and not given back, or held for him who may take it.
func (e Entry) Holds() int64 {
	if e.Reversed {
		return 0
	}
	return max(e.Authorised, e.Taken) - e.Refunded
}

// Books are a copy of them, by reference number.
func (a *Acquirer) Books() map[string]Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := map[string]Entry{}
	for number, e := range a.books {
		all[number] = *e
	}
	return all
}

// entry is that of a number, a new one if need be.
func (a *Acquirer) entry(number string) *Entry {
	if a.books[number] == nil {
		a.books[number] = &Entry{}
	}
	return a.books[number]
}

// find is the entry that field 90 is of.
func (a *Acquirer) find(original string) *Entry {
	for _, number := range slices.Sorted(maps.Keys(a.books)) {
		if e := a.books[number]; len(original) >= 20 && slices.Contains(e.originals, original[:20]) {
			return e
		}
	}
	return nil
}

// request is what a message asks for, without the card.
type request struct {
	MTI, Processing string
	Amount          int64
	Number, Trace   string // field 37; fields 11 and 7
	Original        string // field 90
	Outcome         string // what is said to its card
}

func requestOf(m message.Message, outcome string) request {
	return request{m.Type, m.Text(3), parse(m.Text(4)), m.Text(37), m.Text(11) + m.Text(7), m.Text(90), outcome}
}

// book does what is asked, and tells the code of the answer. The caller holds mu.
func (a *Acquirer) book(q request) string {
	a.keep(q)
	e := a.entry(q.Number)
	switch q.MTI {
	case "0100", "0200":
		if q.Processing == "200000" {
			return a.refund(e, q.Amount, q.Original)
		}
		e.originals = append(e.originals, q.MTI+q.Trace)
		if e.Reversed || e.Code != "" {
			return reply(e)
		}
		if e.Code = q.Outcome; e.Code != "00" {
			return e.Code
		}
		if e.Authorised = q.Amount; q.MTI == "0200" {
			e.Taken = q.Amount
		}
		return e.Code
	case "0220", "0221":
		switch {
		case e.Code != "00" || e.Reversed:
			return "25"
		case e.Taken > 0:
			return "94"
		case q.Amount > e.Authorised:
			return "13"
		}
		e.Taken, e.Authorised = q.Amount, q.Amount
		return "00"
	default: // a reversal, also of what comes later; of what was given back in part it gives back the rest
		e.Reversed = true
		return "00"
	}
}

// reply is what a question is answered by that came before, or whose reversal did.
func reply(e *Entry) string {
	if e.Code == "" {
		return "12"
	}
	return e.Code
}

func (a *Acquirer) refund(e *Entry, amount int64, original string) string {
	of := a.find(original)
	switch {
	case e.Code != "":
		return e.Code
	case of == nil:
		e.Code = "25"
	case of.Taken-of.Refunded < amount || of.Reversed:
		e.Code = "13"
	default:
		of.Refunded += amount
		e.Code = "00"
	}
	return e.Code
}

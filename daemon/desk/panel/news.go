package panel

import (
	"strings"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/desk/board"
	"github.com/flattone/flattone/daemon/desk/words"
)

// news is what a screen reader says of what became of a line: politely, that a field is good; as an alarm, what was refused, what came out, and what is wrong.
// Stars aren't read out one by one: nobody could listen to the caller meanwhile.
func news(w words.Words, was, is board.View, agent string) (polite, alarm string) {
	var good, bad []string
	for i, f := range is.Fields {
		var before board.Field
		if i < len(was.Fields) && was.Capture == is.Capture {
			before = was.Fields[i]
		}
		if f.State == before.State && f.Code == before.Code {
			continue
		}
		switch f.State {
		case board.Good:
			good = append(good, w.Say("say.field", "field", w.Say(f.Name), "what", strings.Join(facts(w, f), ", ")))
		case board.Refused:
			bad = append(bad, w.Say("say.field", "field", w.Say(f.Name), "what", w.Code(f.Code)))
		}
	}
	if is.Warning != was.Warning && is.Warning != "" {
		bad = append(bad, w.Code(is.Warning))
	}
	if red := is.Red(agent); red != was.Red(agent) && is.Line != "" {
		if red == "" {
			good = append(good, w.Say("green"))
		} else {
			bad = append(bad, w.Code(red))
		}
	}
	if is.State != was.State && is.State == "void" {
		bad = append(bad, w.Say("void")+": "+w.Code(is.Reason))
	}
	if is.Stored && !was.Stored {
		good = append(good, w.Say("stored"))
	}
	for i, p := range is.Payments {
		var before board.Payment
		if i < len(was.Payments) && was.Payments[i].ID == p.ID {
			before = was.Payments[i]
		}
		if p.State != before.State {
			bad = append(bad, outcome(w, p))
		}
		if p.Act != before.Act {
			bad = append(bad, w.Say("act."+p.Act.Kind)+" "+w.Say("act."+p.Act.State))
		}
	}
	return strings.Join(good, " "), strings.Join(bad, " ")
}

// facts are what is known of a good field.
func facts(w words.Words, f board.Field) []string {
	all := []string{w.Say(f.State)}
	if f.Brand != "" {
		all = append(all, control.BrandName(f.Brand))
	}
	if f.Last4 != "" {
		all = append(all, w.Say("ending", "last4", f.Last4))
	}
	return all
}

// outcome is how a payment is, and why.
func outcome(w words.Words, p board.Payment) string {
	text := w.Say("payment." + p.State)
	if p.Reason != "" && (p.State == "declined" || p.State == "failed") {
		text += ": " + w.Code(p.Reason)
	}
	return text
}

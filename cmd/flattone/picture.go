package main

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

const (
	widest  = 100 // a line longer than that is hard to read
	mostRow = 6   // of the list of lines; the others are scrolled to
	label   = 14  // width of the column of names
	besides = 26  // width of what stands beside a bar and the names
	kept    = 16  // entries of the log in what is left behind
)

// picture is the whole screen: the list of lines where there are several, one line's details, the log.
func (s *screen) picture() string {
	width := min(s.width, widest)
	rows := []string{s.row(" "+s.look.bold.Render("flattone"), s.look.faint.Render(clock(s.now())+" "), width)}
	rows = append(rows, s.list()...)
	rows = append(rows, s.details(width)...)
	keys := "q leaves"
	if len(s.board.lines) > 1 {
		keys = s.look.up + " choose a line   " + keys
	}
	foot := s.look.faint.Render(" " + keys)
	rows = append(rows, s.log(width, s.height-len(rows)-1)...)
	for len(rows) < s.height-1 {
		rows = append(rows, "")
	}
	rows = append(rows[:max(0, min(len(rows), s.height-1))], foot)
	return cut(rows, width)
}

// cut joins rows, none of them wider than width.
func cut(rows []string, width int) string {
	narrow := lipgloss.NewStyle().MaxWidth(max(1, width))
	for i := range rows {
		rows[i] = narrow.Render(rows[i])
	}
	return strings.Join(rows, "\n")
}

// keepsake is what stays on the terminal when the screen is gone: the chosen line and the end of the log.
func (s *screen) keepsake() string {
	width := min(s.width, widest)
	rows := append(s.details(width), s.log(width, kept)...)
	return cut(rows, width) + "\n"
}

// row is left and right at the two ends of a line.
func (s *screen) row(left, right string, width int) string {
	gap := max(1, width-lipgloss.Width(left)-lipgloss.Width(right))
	return left + strings.Repeat(" ", gap) + right
}

// list is a row for each line, if there are several.
func (s *screen) list() []string {
	lines := s.board.lines
	if len(lines) < 2 {
		return nil
	}
	first := max(0, min(s.chosen-mostRow/2, len(lines)-mostRow))
	var rows []string
	for i := first; i < min(len(lines), first+mostRow); i++ {
		l, mark := lines[i], " "
		if i == s.chosen {
			mark = s.look.pick
		}
		name := lipgloss.NewStyle().Width(label).Render(clean(l.name))
		state := lipgloss.NewStyle().Width(label - 4).Render(s.look.stateBadge(l))
		rows = append(rows, " "+mark+" "+name+" "+state+" "+s.gist(l))
	}
	return append(rows, "")
}

// gist is the most telling thing of a line in a few words.
func (s *screen) gist(l *lineNow) string {
	switch {
	case l.down:
		return downBecause(l.downReason)
	case l.token != "":
		known := words(card(l.brand, l.last4))
		for _, to := range l.told {
			known = append(known, delivery(to.to, to.delivery, ""))
		}
		return strings.Join(known, ", ")
	case l.reason != "":
		return reason(l.reason)
	}
	for _, f := range []string{"cvv", "expiry", "pan"} {
		if l.fields[f] != nil {
			return fieldName(f) + " " + s.look.field(l, f)
		}
	}
	return meaning(l.state)
}

// words leaves out what is empty.
func words(all ...string) (some []string) {
	for _, w := range all {
		if w != "" {
			some = append(some, w)
		}
	}
	return some
}

// details are the chosen line in full.
func (s *screen) details(width int) []string {
	if len(s.board.lines) == 0 {
		return []string{s.look.rule("no line is configured", width)}
	}
	l := s.board.lines[min(s.chosen, len(s.board.lines)-1)]
	k := s.look
	what, why, call := meaning(l.state), "", "no call"
	if wrong := inputs(l.callerInput, l.agentInput); len(wrong) > 0 {
		why = wrong[0]
	}
	if l.needsMS > 0 {
		why = "codec_poor: " + health.LookAheadNeeded(l.needsMS)
	}
	if l.sourceLost {
		why = reason("source_lost")
	}
	if len(l.barred) > 0 {
		why = "may not take cards: " + trouble(l.barred[0], l.name, "")
	}
	switch {
	case l.state == control.StateHeld && acknowledging(l.reason):
		why = strings.Join(words(reason(l.reason), "flattone ack "+l.name+" opens it"), "; ")
	case l.reason != "":
		why = trouble(l.reason, l.name, "")
	}
	if l.down {
		what, why = downBecause(l.downReason), ""
	}
	if l.ringing {
		call = rings(true, l.number)
	}
	if l.inCall {
		call = "in a call"
		if !l.callSince.IsZero() {
			call += " " + elapsed(max(0, s.now().Sub(l.callSince)))
		}
	}
	bar := max(8, min(maskedTrace, width-label-besides))
	title := strings.Join(words(clean(l.name), clean(l.place)), ", ")
	return []string{
		k.rule(title, width),
		s.row(" "+k.stateBadge(l)+" "+what, call+" ", width),
		" " + clean(why),
		s.named("caller", k.meter(l.caller, l.legs.CallerFloorDBm0, bar)),
		s.named("agent", k.meter(l.agent, l.legs.AgentFloorDBm0, bar)),
		s.named("to the agent", k.trace(l, bar)),
		"",
		s.named(fieldName("pan"), k.field(l, "pan")),
		s.named(fieldName("expiry"), k.field(l, "expiry")),
		s.named(fieldName("cvv"), k.field(l, "cvv")),
		"",
		s.named("token", s.token(l)),
		s.named("upstream", s.upstream(l)),
	}
}

func (s *screen) named(name, what string) string {
	return " " + s.look.faint.Render(lipgloss.NewStyle().Width(label).Render(name)) + what
}

func (s *screen) token(l *lineNow) string {
	if l.token == "" {
		return s.look.faint.Render(s.look.dash)
	}
	return s.look.bold.Render(clean(l.token)) + "  " + card(l.brand, l.last4)
}

// upstream is how far each destination has been told. Where there are several, why one hasn't is in the log alone.
func (s *screen) upstream(l *lineNow) string {
	if len(l.told) == 0 {
		return s.look.faint.Render(s.look.dash)
	}
	var all []string
	for _, to := range l.told {
		if len(l.told) > 1 {
			to.reason = ""
		}
		all = append(all, strings.Join(words(clean(to.to), s.told(to)), " "))
	}
	return strings.Join(all, ", ")
}

func (s *screen) told(to toldNow) string {
	switch to.delivery {
	case control.DeliveryPending:
		return "on its way"
	case control.DeliveryRetrying:
		return s.look.grave.Render(s.look.bad + " " + withReason("not taken yet", to.reason))
	case control.DeliveryDelivered:
		return s.look.good.Render(s.look.ok + " delivered")
	case control.DeliveryDead:
		return s.look.grave.Render(s.look.bad + " " + withReason("dead letter", to.reason))
	}
	return withReason(clean(to.delivery), to.reason)
}

// log is the end of what happened, the newest at the bottom, in at most the rows given.
func (s *screen) log(width, rows int) []string {
	if rows < 2 {
		return nil
	}
	out := []string{s.look.rule("what happened", width)}
	entries := s.board.log
	entries = entries[max(0, len(entries)-(rows-1)):]
	for _, e := range entries {
		name := ""
		if len(s.board.lines) > 1 {
			name = lipgloss.NewStyle().Width(label).Render(clean(e.line))
		}
		text := e.text
		switch e.weight {
		case good:
			text = s.look.good.Render(text)
		case grave:
			text = s.look.grave.Render(text)
		}
		out = append(out, " "+s.look.faint.Render(clock(e.at))+"  "+name+text)
	}
	return out
}

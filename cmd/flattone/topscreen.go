package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/flattone/flattone/daemon/control"
)

// topScreen is the live picture of top: a [screen] that has every line in a row, and what is wrong below them.
type topScreen struct {
	screen
	box boxStatus
	// err is why the last look came to nothing.
	err error
}

// glanceMsg is a look at the box, or why there is none.
type glanceMsg struct {
	box boxStatus
	err error
}

func newTopScreen(first boxStatus, g glyphs, now func() time.Time) *topScreen {
	p := &topScreen{screen: *newScreen(&board{}, g, now)}
	p.see(first)
	return p
}

// see takes over a look. Lines that are gone go.
func (p *topScreen) see(s boxStatus) {
	p.box, p.err, p.board = s, nil, &board{}
	p.board.introduce(s.Lines)
	p.chosen = max(0, min(p.chosen, len(s.Lines)-1))
}

// Update takes one message in.
func (p *topScreen) Update(m tea.Msg) (tea.Model, tea.Cmd) {
	if g, ok := m.(glanceMsg); ok {
		if p.err = g.err; g.err == nil {
			p.see(g.box)
		}
		return p, nil
	}
	_, cmd := p.screen.Update(m)
	return p, cmd
}

// View draws the screen.
func (p *topScreen) View() tea.View {
	v := p.screen.View()
	v.Content = p.picture(p.height)
	return v
}

// keepsake is the last picture without the rows that it left empty.
func (p *topScreen) keepsake() string { return p.picture(0) + "\n" }

// The table of lines: how wide a level's bar is, and a name; and how many rows are kept for what is wrong.
const (
	topBar    = 5
	topName   = 14
	topWrong  = 8
	topAround = 4 // rows that are neither a line nor something wrong: the first, the table's head, the rule, the last
)

// picture fits a height; 0 is what it takes, without the keys.
func (p *topScreen) picture(height int) string {
	width := min(p.width, widest)
	wrong := p.wrong(width)
	lines := len(p.box.Lines)
	if height > 0 {
		room := max(0, height-topAround)
		lines = max(0, min(lines, room-min(len(wrong), min(topWrong, room/2))))
		wrong = fits(wrong, room-lines)
	}
	first := max(0, min(p.chosen-lines/2, len(p.box.Lines)-lines))
	rows := []string{
		p.row(" "+p.look.bold.Render("flattone")+"  "+boxBrief(p.box), p.look.faint.Render(clock(p.now())+" "), width),
		p.look.faint.Render(fmt.Sprintf("   %-*s %-9s %-5s %-*s %-*s %6s %-8s %8s", topName, p.shown(first, lines), "STATE", "CALL",
			topBar+5, "CALLER", topBar+5, "AGENT", "MASKED", "AHEAD", "RESTARTS")),
	}
	for i := first; i < first+lines; i++ {
		rows = append(rows, p.line(i))
	}
	rows = append(rows, p.look.rule("what is wrong", width))
	rows = append(rows, wrong...)
	if height == 0 {
		return cut(rows, width)
	}
	for len(rows) < height-1 {
		rows = append(rows, "")
	}
	keys := "q leaves"
	if len(p.box.Lines) > 1 {
		keys = p.look.up + " choose a line   " + keys
	}
	return cut(append(rows[:max(0, min(len(rows), height-1))], p.look.faint.Render(" "+keys)), width)
}

// shown heads the names, and says which of the lines are on the screen if not all are.
func (p *topScreen) shown(first, lines int) string {
	if all := len(p.box.Lines); lines < all && lines > 0 {
		return fmt.Sprintf("%d-%d of %d", first+1, first+lines, all)
	}
	return "LINE"
}

// line is a line's row.
func (p *topScreen) line(i int) string {
	l, mark := p.box.Lines[i], " "
	if i == p.chosen && len(p.box.Lines) > 1 {
		mark = p.look.pick
	}
	caller, agent, masked := strings.Repeat(" ", topBar+5), strings.Repeat(" ", topBar+5), ""
	if l.Up {
		caller, agent, masked = p.level(l.CallerDBm0), p.level(l.AgentDBm0), maskedBrief(l)
	}
	badge := lipgloss.NewStyle().Width(9).Render(p.look.stateBadge(p.board.lines[i]))
	margin := fmt.Sprintf("%-8s", ahead(l))
	if l.NeedsLookAheadMS > 0 {
		margin = p.look.grave.Render(margin)
	}
	return fmt.Sprintf(" %s %-*s %s %-5s %s %s %6s %s %8d", mark, topName, brief(l.Name), badge, callBrief(l), caller, agent, masked, margin, l.Restarts)
}

// brief is a line's name as far as there is room for it.
func brief(name string) string {
	if name = clean(name); len(name) > topName {
		return name[:topName-1] + "~"
	}
	return name
}

// level is a bar and a number.
func (p *topScreen) level(dBm0 float64) string {
	return p.look.bar(dBm0, topBar) + fmt.Sprintf(" %4.0f", max(quiet, dBm0))
}

// wrong is all that is wrong, in rows: of the looking itself, of the box, of the chosen line, of the others.
func (p *topScreen) wrong(width int) (rows []string) {
	tell := func(who string, texts []string) {
		for _, text := range texts {
			head := fmt.Sprintf(" %-*s ", topName, who)
			for part := range strings.SplitSeq(lipgloss.Wrap(clean(text), max(1, width-len(head)-1), ""), "\n") {
				rows = append(rows, p.look.bold.Render(head)+strings.TrimSpace(part))
				head = strings.Repeat(" ", len(head))
			}
		}
	}
	if p.err != nil {
		tell("flattone", []string{fmt.Sprintf(wordsTopGone, p.err)})
	}
	tell("the box", p.box.troubles(""))
	for _, others := range []bool{false, true} {
		for i, l := range p.box.Lines {
			if (i != p.chosen) == others {
				tell(brief(l.Name), p.box.troubles(l.Name))
			}
		}
	}
	if rows == nil {
		rows = []string{" " + wordsTopWell}
	}
	return rows
}

// fits leaves out what there is no room for, and says so.
func fits(rows []string, room int) []string {
	if len(rows) <= room {
		return rows
	}
	if room < 1 {
		return nil
	}
	return append(rows[:room-1:room-1], fmt.Sprintf(" "+wordsTopMore, len(rows)-room+1))
}

// boxBrief is the one thing to know of the box.
func boxBrief(s boxStatus) string {
	return fmt.Sprintf("%d of %d lines up, %s", s.LinesUp, s.LinesTotal, waits(s.UpstreamPending))
}

// waits says how many events wait to be delivered upstream.
func waits(events int) string {
	switch {
	case events == control.PendingUnknown:
		return "what waits can't be read"
	case events > 0:
		return plural(events, "event") + " waiting for delivery"
	}
	return "everything delivered"
}

// troubles are the conditions of a line, or with no line of the box, in words.
func (s boxStatus) troubles(line string) (wrong []string) {
	for _, c := range s.of(line) {
		wrong = append(wrong, fmt.Sprintf("%s: %s: %s", c.Code, withDetail(c.Words, c.Detail), c.Remedy))
	}
	return wrong
}

// stateOf is a line's state, or that it is down.
func stateOf(l control.Line) string {
	if !l.Up {
		return stateDown
	}
	return l.State
}

// stateInFull says besides that it is a rehearsal's.
func stateInFull(l control.Line) string {
	if l.Test && l.Up {
		return wordsTest + " " + l.State
	}
	return stateOf(l)
}

func callBrief(l control.Line) string {
	switch {
	case l.Bound != "": // an agent has proven that it is his
		return "bound"
	case l.InCall:
		return "yes"
	case l.Ringing:
		return "rings"
	}
	return "no"
}

// maskedBrief is how much of the caller is masked, or that he is covered.
func maskedBrief(l control.Line) string {
	if l.Covered {
		return "cover"
	}
	return share(l.MaskedPermille)
}

// share is a share in permille as a person reads it.
func share(permille int) string { return fmt.Sprintf("%d %%", (permille+5)/10) }

// ahead is the look-ahead that a line has and, where that is too little, what it needs.
func ahead(l control.Line) string {
	had := strconv.Itoa(l.LookAheadMS)
	if l.NeedsLookAheadMS > 0 {
		return had + " of " + strconv.Itoa(l.NeedsLookAheadMS)
	}
	return had
}

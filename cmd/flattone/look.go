package main

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/flattone/flattone/daemon/control"
)

// look is how things are drawn. Colours are the terminal's own sixteen, so that they suit its background, and
// nothing is said by colour alone.
type look struct {
	glyphs
	faint, bold, good, grave, warm lipgloss.Style
	badge                          map[string]lipgloss.Style
}

func newLook(g glyphs) look {
	ink := func(c string) lipgloss.Style { return lipgloss.NewStyle().Foreground(lipgloss.Color(c)) }
	badge := func(c string) lipgloss.Style { return ink(c).Bold(true).Reverse(true) }
	return look{
		glyphs: g,
		faint:  lipgloss.NewStyle().Faint(true),
		bold:   lipgloss.NewStyle().Bold(true),
		good:   ink("2"),
		warm:   ink("3"),
		grave:  ink("1").Bold(true),
		badge: map[string]lipgloss.Style{
			control.StateArmed:  badge("4"),
			control.StateKeying: badge("5"),
			control.StateDone:   badge("2"),
			control.StateVoid:   badge("3"),
			control.StateHeld:   badge("1"),
			stateDown:           badge("1"),
		},
	}
}

// stateDown stands in for the state of a line whose process does not run.
const stateDown = "down"

// stateBadge is a line's state in capitals.
func (k look) stateBadge(l *lineNow) string {
	state := l.state
	switch {
	case l.down:
		state = stateDown
	case state == "":
		state = "unknown"
	}
	if l.test && !l.down && state != control.StateIdle && state != control.StateHeld {
		return k.bold.Reverse(true).Render(" " + wordsTest + " ")
	}
	style, ok := k.badge[state]
	if !ok {
		style = k.bold.Reverse(true)
	}
	return style.Render(" " + strings.ToUpper(clean(state)) + " ")
}

// The span of a level meter in dBm0. Speech is at about -25, a key at about -10; the rest is near overload.
const (
	meterFloor = -60.0
	meterLoud  = -6.0
)

// bar is a level as a bar of a width in cells.
func (k look) bar(dBm0 float64, width int) string {
	eighths := int(max(0, min(1, 1-dBm0/meterFloor)) * float64(width) * 8)
	cells, rest := eighths/8, eighths%8
	bar := strings.Repeat(k.full, cells)
	if rest > 0 && k.parts != nil {
		bar += k.parts[rest-1]
		cells++
	}
	style := k.good
	if dBm0 > meterLoud {
		style = k.warm
	}
	return style.Render(bar) + k.faint.Render(strings.Repeat(k.rest, width-cells))
}

// meter is a level as a bar of a width in cells, and as a number, with the noise floor where that is known.
func (k look) meter(dBm0, floor float64, width int) string {
	number := fmt.Sprintf("%4.0f dBm0", dBm0)
	if dBm0 <= quiet {
		number = "silent"
	}
	noise := ""
	if floor != 0 {
		noise = fmt.Sprintf(", noise %.0f", floor)
	}
	return k.bar(dBm0, width) + "  " + number + k.faint.Render(noise)
}

// trace is what was masked lately in a width in cells, the newest to the right, and what the agent hears now.
func (k look) trace(l *lineNow, width int) string {
	recent := l.masked[max(0, len(l.masked)-width):]
	var b strings.Builder
	b.WriteString(k.faint.Render(strings.Repeat(k.rest, width-len(recent))))
	for rest := recent; len(rest) > 0; { // in runs of one colour: a style a cell would cost more than all else
		style, masked := k.faint, rest[0] > 0
		if masked {
			style = k.warm
		}
		cells := ""
		for len(rest) > 0 && (rest[0] > 0) == masked {
			cells += k.shades[max(0, min(3, (rest[0]+332)/333))]
			rest = rest[1:]
		}
		b.WriteString(style.Render(cells))
	}
	switch {
	case len(recent) == 0:
		return b.String() + "  " + k.faint.Render("not known yet")
	case l.covered:
		return b.String() + "  " + k.warm.Render(wordsHearsNoise)
	case l.maskedNow() > 0:
		return b.String() + "  " + k.warm.Render(hears(l.maskedNow()))
	}
	return b.String() + "  " + k.faint.Render(hears(0))
}

// field is one field of the card: its stars, and its verdict in words.
func (k look) field(l *lineNow, name string) string {
	const room = 20 // the longest number has nineteen digits
	f, known := l.fields[name]
	switch {
	case !known:
		return k.faint.Render(k.dash)
	case f.code == "":
		return strings.Repeat(k.star, min(room, f.stars))
	}
	stars := fmt.Sprintf("%-*s", room, strings.Repeat(k.star, min(room, f.stars)))
	words := verdict(f.code, f.brand, f.last4)
	if f.code == control.CodeOK {
		return stars + k.good.Render(k.ok+" "+words)
	}
	return stars + k.grave.Render(k.bad+" "+words)
}

// rule is a line across the screen with a title in it.
func (k look) rule(title string, width int) string {
	left := strings.Repeat(k.across, 2) + " "
	rest := max(0, width-lipgloss.Width(left+title)-2)
	return k.faint.Render(" "+left) + k.bold.Render(title) + k.faint.Render(" "+strings.Repeat(k.across, max(0, rest-1)))
}

// eventLine is an event as watch prints it where there is no screen.
func eventLine(e control.Event) string {
	return fmt.Sprintf("%s  %-10s %s", clock(e.Time), clean(e.Line), sentence(e))
}

// clock is the time of day.
func clock(t time.Time) string { return t.Local().Format("15:04:05") }

// elapsed is a duration as a call is timed.
func elapsed(d time.Duration) string {
	d = d.Truncate(time.Second)
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

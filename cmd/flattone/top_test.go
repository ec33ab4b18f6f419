package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// topOf is a box of some lines: every state and every trouble among them, if there are enough.
func topOf(lines int) boxStatus {
	s := boxStatus{Status: control.Status{LinesTotal: lines, LinesUp: lines, UpstreamPending: 3}}
	stands := health.NewBoard()
	stands.Set(health.UpstreamFailing, "", "503 Service Unavailable")
	if lines == 1 {
		s.UpstreamPending = 0
		stands.Clear(health.UpstreamFailing, "")
	}
	for i := range lines {
		l := control.Line{Name: fmt.Sprintf("trunk-%d", i+1), Up: true, State: control.StateIdle, LookAheadMS: 30, CallerDBm0: -18 - float64(i), AgentDBm0: -90}
		switch i {
		case 0:
			l.State, l.InCall, l.MaskedPermille, l.Covered = control.StateKeying, true, 1000, lines == 4
		case 1:
			l.State, l.Reason, l.InCall, l.Restarts, l.NeedsLookAheadMS = control.StateHeld, "call_unknown", true, 12, 40
			stands.Set("call_unknown", l.Name, "")
			stands.Set(health.CodecPoor, l.Name, health.LookAheadNeeded(40))
		case 2:
			l.Up, l.State, l.Reason = false, control.StateHeld, control.DeviceAbsent
			s.LinesUp--
			stands.Set("device_absent", l.Name, "")
		case 3:
			l.Name, l.Ringing, l.Barred, l.AgentInput = "a-line-of-quite-a-long-name", true, []string{"monitor_open"}, "input_dead"
			stands.Set("monitor_open", l.Name, "")
			stands.Set("input_dead", l.Name, "agent")
		}
		s.Lines = append(s.Lines, l)
	}
	s.Conditions = stands.Snapshot()
	return s
}

func topScreenOf(g glyphs, lines int) *topScreen {
	return newTopScreen(topOf(lines), g, func() time.Time { return then })
}

func TestTopPictures(t *testing.T) {
	last := topScreenOf(utf8(), 30)
	for range 40 {
		last.Update(tea.KeyPressMsg{Code: tea.KeyDown})
	}
	gone := topScreenOf(utf8(), 1)
	gone.Update(glanceMsg{err: errors.New("asking for the status: there is no admin socket at /run/flattone/admin.sock")})
	for name, p := range map[string]*topScreen{
		"top-1": topScreenOf(utf8(), 1), "top-4": topScreenOf(utf8(), 4), "top-30": topScreenOf(utf8(), 30), "top-30-last": last,
		"top-ascii": topScreenOf(ascii(), 4), "top-gone": gone, "top-none": topScreenOf(utf8(), 0),
	} {
		t.Run(name, func(t *testing.T) {
			shows(t, name, p.View().Content)
		})
	}
}

// TestTopScrollsToEveryLine: whichever line is chosen is on the screen, and what is wrong with it comes before the others' troubles.
func TestTopScrollsToEveryLine(t *testing.T) {
	p := topScreenOf(utf8(), 30)
	for i := range p.box.Lines {
		text := withoutColours(p.View().Content)
		if want := "▸ " + p.box.Lines[i].Name[:7]; !strings.Contains(text, want) {
			t.Fatalf("%q is not on the screen:\n%s", want, text)
		}
		if _, wrong, _ := strings.Cut(text, "what is wrong"); i == 3 && !strings.Contains(wrong, "monitor_open") {
			t.Errorf("of the line chosen it isn't said what is wrong:\n%s", wrong)
		}
		p.Update(tea.KeyPressMsg{Code: tea.KeyDown})
	}
	p.Update(glanceMsg{box: topOf(2)})
	if p.chosen != 1 || !strings.Contains(p.View().Content, "trunk-2") {
		t.Errorf("line %d is chosen of two", p.chosen)
	}
}

func TestTopOnEverySize(t *testing.T) { fitsEverySize(t, topScreenOf(utf8(), 30)) }

func TestLiveTop(t *testing.T) {
	for name, env := range map[string][]string{"in colours": nil, "without": {"NO_COLOR=1"}} {
		t.Run(name, func(t *testing.T) {
			drawn, code := live(t, env, func(_ *aBox, keyboard *os.File) { keyboard.WriteString("q") }, "top")
			shown, left, ok := strings.Cut(drawn, leaveScreen)
			if code != exitOK || !ok || !strings.Contains(shown, enterScreen) {
				t.Fatalf("exit code %d, drawn %q", code, drawn)
			}
			if left = withoutColours(left); !strings.Contains(left, "1 of 2 lines up") || !strings.Contains(left, "desk-3") {
				t.Errorf("left behind is %q", left)
			}
			if coloured := strings.Contains(drawn, "\x1b[31"); coloured != (env == nil) {
				t.Errorf("coloured: %t", coloured)
			}
		})
	}
}

// A terminal that nothing can be drawn on gets tables.
func TestTopOnADumbTerminal(t *testing.T) {
	drawn, code := live(t, []string{"TERM=dumb"}, func(*aBox, *os.File) {}, "top", "--times", "1")
	if code != exitOK || strings.Contains(drawn, "\x1b") || !strings.Contains(drawn, "30 of 40") {
		t.Errorf("exit code %d, drawn %q", code, drawn)
	}
}

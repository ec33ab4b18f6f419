package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/flattone/flattone/daemon/control"
)

// colours are the sequences that say how a text looks.
func withoutColours(s string) string {
	return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(s, "")
}

// shows is pictured for a screen, which has 24 rows of 80 columns.
func shows(t *testing.T, name, screen string) {
	t.Helper()
	pictured(t, name, screen)
	rows := strings.Split(screen, "\n")
	if len(rows) != 24 {
		t.Errorf("%d rows, want 24", len(rows))
	}
	for i, row := range rows {
		if w := lipgloss.Width(row); w > 80 {
			t.Errorf("row %d is %d columns wide", i, w)
		}
	}
}

// pictured compares a picture with testdata/screen/NAME.txt; go test -update writes that anew.
func pictured(t *testing.T, name, picture string) {
	t.Helper()
	var got strings.Builder
	for line := range strings.SplitSeq(withoutColours(picture), "\n") {
		got.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	file := filepath.Join("testdata", "screen", name+".txt")
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the screen is\n%s\nwant\n%s", &got, want)
	}
}

// utf8 and ascii are the two ways to draw.
func utf8() glyphs  { return (&tool{env: []string{"LANG=en_IE.UTF-8"}}).glyphs() }
func ascii() glyphs { return (&tool{env: []string{"LANG=en_IE.UTF-8", "LC_ALL=C"}}).glyphs() }

// screenOf is a screen that has been told events, 42 s into the call.
func screenOf(g glyphs, lines []control.Line, events ...control.Event) *screen {
	b := &board{}
	b.introduce(lines)
	s := newScreen(b, g, func() time.Time { return then.Add(42 * time.Second) })
	for _, e := range events {
		e.Time = then
		s.Update(eventMsg(e))
	}
	return s
}

func oneLine() []control.Line {
	return []control.Line{{Name: "demo", Place: "trunk-side", Up: true, State: control.StateIdle}}
}

// aCall is a call with speech at first, and keys at last.
func aCall(periods ...int) []control.Event {
	events := []control.Event{{Kind: control.KindCall, Line: "demo", Code: control.CallBegan}}
	for _, masked := range periods {
		events = append(events, control.Event{Kind: control.KindMeters, Line: "demo", CallerDBm0: -20 + float64(masked)/100,
			AgentDBm0: -41.2, MaskedPermille: masked})
	}
	return events
}

// rehearsed are events of a rehearsal.
func rehearsed(events []control.Event) (test []control.Event) {
	for _, e := range events {
		e.Test = true
		test = append(test, e)
	}
	return test
}

func TestPictures(t *testing.T) {
	capture := aCapture("demo", "cap_1")
	refused := append(capture[:18:18], control.Event{Kind: control.KindVerdict, Line: "demo", Capture: "cap_1", Field: "pan", Code: "luhn"})
	warned := append(refused, capture[1], capture[3], control.Event{Kind: control.KindWarning, Line: "demo", Capture: "cap_1", Code: "key_waiting"})
	held := []control.Event{{Kind: control.KindState, Line: "demo", State: control.StateHeld, Reason: "call_unknown", Capture: "cap_1"}}
	retrying := append(capture[:len(capture)-1:len(capture)-1], control.Event{Kind: control.KindDelivery, Line: "demo",
		Capture: "cap_1", Delivery: control.DeliveryRetrying, Reason: "503 Service Unavailable"})
	told := func(to, how, why string) control.Event {
		return control.Event{Kind: control.KindDelivery, Line: "demo", Capture: "cap_1", Destination: to, Delivery: how, Reason: why}
	}
	each := append(capture[:len(capture)-2:len(capture)-2], told("crm", control.DeliveryPending, ""), told("erp", control.DeliveryPending, ""), told("bus", control.DeliveryPending, ""),
		told("bus", control.DeliveryDelivered, ""), told("erp", control.DeliveryDead, "422 Unprocessable"))
	for name, s := range map[string]*screen{
		"nothing-yet": screenOf(utf8(), oneLine()),
		"codec-poor": screenOf(utf8(), oneLine(), append(aCall(0), control.Event{Kind: control.KindCodec, Line: "demo",
			Code: "codec_poor", NeedsLookAheadMS: 40})...),
		"input-dead": screenOf(utf8(), oneLine(), control.Event{Kind: control.KindMeters, Line: "demo", CallerDBm0: -90, AgentDBm0: -41,
			Legs: control.Legs{CallerFloorDBm0: -90, AgentFloorDBm0: -58}}, control.Event{Kind: control.KindInput, Line: "demo", Leg: control.LegCaller, Code: "input_dead"}),
		"input-well": screenOf(utf8(), oneLine(), control.Event{Kind: control.KindInput, Line: "demo", Leg: control.LegAgent, Code: "input_clips"},
			control.Event{Kind: control.KindInput, Line: "demo", Leg: control.LegAgent, Code: control.CodeOK}),
		"source-lost":  screenOf(utf8(), oneLine(), append(aCall(0), control.Event{Kind: control.KindSource, Line: "demo", Code: "source_lost"})...),
		"covered":      screenOf(utf8(), oneLine(), append(aCall(0, 1000), control.Event{Kind: control.KindCover, Line: "demo", On: true})...),
		"ringing":      screenOf(utf8(), oneLine(), control.Event{Kind: control.KindRing, Line: "demo", On: true}, control.Event{Kind: control.KindRing, Line: "demo", On: true, Number: "+15550100"}),
		"armed":        screenOf(utf8(), oneLine(), append(aCall(0, 0), capture[0])...),
		"keying":       screenOf(utf8(), oneLine(), append(aCall(0, 0, 120, 500, 900, 1000, 1000), capture[:9]...)...),
		"refused":      screenOf(utf8(), oneLine(), append(aCall(1000), refused...)...),
		"keyed-again":  screenOf(utf8(), oneLine(), append(aCall(1000), warned...)...),
		"delivered":    screenOf(utf8(), oneLine(), append(aCall(1000, 0), capture...)...),
		"retrying":     screenOf(utf8(), oneLine(), append(aCall(0), retrying...)...),
		"destinations": screenOf(utf8(), oneLine(), append(aCall(0), each...)...),
		"rehearsal":    screenOf(utf8(), oneLine(), append(aCall(0, 1000), rehearsed(capture[:9])...)...),
		"held":         screenOf(utf8(), oneLine(), append(aCall(1000), held...)...),
		"broken": screenOf(utf8(), oneLine(), control.Event{Kind: control.KindState, Line: "demo",
			State: control.StateHeld, Reason: "line_broken"}),
		"ascii":   screenOf(ascii(), oneLine(), append(aCall(0, 120, 500, 1000), capture[:25]...)...),
		"down":    screenOf(utf8(), oneLine(), control.Event{Kind: control.KindLineDown, Line: "demo", Reason: "process_down"}),
		"several": screenOf(utf8(), boxLines(), append(aCall(0, 1000), capture[:9]...)...),
		"no-line": screenOf(utf8(), nil),
	} {
		t.Run(name, func(t *testing.T) {
			shows(t, name, s.View().Content)
		})
	}
}

// TestTheLogBeginsWithThePresent: a new screen says since when there is a call and the state is what it is, in
// the order in which it came to be; what else a new watcher is told again is past.
func TestTheLogBeginsWithThePresent(t *testing.T) {
	b := &board{}
	told := func(after time.Duration, e control.Event) {
		e.Replay, e.Time = true, then.Add(after)
		b.apply(e)
	}
	told(2*time.Second, control.Event{Kind: control.KindState, Line: "demo", State: control.StateArmed, Capture: "cap_1"})
	told(3*time.Second, control.Event{Kind: control.KindDelivery, Line: "demo", Delivery: control.DeliveryDelivered})
	told(4*time.Second, control.Event{Kind: control.KindVerdict, Line: "demo", Field: "pan", Code: control.CodeOK})
	told(time.Second, control.Event{Kind: control.KindCall, Line: "desk-3", Code: control.CallBegan})
	b.apply(control.Event{Kind: control.KindVerdict, Line: "demo", Field: "pan", Code: control.CodeOK, Time: then})
	var got []string
	for _, e := range b.log {
		got = append(got, e.line+": "+e.text)
	}
	want := []string{"desk-3: a call begins", "demo: armed: waiting for the caller's first key", "demo: card number: good"}
	if !slices.Equal(got, want) {
		t.Errorf("the log is %q, want %q", got, want)
	}
}

func TestKeepsake(t *testing.T) {
	s := screenOf(utf8(), oneLine(), append(aCall(1000, 0), aCapture("demo", "cap_1")...)...)
	pictured(t, "keepsake", s.keepsake())
}

func TestEverySize(t *testing.T) {
	fitsEverySize(t, screenOf(utf8(), boxLines(), append(aCall(0, 1000), aCapture("demo", "cap_1")...)...))
}

// fitsEverySize: whatever the terminal, the picture fits.
func fitsEverySize(t *testing.T, s tea.Model) {
	t.Helper()
	for width := 1; width <= 130; width += 13 {
		for height := 1; height <= 60; height += 3 {
			s.Update(tea.WindowSizeMsg{Width: width, Height: height})
			lines := strings.Split(s.View().Content, "\n")
			if len(lines) != height {
				t.Fatalf("%d rows on a terminal of %d by %d", len(lines), width, height)
			}
			for _, l := range lines {
				if lipgloss.Width(l) > width {
					t.Fatalf("%d columns on a terminal of %d by %d", lipgloss.Width(l), width, height)
				}
			}
		}
	}
}

func TestKeysChooseALineAndLeave(t *testing.T) {
	lines := boxLines()
	for i := range 9 {
		lines = append(lines, control.Line{Name: fmt.Sprint("more-", i), Up: true, State: control.StateIdle})
	}
	s := screenOf(utf8(), lines)
	press := func(k tea.Key) tea.Cmd { _, cmd := s.Update(tea.KeyPressMsg(k)); return cmd }
	chosen := func() string { return s.board.lines[s.chosen].name }
	press(tea.Key{Code: tea.KeyUp})
	if chosen() != "demo" {
		t.Errorf("above the first line there is %s", chosen())
	}
	for range 20 {
		press(tea.Key{Code: tea.KeyDown})
	}
	if chosen() != "more-8" || !strings.Contains(s.View().Content, "more-8") {
		t.Errorf("the last line is %s", chosen())
	}
	for _, k := range []tea.Key{{Code: 'q', Text: "q"}, {Code: 'c', Mod: tea.ModCtrl}, {Code: tea.KeyEscape}} {
		cmd := press(k)
		if cmd == nil {
			t.Errorf("%s does not leave", tea.KeyPressMsg(k))
		} else if _, leaves := cmd().(tea.QuitMsg); !leaves {
			t.Errorf("%s does not leave", tea.KeyPressMsg(k))
		}
	}
}

// BenchmarkView is what one event costs on the live screen.
func BenchmarkView(b *testing.B) {
	s := screenOf(utf8(), boxLines(), append(aCall(make([]int, maskedTrace)...), aCapture("demo", "cap_1")...)...)
	for b.Loop() {
		s.View()
	}
}

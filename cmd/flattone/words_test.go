package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/daemon/bond"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/session"
)

// TestEveryCodeHasWords reads the codes where they are declared: a new one needs a line in reasons.go.
func TestEveryCodeHasWords(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "../../daemon/capture/codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, v := range spec.Values {
			lit, ok := v.(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				continue
			}
			code, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			if code != control.CodeOK && reason(code) == strings.ReplaceAll(code, "_", " ") && code != "too_short" && code != "too_long" {
				t.Errorf("the code %s has no words", code)
			}
		}
		return true
	})
	if seen < 15 {
		t.Errorf("only %d codes found: the test looks in the wrong place", seen)
	}
	for _, code := range []string{control.DeviceAbsent, control.DeviceMoved, control.DeviceReplaced, control.DeviceSwapped} {
		if acknowledging(code) {
			t.Errorf("the code %s passes for one that somebody's word can mend", code)
		}
	}
}

// TestNothingIsWordedTwice: what stands is worded in daemon/health, and nowhere else; and as far up as the path goes, it says.
func TestNothingIsWordedTwice(t *testing.T) {
	source, err := os.ReadFile("reasons.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range health.All() {
		if strings.Contains(string(source), strconv.Quote(string(d.Code))+":") {
			t.Errorf("%s is worded in reasons.go too", d.Code)
		}
		if reason(string(d.Code)) != d.Words {
			t.Errorf("%s reads %q", d.Code, reason(string(d.Code)))
		}
	}
	most := strconv.Itoa(int(mask.MaxLookAhead.Milliseconds()))
	if d, _ := health.Lookup(health.CodecPoor); !strings.Contains(d.Remedy, most) {
		t.Errorf("the longest look-ahead is %s ms, and the remedy of codec_poor is %q", most, d.Remedy)
	}
}

// TestRemediesNameVerbsThatThereAre: whoever is told what to do does it.
func TestRemediesNameVerbsThatThereAre(t *testing.T) {
	root := (&tool{}).rootCommand()
	for _, d := range health.All() {
		for _, match := range regexp.MustCompile(`\bflattone ([a-z-]+)`).FindAllStringSubmatch(d.Remedy, -1) {
			if _, rest, err := root.Find(match[1:]); err != nil || len(rest) > 0 {
				t.Errorf("%s: there is no verb %s", d.Code, match[1])
			}
		}
	}
}

// TestRefusalsNameVerbsThatThereAre: what stands in the way is told by the line's process, which can't look.
func TestRefusalsNameVerbsThatThereAre(t *testing.T) {
	root := (&tool{}).rootCommand()
	named := 0
	for _, err := range []error{session.ErrBusy, session.ErrHeld, session.ErrBarred, session.ErrNoCall, session.ErrProfile, session.ErrNoCapture, session.ErrComplete, session.ErrNotHeld, session.ErrTuning, session.ErrTesting, session.ErrInCall} {
		for _, match := range regexp.MustCompile(`\bflattone ([a-z-]+)`).FindAllStringSubmatch(err.Error(), -1) {
			named++
			if _, rest, err := root.Find(match[1:]); err != nil || len(rest) > 0 {
				t.Errorf("there is no verb %s", match[1])
			}
		}
	}
	if named == 0 {
		t.Error("a busy line should say how its capture is ended")
	}
}

func TestNobodyElsesControlCharacters(t *testing.T) {
	evil := "\x1b]0;gone\x07\r\n"
	for _, s := range []string{reason(evil), fieldName(evil), card(evil, evil), delivery(evil, evil, evil), brandName(evil),
		sentence(control.Event{Kind: control.KindState, State: evil, Reason: evil}),
		sentence(control.Event{Kind: control.KindToken, Token: evil, Brand: evil, Last4: evil}),
		sentence(control.Event{Kind: control.KindRing, On: true, Number: evil}),
		sentence(control.Event{Kind: control.KindTune, Step: evil}), sentence(control.Event{Kind: control.KindTune, Code: evil}), tuneStep(evil),
		sentence(control.Event{Kind: control.KindLegTest, Leg: evil, Step: evil, Done: 1}), sentence(control.Event{Kind: control.KindLegTest, Leg: evil, Code: evil}),
		testStep(evil, control.Test{}), testStep(control.TestTone, control.Test{Leg: evil}),
		sentence(control.Event{Kind: control.KindBond, Agent: evil, On: true}), sentence(control.Event{Kind: control.KindBond, Agent: evil, Reason: evil}),
		inBrief(control.Line{Up: true, InCall: true, Bound: evil}),
		sentence(control.Event{Kind: control.Kind(evil)}), trouble(evil, evil, ""), trouble("untuned", evil, ""),
		eventLine(control.Event{Kind: control.KindLineDown, Line: evil, Reason: evil})} {
		if strings.ContainsAny(s, "\x1b\x07\r\n") {
			t.Errorf("%q reaches the terminal", s)
		}
	}
	s := screenOf(utf8(), []control.Line{{Name: evil, Place: evil, Up: true, State: evil, Reason: evil}},
		control.Event{Kind: control.KindToken, Line: evil, Token: evil, Brand: evil, Last4: evil},
		control.Event{Kind: control.KindDelivery, Line: evil, Destination: evil, Delivery: evil, Reason: evil})
	if p := withoutColours(s.View().Content); strings.ContainsAny(p, "\x1b\x07\r") {
		t.Errorf("the screen passes on %q", p)
	}
}

// TestWhoseALineIs: each way in which a bond ends has words.
func TestWhoseALineIs(t *testing.T) {
	for _, why := range []bond.Why{bond.GivenUp, bond.Moved, bond.Taken, bond.CallEdge, bond.Idle, bond.LineDown} {
		if s := sentence(control.Event{Kind: control.KindBond, Agent: "anna", Reason: string(why)}); !strings.HasPrefix(s, "no longer agent anna's: ") || strings.Contains(s, string(why)) {
			t.Errorf("%s: %q", why, s)
		}
	}
	for want, l := range map[string]control.Line{"in a call of agent anna's": {Up: true, InCall: true, Bound: "anna"}, "in a call": {Up: true, InCall: true}} {
		if s := inBrief(l); !strings.HasSuffix(s, "; "+want) {
			t.Errorf("%+v: %q", l, s)
		}
	}
}

package at_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/hw/hwtest/wires"
	"github.com/flattone/flattone/hw/serial/at"
)

// scan is every line in some pieces, and which of them were cut.
func scan(s *at.Scanner, pieces ...string) (lines []string, cut []bool) {
	for _, piece := range pieces {
		for p := []byte(piece); len(p) > 0; {
			used, line := s.Next(p)
			p = p[used:]
			if line != nil {
				lines, cut = append(lines, string(line)), append(cut, s.Overlong())
			}
		}
	}
	return lines, cut
}

func TestLinesInAnyCut(t *testing.T) {
	for _, stream := range wires.Streams {
		if stream.Codes != "" {
			continue // not of lines alone
		}
		for pieces := range wires.Cuts(stream.Wire) {
			if got, _ := scan(new(at.Scanner), pieces...); !slices.Equal(got, stream.Lines) {
				t.Fatalf("%s: %q of %q, want %q", stream.Name, got, pieces, stream.Lines)
			}
		}
	}
}

func TestLineThatIsTooLong(t *testing.T) {
	full := strings.Repeat("x", at.MaxLine)
	for name, c := range map[string]struct {
		wire string
		want []string
		cut  []bool
	}{
		"as long as can be": {full + "\r\nOK\r\n", []string{full, "OK"}, []bool{false, false}},
		"by one longer":     {full + "y\r\nOK\r\n", []string{full, "OK"}, []bool{true, false}},
		"much longer":       {full + full + full + " \x00\r\nOK\r\n", []string{full, "OK"}, []bool{true, false}},
		"without an end":    {full + full, []string{full}, []bool{true}},
		"twice":             {full + "y\r" + full + "y\r", []string{full, full}, []bool{true, true}},
		"only in blanks":    {strings.Repeat(" ", at.MaxLine) + "OK\r", []string{"OK"}, []bool{false}},
	} {
		for pieces := range wires.Cuts(c.wire) {
			if got, cut := scan(new(at.Scanner), pieces...); !slices.Equal(got, c.want) || !slices.Equal(cut, c.cut) {
				t.Fatalf("%s: lines of %d pieces: %q, %v", name, len(pieces), got, cut)
			}
		}
	}
}

// What a line told of keys is gone with the next one, and with Wipe at once.
func TestNothingOfALineStays(t *testing.T) {
	const told = "+RXDTMF: told"
	for name, after := range map[string]func(s *at.Scanner){
		"wiped":         func(s *at.Scanner) { s.Wipe() },
		"another line":  func(s *at.Scanner) { scan(s, "OK\r") },
		"another begun": func(s *at.Scanner) { scan(s, "O") },
		"nothing more":  func(s *at.Scanner) { s.Next(nil) },
	} {
		var s at.Scanner
		_, line := s.Next([]byte(told + "\r"))
		if string(line) != told {
			t.Fatalf("%s: %q", name, line)
		}
		after(&s)
		if i := slices.IndexFunc(line[2:], func(b byte) bool { return b != 0 }); i >= 0 {
			t.Errorf("%s: something is left at %d", name, i+2)
		}
	}

	var s at.Scanner
	s.Next([]byte("half a"))
	s.Wipe()
	if got, _ := scan(&s, "OK\r"); !slices.Equal(got, []string{"OK"}) {
		t.Errorf("after half a line was wiped: %q", got)
	}
}

func TestParse(t *testing.T) {
	for _, r := range wires.Results {
		if got := at.Parse([]byte(r.Line)); got.String() != r.Result {
			t.Errorf("%q is %v, want %s", r.Line, got, r.Result)
		}
	}
	for _, u := range wires.Unasked {
		if got := at.Parse([]byte(u.Line)); got != at.None && u.Line != got.String() {
			t.Errorf("%q is %v", u.Line, got)
		}
	}
}

// patterns tell what a make's lines mean.
var patterns = map[string]map[string][]string{
	wires.Quectel: {
		wires.Ring: {"RING"}, wires.CallerID: {"+CLIP: {number}"}, wires.Began: {"^DSCI: *,*,3"}, wires.Ended: {"^DSCI: *,*,6", "NO CARRIER"},
		wires.Key: {"+QTONEDET: *"}, wires.Active: {"+CLCC: *,*,0,0"},
	},
	wires.SIMCom: {
		wires.Ring: {"RING"}, wires.CallerID: {"+CLIP: {number}"}, wires.Began: {"VOICE CALL: BEGIN"}, wires.Ended: {"VOICE CALL: END", "NO CARRIER"},
		wires.Key: {"+RXDTMF"}, wires.Active: {"+CLCC: *,*,0,0"},
	},
	wires.Huawei: {
		wires.Ring: {"RING"}, wires.CallerID: {"+CLIP:{number}"}, wires.Began: {"^CONN"}, wires.Ended: {"^CEND", "NO CARRIER"}, wires.Active: {"+CLCC:*,*,0,0"},
	},
	wires.V253: {wires.Ring: {"RING"}, wires.CallerID: {"NMBR = {number}"}},
}

func TestPatternsTellLinesApart(t *testing.T) {
	for _, u := range wires.Unasked {
		for means, ways := range patterns[u.Make] {
			match := slices.ContainsFunc(ways, func(pattern string) bool { return at.Match([]byte(u.Line), pattern) })
			if match != (means == u.Means) {
				t.Errorf("%s: %q is taken for %s: %v", u.Make, u.Line, means, match)
			}
			for _, pattern := range ways {
				if err, _ := at.Flaw(pattern); err != "" {
					t.Error(err)
				}
				number, ok := at.Capture([]byte(u.Line), pattern)
				if want := u.Means == wires.CallerID && means == u.Means; ok != want || want && string(number) != wires.Number {
					t.Errorf("%s: %q is captured from %q: %v", u.Make, number, u.Line, ok)
				}
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		line, pattern string
		want          bool
	}{
		{"RING", "RING", true},
		{"RINGING", "RING", false},
		{"RIN", "RING", false},
		{"ring", "RING", false},
		{"+CRING: VOICE", "RING", false},
		{"RING: 1", "RING", true},
		{"CONNECT 9600", "CONNECT", true},
		{"CONNECT9600", "CONNECT", false},
		{"VOICE CALL:BEGIN", "VOICE CALL: BEGIN", true},
		{"VOICE CALL: BEGINS", "VOICE CALL: BEGIN", false},
		{"VOICE CALL", "VOICE CALL: BEGIN", false},
		{"VOICE: BEGIN", "VOICE CALL: BEGIN", false},
		{`^DSCI: 1,0,3,0`, `^DSCI: *,*,3`, true},
		{`^DSCI: 1,0,"3",0`, `^DSCI: *,*,3`, true},
		{`^DSCI: "1,1" , 0 ,3`, `^DSCI: *,*,3`, true},
		{`^DSCI: ,,3`, `^DSCI: *,*,3`, true},
		{`^DSCI: 1,0,30`, `^DSCI: *,*,3`, false},
		{`^DSCI: 1,3`, `^DSCI: *,*,3`, false},
		{`^DSCI: 1,0,3`, `^DSCI: *,*,"3"`, true},
		{`A: 1 2,3`, `A: 1,3`, false}, // words are left out of the last field only
		{`A: ,3`, `A: ,3`, true},
		{`A: 1,3`, `A: ,3`, false},
		{`A: "b:c=d,e",3`, `A: *,3`, true},
		{`A: "b,3`, `A: *,3`, false}, // the quote is never closed
		{"", "RING", false},
	} {
		if got := at.Match([]byte(c.line), c.pattern); got != c.want {
			t.Errorf("%q is %q: %v", c.line, c.pattern, got)
		}
	}
}

func TestCapture(t *testing.T) {
	for _, c := range []struct {
		line, pattern, want string
		ok                  bool
	}{
		{`+CLIP: "+15551234",145,"",,"A, B",0`, `+CLIP: {number}`, "+15551234", true},
		{`+CLIP: "",128`, `+CLIP: {number}`, "", true},
		{`NMBR=`, `NMBR = {number}`, "", true},
		{`NMBR =  5551234 `, `NMBR={number}`, "5551234", true},
		{`+CLCC: 1,1,4,0,0,"5551234",129`, `+CLCC: *,*,4,*,*,{number}`, "5551234", true},
		{`+CLCC: 1,1,0,0,0,"5551234",129`, `+CLCC: *,*,4,*,*,{number}`, "", false},
		{`+CLCC: 1,1,4`, `+CLCC: *,*,4,*,*,{number}`, "", false},
		{`A: 5551234,1`, `A: {number},2`, "", false},
		{`RING`, `RING`, "", false},
	} {
		if got, ok := at.Capture([]byte(c.line), c.pattern); string(got) != c.want || ok != c.ok {
			t.Errorf("%q of %q by %q, %v", got, c.line, c.pattern, ok)
		}
	}
}

func TestFlaw(t *testing.T) {
	for pattern, fault := range map[string]string{
		"RING":                            "",
		"A: *,{number}":                   "",
		`A: "b,c",,{n}`:                   "",
		"":                                "begins with no word",
		"*":                               "begins with no word",
		": BEGIN":                         "begins with no word",
		"{number}":                        "begins with no word",
		"+RXDTMF:":                        "ends in an empty field",
		"A: 1,":                           "ends in an empty field",
		"A: {}":                           "braces around no name",
		"A: {number":                      "braces around no name",
		"A: {n}x":                         "braces around no name",
		"A: {a b}":                        "braces around no name",
		"A: x{n}":                         "part of a field",
		"A: 1*":                           "part of a field",
		"A: n}":                           "part of a field",
		"A: {a},{b}":                      "captures two",
		`A: "b`:                           "leaves a quote open",
		"A: é":                            "printable ASCII",
		"A\r":                             "printable ASCII",
		strings.Repeat("x", at.MaxLine+1): "longer than a line",
	} {
		if reason, remedy := at.Flaw(pattern); (reason == "") != (fault == "") || (remedy == "") != (fault == "") || !strings.Contains(reason, fault) {
			t.Errorf("%.20q: %s: %s", pattern, reason, remedy)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var s at.Scanner
	wire := []byte("\r\n+CLIP: \"5551234\",129,,,,0\r\n\r\n+CME ERROR: 30\r\n" + strings.Repeat("x", 2*at.MaxLine) + "\r\n")
	if n := testing.AllocsPerRun(100, func() {
		for p := wire; len(p) > 0; {
			used, line := s.Next(p)
			p = p[used:]
			at.Parse(line)
			at.Match(line, "VOICE CALL: END")
			at.Capture(line, "+CLIP: {number}")
		}
		s.Wipe()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// plain is what a Scanner should find, without any care for memory: lines, cut where they are too long, also one without an end.
func plain(wire []byte) (lines []string) {
	for whole := range bytes.SplitAfterSeq(wire, []byte("\n")) {
		for part := range bytes.SplitAfterSeq(whole, []byte("\r")) {
			line := strings.TrimLeft(strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return -1
				}
				return r
			}, string(part)), " ")
			ended := bytes.HasSuffix(part, []byte("\n")) || bytes.HasSuffix(part, []byte("\r"))
			switch {
			case len(line) > at.MaxLine:
				lines = append(lines, line[:at.MaxLine])
			case ended && line != "":
				lines = append(lines, strings.TrimRight(line, " "))
			}
		}
	}
	return lines
}

// Any bytes are the same lines in any cut, and those are what they should be.
func FuzzScanner(f *testing.F) {
	for _, stream := range wires.Streams {
		f.Add([]byte(stream.Wire), uint16(len(stream.Wire)/2), uint16(1))
	}
	f.Add(bytes.Repeat([]byte("0123456789 "), 150), uint16(511), uint16(2))
	f.Fuzz(func(t *testing.T, wire []byte, from, step uint16) {
		var pieces []string
		for at := min(int(from), len(wire)); at < len(wire); at += 1 + int(step) {
			pieces = append(pieces, string(wire[at:min(len(wire), at+1+int(step))]))
		}
		got, _ := scan(new(at.Scanner), append([]string{string(wire[:min(int(from), len(wire))])}, pieces...)...)
		if want := plain(wire); !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// Whatever a line and a pattern are, what is captured is part of the line; and a pattern without stars and braces is a line that it matches.
func FuzzPattern(f *testing.F) {
	for _, u := range wires.Unasked {
		f.Add([]byte(u.Line), u.Line)
		for _, ways := range patterns[u.Make] {
			for _, pattern := range ways {
				f.Add([]byte(u.Line), pattern)
			}
		}
	}
	f.Fuzz(func(t *testing.T, line []byte, pattern string) {
		at.Parse(line)
		field, ok := at.Capture(line, pattern)
		if match := at.Match(line, pattern); ok && (!match || !bytes.Contains(line, field)) {
			t.Errorf("captured %q, match %v", field, match)
		}
		if reason, _ := at.Flaw(pattern); reason != "" {
			return
		}
		if !strings.ContainsAny(pattern, "*{") && !at.Match([]byte(pattern), pattern) {
			t.Error("a pattern isn't itself")
		}
		if ok != (strings.Contains(pattern, "{") && at.Match(line, pattern)) {
			t.Error("what is matched isn't captured")
		}
	})
}

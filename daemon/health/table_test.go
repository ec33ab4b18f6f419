package health

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// codes are the values of the constants in a file, by the comment that heads their block.
func codes(t *testing.T, file string) map[string][]Code {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]Code{}
	for _, d := range f.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		ast.Inspect(block, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				code, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				head, _, _ := strings.Cut(block.Doc.Text(), ".")
				found[head] = append(found[head], Code(code))
			}
			return true
		})
	}
	return found
}

// TestWhatStandsIsDeclared reads the codes where they are declared: whatever is not known to pass by itself stands, and needs words and a remedy
// here.
func TestWhatStandsIsDeclared(t *testing.T) {
	stands := map[string][]Code{}
	for head, block := range codes(t, "../capture/codes.go") {
		switch head {
		case "OK is the verdict on a field that was taken", "Why a field was refused", "Why a capture was void", "What an agent is warned of":
		default:
			stands[head] = block
		}
	}
	if len(stands) != 5 {
		t.Errorf("daemon/capture has %d blocks of codes that stand: does the test look in the right place?", len(stands))
	}
	for head, block := range codes(t, "../control/device.go") {
		stands[head] = block
	}
	// Of a capture that was void these two are also why a line is held, and what it suffers from.
	stands["also why a capture was void"] = []Code{"line_restarted", "source_lost"}
	n := 0
	for head, block := range stands {
		for _, code := range block {
			n++
			if _, ok := Lookup(code); !ok {
				t.Errorf("%s (%s) has no declaration in table.go", code, head)
			}
		}
	}
	for _, code := range slices.Concat(codes(t, "codes.go")["The codes that flattoned itself sets"]) {
		n++
		if _, ok := Lookup(code); !ok {
			t.Errorf("%s has a constant and no declaration", code)
		}
	}
	if n < 35 {
		t.Errorf("only %d codes found: the test looks in the wrong place", n)
	}
}

func TestDeclarationsAreWholeAndOnlyOnce(t *testing.T) {
	seen := map[string]string{}
	once := func(d Declared, what, text string) {
		if other, twice := seen[what+text]; twice {
			t.Errorf("%s and %s have the same %s", d.Code, other, what)
		}
		seen[what+text] = string(d.Code)
	}
	for _, d := range All() {
		once(d, "code", string(d.Code))
		once(d, "words", d.Words)
		once(d, "message id", d.MessageID)
		for what, text := range map[string]string{"words": d.Words, "remedy": d.Remedy} {
			if text == "" || strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text {
				t.Errorf("%s: its %s are no half sentence: %q", d.Code, what, text)
			}
		}
		if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(string(d.Code)) || len(d.Code) > longestCode {
			t.Errorf("%q is no code", d.Code)
		}
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(d.MessageID) {
			t.Errorf("%s: %q is no message id", d.Code, d.MessageID)
		}
	}
}

// The journal's catalogues, and whoever searches, know a condition by its id: one that is released never changes.
func TestMessageIDsStay(t *testing.T) {
	for code, id := range map[Code]string{
		StoreFailed: "cc9d136a17b8463a8e3a37bc6c9a03a7", ProcessDown: "76af76f3601149d78360682747ae6b5c",
	} {
		if d, _ := Lookup(code); d.MessageID != id {
			t.Errorf("%s has the id %s, and was released with %s", code, d.MessageID, id)
		}
	}
}

func TestCriticalControlsAreAudited(t *testing.T) {
	for _, d := range All() {
		past := strings.Contains(d.Words, "past the mask") || strings.Contains(d.Words, "masked") || strings.Contains(d.Words, "audit log")
		if past && d.Audited == "" {
			t.Errorf("%s says %q, and nobody finds it in the audit log", d.Code, d.Words)
		}
		if d.Audited != "" && d.Severity == Notice {
			t.Errorf("%s is a critical control's failure (%s), and no more than a notice", d.Code, d.Audited)
		}
	}
}

func TestARemedyNamesTheLine(t *testing.T) {
	d, _ := Lookup("untuned")
	if got := d.RemedyFor("desk-1"); got != "flattone tune desk-1" {
		t.Errorf("the remedy is %q", got)
	}
}

func TestSeveritiesHaveNames(t *testing.T) {
	for _, s := range []Severity{Notice, Warning, Fault} {
		text, err := json.Marshal(s)
		if err != nil || string(text) != strconv.Quote(s.String()) {
			t.Errorf("%v is written %s, %v", s, text, err)
		}
		var back Severity
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%s is read as %v, %v", text, back, err)
		}
	}
	var s Severity
	if err := s.UnmarshalText([]byte("grave")); err == nil {
		t.Error("what is no severity is taken for one")
	}
}

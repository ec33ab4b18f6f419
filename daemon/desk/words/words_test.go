package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/config"
)

func catalogue(t *testing.T) *Catalogue {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var places = regexp.MustCompile(`\{[a-z0-9]+\}`)

func TestEveryLanguageHasEveryKey(t *testing.T) {
	c := catalogue(t)
	english := c.all[config.English].words
	for _, l := range config.Languages() {
		w := c.all[l].words
		if missing := slices.DeleteFunc(slices.Sorted(maps.Keys(english)), func(k string) bool { return w[k] != "" }); len(missing) > 0 {
			t.Errorf("%s lacks %v", l, missing)
		}
		if more := slices.DeleteFunc(slices.Sorted(maps.Keys(w)), func(k string) bool { return english[k] != "" }); len(more) > 0 {
			t.Errorf("%s has what English lacks: %v", l, more)
		}
		for key, text := range w {
			want, got := places.FindAllString(english[key], -1), places.FindAllString(text, -1)
			slices.Sort(want)
			slices.Sort(got)
			if !slices.Equal(want, got) {
				t.Errorf("%s: %s has the places %v, and English has %v", l, key, got, want)
			}
			if l != config.English && text == english[key] && len(text) > 24 {
				t.Errorf("%s: %s is English", l, key)
			}
			if strings.ContainsAny(text, "<>&") {
				t.Errorf("%s: %s isn't plain text", l, key)
			}
		}
	}
}

// TestEveryKeyIsUsed: what nothing says is dead, and what templates and code ask for is there.
func TestEveryKeyIsUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"../panel/*.go", "../panel/pages/*.html", "../signin/*.go", "../signin/*/*.html"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			source.Write(text)
		}
	}
	computed := []string{"code.", "payment.", "act."} // by a code, a state, a kind
	fields := []string{"pan", "expiry", "cvv", "waiting", "open", "good", "refused"}
	for key := range catalogue(t).all[config.English].words {
		if slices.ContainsFunc(computed, func(p string) bool { return strings.HasPrefix(key, p) }) || slices.Contains(fields, key) {
			continue
		}
		if !strings.Contains(source.String(), strconv.Quote(key)) {
			t.Errorf("nothing says %s", key)
		}
	}
	for _, m := range regexp.MustCompile(`[.$]Say "([a-z_.]+)"`).FindAllStringSubmatch(source.String(), -1) {
		if catalogue(t).all[config.English].words[m[1]] == "" && !strings.HasSuffix(m[1], ".") {
			t.Errorf("there are no words for %s", m[1])
		}
	}
}

// codesNobodyAtADeskIsTold, and why.
var codesNobodyAtADeskIsTold = map[string]string{
	"ok": "it is no news", "factor": "the desk gives no command that takes one", "no_such_call": "the desk asks only for what there is", "unknown_token": "the desk asks for no card",
	"no_modem": "the desk probes none", "pairing": "the page of signing in has its own words", "bad_config": "the desk reads none anew", "needs_restart": "the desk reads none anew", "share": "custodians don't work at it",
	"stolen": "an agent is told refused",
}

// TestEveryCodeHasWords reads the codes where they are declared, so that a new one is found here.
func TestEveryCodeHasWords(t *testing.T) {
	w := catalogue(t).all[config.English]
	for file, types := range map[string][]string{
		"../../capture/codes.go": {"Code"}, "../../control/error.go": {""}, "../../gateway/gateway.go": {"Class"}, "../board/view.go": {""},
	} {
		found := 0
		for name, code := range constants(t, file, types) {
			if strings.HasSuffix(file, "error.go") && !strings.HasPrefix(name, "Code") || strings.HasSuffix(file, "view.go") && !slices.Contains([]string{"Away", "LineGone", "NoCall", "NotProven", "BoundToOther"}, name) {
				continue
			}
			found++
			if _, left := codesNobodyAtADeskIsTold[code]; !left && w.words["code."+code] == "" {
				t.Errorf("%s: there are no words for %s, %q", file, name, code)
			}
		}
		if found < 5 {
			t.Errorf("%s: only %d codes were found", file, found)
		}
	}
	for _, state := range slices.Collect(maps.Values(constants(t, "../../control/payment.go", []string{""}))) {
		if w.words["payment."+state] == "" && w.words["act."+state] == "" {
			t.Errorf("there are no words for the state %q of payments and acts", state)
		}
	}
}

// constants are the strings that a file declares, of the types named; "" is none.
func constants(t *testing.T, file string, types []string) map[string]string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			kind := ""
			if id, ok := v.Type.(*ast.Ident); ok {
				kind = id.Name
			}
			for i, name := range v.Names {
				if i >= len(v.Values) || !slices.Contains(types, kind) {
					continue
				}
				if lit, ok := v.Values[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					all[name.Name], _ = strconv.Unquote(lit.Value)
				}
			}
		}
	}
	return all
}

func TestTheAgentsLanguageIsChosen(t *testing.T) {
	c := catalogue(t)
	for accept, want := range map[string]config.Language{
		"": config.German, "fr-CH, fr;q=0.9, en;q=0.8": config.French, "xx, JA;q=0.5": config.Japanese, "*": config.German, "pt-BR,es;q=0.2": config.Spanish, "zz": config.German,
	} {
		if got := c.For(accept, config.German).Language; got != want {
			t.Errorf("%q has the panel speak %s", accept, got)
		}
	}
	w := c.For("en", config.German)
	if got := w.Say("line", "name", "{name}<b>"); got != "Line {name}<b>" {
		t.Errorf("a place was filled with %q", got)
	}
	if w.Code("never_heard_of") != "never heard of" {
		t.Error("a code without words isn't readable")
	}
}

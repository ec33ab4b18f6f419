package secret_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// mayReveal lists the packages, or single files, whose code may read digits: by audio.Digit.Reveal, Text.Reveal or
// Card.MarshalTo. Each says why it must. Whoever adds a line here adds a place where digits can leak.
var mayReveal = map[string]string{
	"daemon/capture":           "it puts keys together into a card, and judges the card",
	"daemon/vault":             "it seals a card, after comparing it with what is said of it",
	"daemon/export":            "it seals a card for the recipient that custodians agreed to, locked page to locked page",
	"daemon/gateway":           "it looks that a provider's answer doesn't repeat the card",
	"daemon/gateway/courier":   "it writes a card into the request to a provider, locked page to locked page",
	"daemon/gateway/iso8583":   "it writes a card into a message for an acquirer, locked page to locked page",
	"daemon/payment/twice.go":  "it knows a card again by an HMAC under a key that ends with the process",
	"daemon/wire":              "it takes a card from line to vault, locked page to locked page",
	"cmd/flattone/mask_lab.go": "the lab verb for test audio: built with the tag lab only, never packaged",
	"proof/trial":              "it compares keys made from a seed with those reported; no shipped program reaches it (arch_test.go)",
}

// revealing are the methods that give digits out, with the number of their arguments: methods of other
// types that share a name and not a shape (a vault's Reveal takes three) are left alone. One more argument
// is a method expression, with the receiver in front.
var revealing = map[string]int{"Reveal": 0, "MarshalTo": 1}

func TestOnlyTheseReveal(t *testing.T) {
	const root = "../.."
	used, files := map[string]bool{}, 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "build" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		folder := path.Dir(filepath.ToSlash(rel))
		for _, at := range reveals(f) {
			used[folder], used[filepath.ToSlash(rel)] = true, true
			if mayReveal[folder] == "" && mayReveal[filepath.ToSlash(rel)] == "" {
				t.Errorf("%s:%d reads digits, and is not on the list of those who may", rel, fset.Position(at).Line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("only %d files found: the rule would be checked against nothing", files)
	}
	for name := range mayReveal {
		if !used[name] {
			t.Errorf("%s may read digits and doesn't: take it off the list", name)
		}
	}
}

// reveals finds where f calls a revealing method, or takes one as a value to call it elsewhere.
func reveals(f *ast.File) []token.Pos {
	var found []token.Pos
	called := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok {
				called[s] = true
				if args, ok := revealing[s.Sel.Name]; ok && len(n.Args) <= args+1 {
					found = append(found, s.Pos())
				}
			}
		case *ast.SelectorExpr:
			if _, ok := revealing[n.Sel.Name]; ok && !called[n] {
				found = append(found, n.Pos())
			}
		}
		return true
	})
	return found
}

func TestRevealsSeesThroughDisguises(t *testing.T) {
	for src, want := range map[string]int{
		`d.Reveal()`:                  1,
		`card.PAN.Reveal()[0]`:        1,
		`f(d.Reveal)`:                 1,
		`audio.Digit.Reveal(d)`:       1,
		`vault.Reveal(ctx, token, f)`: 0,
		`card.MarshalTo(page)`:        1,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nvar _ = "+src, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(reveals(f)); got != want {
			t.Errorf("%s: found %d, want %d", src, got, want)
		}
	}
}

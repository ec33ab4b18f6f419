package vault_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// mayTake lists, for each of the vault's methods that give cards out, the folders whose code may call it, and why.
var mayTake = map[string]map[string]string{
	"Use":         {"daemon/payment": "it has the card charged, by the connector that its rule names"},
	"ExportCards": {"daemon/export": "it has custodians agree first, and seals each card for the one recipient that they agreed to"},
}

// TestOnlyTheseTakeCardsOut finds every call of a method of these names with the vault's three arguments, in files
// that import the vault or not: it could come by way of an interface.
func TestOnlyTheseTakeCardsOut(t *testing.T) {
	const root = "../.."
	used, files := map[string]bool{}, 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "build"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		folder := path.Dir(filepath.ToSlash(rel))
		ast.Inspect(f, func(n ast.Node) bool {
			if method, at := takes(f, n); at.IsValid() && mayTake[method][folder] == "" {
				t.Errorf("%s:%d takes cards out of the vault by %s, and %s is not on the list", rel, fset.Position(at).Line, method, folder)
			} else if at.IsValid() {
				used[method+" in "+folder] = true
			}
			return true
		})
		return nil
	})
	for method, folders := range mayTake {
		for folder := range folders {
			if !used[method+" in "+folder] {
				t.Errorf("%s is on the list for %s, and doesn't call it", folder, method)
			}
		}
	}
	if err != nil || files < 20 {
		t.Fatalf("%d files searched: %v", files, err)
	}
}

// takes is the place of a use of one of these methods, and which: a call with its shape, or the bare name where the vault is
// imported (a method value could be called anywhere).
func takes(f *ast.File, n ast.Node) (method string, at token.Pos) {
	switch n := n.(type) {
	case *ast.CallExpr:
		if s, ok := n.Fun.(*ast.SelectorExpr); ok && mayTake[s.Sel.Name] != nil && len(n.Args) == 3 {
			return s.Sel.Name, s.Pos()
		}
	case *ast.SelectorExpr:
		if mayTake[n.Sel.Name] != nil && importsVault(f) {
			return n.Sel.Name, n.Pos()
		}
	}
	return "", token.NoPos
}

func importsVault(f *ast.File) bool {
	for _, i := range f.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil && p == "github.com/flattone/flattone/daemon/vault" {
			return true
		}
	}
	return false
}

func TestTheSearchSeesUses(t *testing.T) {
	for src, want := range map[string]bool{
		`package p; func f() { v.Use(ctx, use, with) }`:                                                     true,
		`package p; func f() { v.ExportCards(ctx, some, with) }`:                                            true,
		`package p; import "github.com/flattone/flattone/daemon/vault"; var f = (*vault.Vault).Use`:         true,
		`package p; import "github.com/flattone/flattone/daemon/vault"; var f = (*vault.Vault).ExportCards`: true,
		`package p; import "github.com/flattone/flattone/daemon/vault"; var f = x.ExportCards`:              true,
		`package p; func f() { log.Export(ctx, to) }`:                                                       false,
		`package p; func f() { text.Reveal() }`:                                                             false,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		ast.Inspect(f, func(n ast.Node) bool { _, at := takes(f, n); seen = seen || at.IsValid(); return true })
		if seen != want {
			t.Errorf("%s: seen %t, want %t", src, seen, want)
		}
	}
}

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

// mayUse lists the folders whose code may take a card out of the vault, and why. It is empty: nothing
// built so far needs a card back.
var mayUse = map[string]string{}

// TestOnlyTheseTakeCardsOut finds every call of a method Use with the vault's three arguments, in files
// that import the vault or not: it could come by way of an interface.
func TestOnlyTheseTakeCardsOut(t *testing.T) {
	const root = "../.."
	files := 0
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
			if at := takes(f, n); at.IsValid() && mayUse[folder] == "" {
				t.Errorf("%s:%d takes cards out of the vault, and %s is not on the list", rel, fset.Position(at).Line, folder)
			}
			return true
		})
		return nil
	})
	if err != nil || files < 20 {
		t.Fatalf("%d files searched: %v", files, err)
	}
}

// takes is the place of a use of Vault.Use: a call with its shape, or the bare name where the vault is
// imported (a method value could be called anywhere).
func takes(f *ast.File, n ast.Node) token.Pos {
	switch n := n.(type) {
	case *ast.CallExpr:
		if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Use" && len(n.Args) == 3 {
			return s.Pos()
		}
	case *ast.SelectorExpr:
		if n.Sel.Name == "Use" && importsVault(f) {
			return n.Pos()
		}
	}
	return token.NoPos
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
		`package p; func f() { v.Use(ctx, use, with) }`:                                             true,
		`package p; import "github.com/flattone/flattone/daemon/vault"; var f = (*vault.Vault).Use`: true,
		`package p; func f() { text.Reveal() }`:                                                     false,
	} {
		f, err := parser.ParseFile(token.NewFileSet(), "p.go", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		seen := false
		ast.Inspect(f, func(n ast.Node) bool { seen = seen || takes(f, n).IsValid(); return true })
		if seen != want {
			t.Errorf("%s: seen %t, want %t", src, seen, want)
		}
	}
}

package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// words are the string literals of the daemon's own code, but for this package's table.
func words(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == filepath.Join("..", "audit", "actions.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil {
					found[s] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestActionsAreLogged: what is declared is written out where it is logged, so that whoever reads the table finds it.
func TestActionsAreLogged(t *testing.T) {
	said := words(t)
	for _, a := range actions {
		if !said[a.Name] {
			t.Errorf("%s is declared, and nobody logs it", a.Name)
		}
	}
}

func TestActionsAreDeclaredWell(t *testing.T) {
	if len(byName) != len(actions) {
		t.Errorf("%d names of %d actions: one is there twice", len(byName), len(actions))
	}
	covered := map[Requirement]bool{}
	for _, a := range actions {
		noun, verb, ok := strings.Cut(a.Name, ".")
		if !ok || noun == "" || verb == "" || a.Name != strings.ToLower(a.Name) || strings.ContainsAny(a.Name, " -") {
			t.Errorf("%q is no noun.verb", a.Name)
		}
		if a.Says == "" || strings.HasSuffix(a.Says, ".") {
			t.Errorf("%s says %q: want one clause", a.Name, a.Says)
		}
		covered[a.Is] = true
	}
	for _, r := range []Requirement{CardAccess, AdminAct, LogAccess, BadAccess, Credentials, LogEdge, Objects} {
		if !covered[r] {
			t.Errorf("no action is there for %s; there is %v", r, slices.Sorted(maps.Keys(covered)))
		}
	}
}

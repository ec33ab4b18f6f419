package capture_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"

	"github.com/flattone/flattone/daemon/capture"
)

// codes are all constants of codes.go.
func codes(t *testing.T) []capture.Code {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []capture.Code
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for _, v := range spec.Values {
			s, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, capture.Code(s))
		}
		return true
	})
	if len(all) < 20 {
		t.Fatalf("only %d codes found", len(all))
	}
	return all
}

func TestEveryCodeIsAPlainWordWithoutADigit(t *testing.T) {
	code := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	seen := map[capture.Code]bool{}
	for _, c := range codes(t) {
		if !code.MatchString(string(c)) || seen[c] {
			t.Errorf("%q is not a code, or there twice", c)
		}
		seen[c] = true
	}
}

package config

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// positions says on which line of the file, from 1, each key path stands.
type positions map[string]int

// locate walks a document that has been decoded without an error. Decoding loses the positions, which is
// why this second look is taken.
func locate(doc []byte) positions {
	at := positions{}
	elements := map[string]int{} // how many [[headers]] each array of tables has had
	p := unstable.Parser{}
	p.Reset(doc)
	base := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table:
			base = at.key(&p, "", e, elements)
		case unstable.ArrayTable:
			base = at.key(&p, "", e, elements)
			elements[base]++
			base = element(base, elements[base]-1)
			at[base] = line(&p, e)
		case unstable.KeyValue:
			at.value(&p, at.key(&p, base, e, elements), e.Value(), elements)
		}
	}
	return at
}

// clamp replaces numbers that are too large for any variable by the largest there is, which is out of every range
// too. The decoder would stop at one, and what follows would not be looked at. Nothing else moves: no number that is
// too large is written shorter than what replaces it.
func clamp(doc []byte) []byte {
	doc = bytes.Clone(doc)
	p := unstable.Parser{}
	p.Reset(doc)
	for p.NextExpression() {
		if e := p.Expression(); e.Kind == unstable.KeyValue {
			clampValue(e.Value())
		}
	}
	return doc
}

func clampValue(v *unstable.Node) {
	var err error
	largest, least := "0x7fffffffffffffff", "-9223372036854775808"
	text := strings.ReplaceAll(string(v.Data), "_", "")
	switch v.Kind {
	case unstable.KeyValue:
		clampValue(v.Value())
	case unstable.Array, unstable.InlineTable:
		for it := v.Children(); it.Next(); {
			clampValue(it.Node())
		}
	case unstable.Integer:
		_, err = strconv.ParseInt(text, 0, 64)
	case unstable.Float:
		largest, least = "inf", "-inf"
		_, err = strconv.ParseFloat(text, 64)
	}
	switch {
	case !errors.Is(err, strconv.ErrRange):
	case text[0] == '-':
		copy(v.Data, fmt.Sprintf("%-*s", len(v.Data), least))
	default:
		copy(v.Data, fmt.Sprintf("%-*s", len(v.Data), largest))
	}
}

// key notes where the dotted key of e stands, below base, and returns its path.
func (at positions) key(p *unstable.Parser, base string, e *unstable.Node, elements map[string]int) string {
	path, it := base, e.Key()
	for it.Next() {
		// A dotted key that passes through an array of tables means its latest element.
		if n := elements[path]; n > 0 {
			path = element(path, n-1)
		}
		path = join(path, string(it.Node().Data))
		if at[path] == 0 {
			at[path] = line(p, it.Node())
		}
	}
	return path
}

// value notes where the parts of a value stand.
func (at positions) value(p *unstable.Parser, path string, v *unstable.Node, elements map[string]int) {
	it := v.Children()
	switch v.Kind {
	case unstable.InlineTable:
		for it.Next() {
			at.value(p, at.key(p, path, it.Node(), elements), it.Node().Value(), elements)
		}
	case unstable.Array:
		for i := 0; it.Next(); i++ {
			at[element(path, i)] = at[path]
			at.value(p, element(path, i), it.Node(), elements)
		}
	}
}

func line(p *unstable.Parser, n *unstable.Node) int {
	if n.Kind == unstable.ArrayTable || n.Kind == unstable.Table {
		it := n.Key()
		it.Next()
		n = it.Node()
	}
	return p.Shape(n.Raw).Start.Line
}

// join is the path of key in the table at path. A key that TOML would want in quotes gets them.
func join(path, key string) string {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}
	if key == "" || strings.ContainsFunc(key, odd) {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// element is the path of an entry of the list at path.
func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

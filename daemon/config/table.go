package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// reader gathers the faults of a file, and which keys each kind of table may have.
type reader struct {
	file   string
	at     positions
	faults Faults
	known  map[string][]string // keys by table, such as "line.wav"
	tables []*table            // all that were read, to look for unknown keys in at the end
}

// table reads one table of the file. Each of its methods reads one key into a variable, which keeps its
// value, the default, if the key is absent or has a fault.
type table struct {
	r      *reader
	path   string // such as line[1].wav
	kind   string // the same without numbers and names: line.wav
	values map[string]any
	used   map[string]bool
	broken bool // what stands in its place is no table, which has been reported
}

// fault reports a key, with its value if one was written.
func (t *table) fault(key, reason, remedy string) {
	f := Fault{File: t.r.file, Key: join(t.path, key), Reason: reason, Remedy: remedy}
	if f.Line = t.r.at[f.Key]; f.Line == 0 {
		f.Line = t.r.at[t.path]
	}
	if v, written := t.values[key]; written {
		f.Value = show(v)
	}
	t.r.faults = append(t.r.faults, f)
}

// take says that key is one of this table's, and gets it.
func (t *table) take(key string) (any, bool) {
	t.used[key] = true
	if !slices.Contains(t.r.known[t.kind], key) {
		t.r.known[t.kind] = append(t.r.known[t.kind], key)
	}
	v, ok := t.values[key]
	return v, ok
}

func (t *table) has(key string) bool {
	_, ok := t.values[key]
	return ok
}

// need reports a key that must be there and isn't.
func (t *table) need(key, remedy string) {
	if !t.has(key) && !t.broken {
		t.fault(key, "is missing", remedy)
	}
}

// form is how a kind of value is written.
type form struct{ noun, remedy string }

var (
	aText   = form{"text in quotes", `put it in quotes ("...")`}
	aTruth  = form{"true or false", "write true or false, without quotes"}
	aWhole  = form{"a whole number", "write a number without quotes or point"}
	aNumber = form{"a number", "write a number without quotes"}
	aList   = form{"a list of text", `write a list of text in quotes (["...", "..."])`}
)

// value reads a key of type T.
func value[T any](t *table, key string, want form) (T, bool) {
	v, written := t.take(key)
	got, ok := v.(T)
	if written && !ok {
		t.fault(key, "is "+typeName(v)+" where "+want.noun+" belongs", want.remedy)
	}
	return got, ok
}

func (t *table) text(key string, to *string) {
	if s, ok := value[string](t, key, aText); ok {
		*to = s
	}
}

func (t *table) truth(key string, to *bool) {
	if b, ok := value[bool](t, key, aTruth); ok {
		*to = b
	}
}

func (t *table) whole(key string, to *int, low, high int) {
	n, ok := value[int64](t, key, aWhole)
	switch {
	case !ok:
	case low == high && n != int64(low):
		t.fault(key, "is out of range", fmt.Sprintf("write %d, or leave it out", low))
	case n < int64(low) || n > int64(high):
		t.fault(key, "is out of range", fmt.Sprintf("write a whole number from %d to %d", low, high))
	default:
		*to = int(n)
	}
}

// period reads a whole number of units.
func (t *table) period(key string, to *time.Duration, unit time.Duration, low, high int) {
	n := int(*to / unit)
	t.whole(key, &n, low, high)
	*to = time.Duration(n) * unit
}

func (t *table) number(key string, to *float64, low, high float64) {
	v, _ := t.take(key)
	if n, ok := v.(int64); ok { // 1 is as good as 1.0
		t.values[key] = float64(n)
	}
	f, ok := value[float64](t, key, aNumber)
	switch {
	case !ok:
	case !(f >= low && f <= high): // so that NaN is refused
		t.fault(key, "is out of range", fmt.Sprintf("write a number from %g to %g", low, high))
	default:
		*to = f
	}
}

// choice reads one of a few words.
func choice[T ~string](t *table, key string, to *T, words ...T) {
	s, ok := value[string](t, key, aText)
	switch {
	case !ok:
	case !slices.Contains(words, T(s)):
		t.fault(key, "is not one of the choices", "write "+either(words))
	default:
		*to = T(s)
	}
}

// choices reads a list of some of a few words, in any order, none twice.
func choices[T ~string](t *table, key string, to *[]T, words []T) {
	list, ok := texts(t, key)
	if !ok {
		return
	}
	var chosen []T
	for _, s := range list {
		switch {
		case !slices.Contains(words, T(s)):
			t.fault(key, fmt.Sprintf("has %s, which is not one of the choices", show(s)), "write some of "+either(words))
			return
		case slices.Contains(chosen, T(s)):
			t.fault(key, fmt.Sprintf("has %s twice", show(s)), "write it once")
			return
		}
		chosen = append(chosen, T(s))
	}
	*to = chosen
}

// texts reads a list of text, not empty.
func texts(t *table, key string) ([]string, bool) {
	list, ok := value[[]any](t, key, aList)
	if !ok {
		return nil, false
	}
	var texts []string
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			t.fault(key, "has "+typeName(v)+" in it", aList.remedy)
			return nil, false
		}
		texts = append(texts, s)
	}
	if len(texts) == 0 {
		t.fault(key, "is empty", "write at least one entry")
		return nil, false
	}
	return texts, true
}

// file reads a path, which starts from the configuration's folder if it is relative.
func (t *table) file(key string, to *string) {
	if s, ok := value[string](t, key, aText); ok {
		t.resolve(key, s, to)
	}
}

// files reads a list of paths.
func (t *table) files(key string, to *[]string) {
	list, _ := texts(t, key)
	for i := range list {
		if !t.resolve(key, list[i], &list[i]) {
			return
		}
	}
	*to = list
}

func (t *table) resolve(key, path string, to *string) bool {
	switch {
	case path == "" || strings.ContainsAny(path, "\x00\n\r"):
		t.fault(key, "has a name that no file can have", "write a path, absolute or from the folder of "+filepath.Base(t.r.file))
		return false
	case filepath.IsAbs(path):
		*to = filepath.Clean(path)
	default:
		*to = filepath.Join(filepath.Dir(t.r.file), path)
	}
	return true
}

// sub is the table under key; an absent one is empty.
func (t *table) sub(key string) *table {
	values, ok := value[map[string]any](t, key, aTable(header(t.kind, key)))
	c := t.child(key, "", values)
	c.broken = t.broken || t.has(key) && !ok
	return c
}

// subs are the tables of the array under key.
func (t *table) subs(key string) []*table {
	want := aTable("[" + header(t.kind, key) + "]")
	list, _ := value[[]any](t, key, want)
	for _, v := range list {
		if _, ok := v.(map[string]any); !ok {
			t.fault(key, "has "+typeName(v)+" in it", want.remedy)
			return nil
		}
	}
	var tables []*table
	for i, v := range list {
		tables = append(tables, t.child(key, fmt.Sprintf("[%d]", i), v.(map[string]any)))
	}
	return tables
}

// named are the tables under key by their own names, sorted.
func (t *table) named(key string) (names []string, tables []*table) {
	all := t.sub(key)
	for _, name := range slices.Sorted(maps.Keys(all.values)) {
		if values, ok := value[map[string]any](all, name, aTable(header(all.path, name))); ok {
			names, tables = append(names, name), append(tables, all.child(name, "", values))
		}
	}
	for _, named := range tables {
		named.kind = all.kind // all have the same keys
	}
	delete(t.r.known, all.kind) // its keys are names, which are no help to anyone else
	return names, tables
}

func (t *table) child(key, index string, values map[string]any) *table {
	c := &table{r: t.r, path: join(t.path, key) + index, kind: join(t.kind, key), values: values, used: map[string]bool{}}
	t.r.tables = append(t.r.tables, c)
	return c
}

func aTable(header string) form {
	return form{"a table", "write a line " + header + " and its keys below it"}
}

func header(kind, key string) string { return "[" + join(kind, key) + "]" }

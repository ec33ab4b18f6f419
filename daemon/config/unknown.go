package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// unknown reports the keys that nobody read, with the key that was probably meant. Their values are not
// repeated: nobody knows what they are.
func (r *reader) unknown() {
	for _, t := range r.tables {
		for _, key := range slices.Sorted(maps.Keys(t.values)) {
			if t.used[key] {
				continue
			}
			v := t.values[key]
			delete(t.values, key) // so that the fault doesn't show it
			t.fault(key, "is not a key that flattone knows", r.remedy(t, key))
			t.values[key] = v
		}
	}
}

// remedy finds the key that was meant: nearly the same in this table, or the same in another.
func (r *reader) remedy(t *table, key string) string {
	best, distance := "", 1+max(2, len(key)/3)
	for _, known := range r.known[t.kind] {
		d := edits(key, known)
		if strings.HasPrefix(known, key+"_") {
			d = 0 // its unit was left out
		}
		if d < distance {
			best, distance = known, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	// A table that this one is part of comes first: a key written too far down lands in the wrong one.
	kinds := slices.Sorted(maps.Keys(r.known))
	within := func(kind string) bool { return kind != "" && strings.HasPrefix(t.kind, kind+".") }
	slices.SortStableFunc(kinds, func(a, b string) int {
		switch {
		case within(a) == within(b):
			return 0
		case within(a):
			return -1
		}
		return 1
	})
	for _, kind := range kinds {
		switch {
		case !slices.Contains(r.known[kind], key):
		case kind == "":
			return "it belongs at the top of the file, above the first [table]"
		case within(kind):
			return fmt.Sprintf("it belongs under %s: move it up, above [%s]", tableName(kind), t.kind)
		default:
			return "it belongs under " + tableName(kind)
		}
	}
	return "leave it out"
}

func tableName(kind string) string {
	switch kind {
	case "line", "fits", "usb":
		return "[[" + kind + "]]"
	case "profile", "gateway", "upstream", "client":
		return "[" + kind + ".NAME]"
	}
	if table, of, ok := strings.Cut(kind, "."); ok && (table == "gateway" || table == "upstream") {
		kind, below, isBelow := strings.Cut(of, ".")
		header := "[" + table + ".NAME]"
		if isBelow {
			header = "[" + table + ".NAME." + below + "]"
		}
		return header + " of the kind " + strconv.Quote(kind)
	}
	return "[" + kind + "]"
}

// edits is how many characters must be put in, left out or replaced to make b of a (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

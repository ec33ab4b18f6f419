package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// longestShown bounds a value in a fault, in characters.
const longestShown = 60

// show is a value as TOML would write it, for a fault. What may be a secret in the wrong place is not
// shown, nor is anything that has parts.
func show(v any) string {
	switch v := v.(type) {
	case string:
		if secretive(v) {
			return "(not shown)"
		}
		if r := []rune(v); len(r) > longestShown {
			v = string(r[:longestShown]) + "…"
		}
		return strconv.Quote(v)
	case int64:
		if v == math.MaxInt64 || v == math.MinInt64 {
			return "" // it stands for a larger one: see clamp
		}
		return fmt.Sprint(v)
	case float64:
		if math.IsInf(v, 0) {
			return ""
		}
		return fmt.Sprint(v)
	case bool:
		return fmt.Sprint(v)
	}
	return ""
}

// secretive reports whether s may be a signing secret, a key or an address with a password in it. It errs on
// the side of silence: line and key are enough to find the fault.
func secretive(s string) bool {
	return strings.Contains(s, "whsec_") || strings.ContainsAny(s, "@?") ||
		len(s) >= 32 && !strings.ContainsAny(s, ". ") && !strings.HasPrefix(s, "/")
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case int64:
		return "a whole number"
	case float64:
		return "a number with a fraction"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}

// either lists words as a person would.
func either[T ~string](words []T) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = strconv.Quote(string(w))
	}
	last := len(quoted) - 1
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

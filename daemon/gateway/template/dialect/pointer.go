package dialect

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/flattone/flattone/daemon/gateway"
)

// pointer takes a JSON pointer apart (RFC 6901, 3 and 4).
func pointer(s string) ([]string, bool) {
	rest, ok := strings.CutPrefix(s, "/")
	if !ok || badEscape.MatchString(s) {
		return nil, false
	}
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		parts[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(p)
	}
	return parts, true
}

var badEscape = regexp.MustCompile(`~([^01]|$)`)

// at is the text, number or truth that a path leads to; "" for none.
func at(doc any, path []string) string {
	for _, name := range path {
		switch d := doc.(type) {
		case map[string]any:
			doc = d[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(d) || strconv.Itoa(i) != name {
				return ""
			}
			doc = d[i]
		default:
			return ""
		}
	}
	switch d := doc.(type) {
	case string:
		return d
	case json.Number:
		return d.String()
	case bool:
		return strconv.FormatBool(d)
	}
	return ""
}

// decode reads one document, and nothing behind it.
func decode(body []byte) (doc any, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber() // a reference may be one, and no float
	if err = d.Decode(&doc); err == nil {
		if _, err = d.Token(); err == io.EOF {
			return doc, nil
		}
		err = gateway.ErrGarbled
	}
	return nil, err
}

package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

var (
	errNoObject = errors.New("it is not a JSON object")
	errNotFlat  = errors.New("it is not an object of texts, whole numbers and truths")
	errTwice    = errors.New("it has a field twice")
	errMore     = errors.New("something comes after the JSON object")
)

// flat reads a JSON object of texts, numbers and truths, by their names as they are written. Package json's own way into a struct would take a field in another case, and
// the last of two; what it says of a fault quotes what it met.
func flat(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	next := func() json.Token {
		t, err := d.Token()
		if err != nil {
			return nil
		}
		return t
	}
	if next() != json.Delim('{') {
		return nil, errNoObject
	}
	fields := map[string]any{}
	for d.More() {
		name, is := next().(string)
		if !is {
			return nil, errNoObject
		}
		if _, twice := fields[name]; twice {
			return nil, errTwice
		}
		switch v := next().(type) {
		case string, json.Number, bool:
			fields[name] = v
		default:
			return nil, errNotFlat
		}
	}
	if next() != json.Delim('}') {
		return nil, errNoObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errMore
	}
	return fields, nil
}

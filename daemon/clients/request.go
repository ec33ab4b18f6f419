package clients

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/vault"
)

// Verb is what may be asked.
type Verb string

// The verbs.
const (
	Lookup Verb = "lookup" // what is known of a card
	Delete Verb = "delete" // the card is shredded
)

// Verbs are all there are.
func Verbs() []Verb { return []Verb{Lookup, Delete} }

// Request is what a client asks.
type Request struct {
	Verb    Verb   `json:"verb"`
	Purpose string `json:"purpose"`         // one of the client's own
	Token   string `json:"token,omitempty"` // as its destination was told
}

// LongestBody is how long a request may be, in bytes.
const LongestBody = 4096

// Parse reads a request: one JSON object without a part that is one, each field once and known, and those that the verb needs and no other. Errors say which field, and
// quote nothing: a card number may have been put in any place.
func Parse(body []byte) (q Request, err error) {
	if len(body) > LongestBody {
		return q, fmt.Errorf("it is longer than %d bytes", LongestBody)
	}
	fields, err := flat(body)
	if err != nil {
		return Request{}, err
	}
	for name, to := range map[string]*string{"verb": (*string)(&q.Verb), "purpose": &q.Purpose, "token": &q.Token} {
		if v, there := fields[name]; there {
			text, is := v.(string)
			if !is {
				return Request{}, fmt.Errorf("%s is not text", name)
			}
			*to = text
			delete(fields, name)
		}
	}
	if len(fields) > 0 {
		return Request{}, errors.New("it has a field that there is not")
	}
	return q, q.check()
}

// flat reads an object of texts, numbers and truths, by their names.
func flat(body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	next := func() json.Token {
		t, err := d.Token()
		if err != nil { // says what it met
			return nil
		}
		return t
	}
	if next() != json.Delim('{') {
		return nil, errors.New("it is not a JSON object")
	}
	fields := map[string]any{}
	for d.More() {
		name, is := next().(string)
		if !is {
			return nil, errors.New("it is not a JSON object")
		}
		if _, twice := fields[name]; twice {
			return nil, errors.New("it has a field twice")
		}
		switch v := next().(type) {
		case string, json.Number, bool:
			fields[name] = v
		default:
			return nil, errors.New("it is not an object of texts, whole numbers and truths")
		}
	}
	if next() != json.Delim('}') {
		return nil, errors.New("it is not a JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something comes after the JSON object")
	}
	return fields, nil
}

// check refuses what a verb can't be asked with.
func (q Request) check() error {
	switch {
	case q.Verb != Lookup && q.Verb != Delete:
		return errors.New("verb is none that there is")
	case q.Purpose == "":
		return errors.New("purpose is missing")
	case !vault.IsToken(q.Token):
		return errors.New("token is missing, or no token")
	}
	return nil
}

// hash tells one request from another, whatever way it was written.
func (q Request) hash() []byte {
	text, err := json.Marshal(q)
	if err != nil {
		panic(err) // it is texts, numbers and truths
	}
	sum := sha256.Sum256(text)
	return sum[:]
}

// IsID reports whether a request may have this id.
func IsID(id string) bool { return id != "" && gateway.IsReference(id) && !strings.Contains(id, ".") }

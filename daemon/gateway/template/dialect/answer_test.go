package dialect

import (
	"errors"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/gateway"
)

func TestAnswers(t *testing.T) {
	const approved = `{"payment": {"key": "pay_1", "status": "authorised", "id": "p-7", "auth": "A1B2C3", "reason": 0}, "network": ["MCC01"], "checks": {"cvc": "M", "zip": "N"}}`
	declined := func(reason string) string {
		return `{"payment": {"key": "pay_1", "status": "declined", "reason": ` + reason + `}}`
	}
	for name, c := range map[string]struct {
		verb   Verb
		status int
		body   string
		want   gateway.Answer
		err    error
	}{
		"approved":                    {Authorise, 200, approved, gateway.Answer{Outcome: gateway.Approved, Ref: "p-7", Code: "0", Auth: "A1B2C3", NetworkID: "MCC01", CVV: gateway.Match, Postcode: gateway.Mismatch}, nil},
		"declined for want of money":  {Authorise, 402, declined(`51`), gateway.Answer{Outcome: gateway.Declined, Code: "51", Class: gateway.Funds}, nil},
		"declined, and not said why":  {Authorise, 402, declined(`null`), gateway.Answer{Outcome: gateway.Declined, Class: gateway.Refusal}, nil},
		"declined with free text":     {Authorise, 200, declined(`"Do not honour"`), gateway.Answer{Outcome: gateway.Declined, Class: gateway.Refusal}, nil},
		"inquired":                    {Inquire, 200, approved, gateway.Answer{Outcome: gateway.Approved, Ref: "p-7", Code: "0", Auth: "A1B2C3", NetworkID: "MCC01", CVV: gateway.Match, Postcode: gateway.Mismatch}, nil},
		"not there":                   {Inquire, 404, "", gateway.Answer{Outcome: gateway.NotThere}, nil},
		"not there by its word":       {Inquire, 200, strings.Replace(approved, "authorised", "unknown", 1), gateway.Answer{Outcome: gateway.NotThere}, nil},
		"refused":                     {Authorise, 404, "", gateway.Answer{}, gateway.ErrRefused},
		"a server's error":            {Authorise, 500, approved, gateway.Answer{}, gateway.ErrGarbled},
		"too many":                    {Authorise, 429, approved, gateway.Answer{}, gateway.ErrGarbled},
		"under way":                   {Authorise, 200, strings.Replace(approved, "authorised", "pending", 1), gateway.Answer{}, gateway.ErrGarbled},
		"an inquiry's word":           {Authorise, 200, strings.Replace(approved, "authorised", "voided", 1), gateway.Answer{}, gateway.ErrGarbled},
		"another payment":             {Authorise, 200, strings.Replace(approved, "pay_1", "pay_2", 1), gateway.Answer{}, gateway.ErrGarbled},
		"no status":                   {Authorise, 200, `{"payment": {"key": "pay_1", "status": {"authorised": true}}}`, gateway.Answer{}, gateway.ErrGarbled},
		"nothing":                     {Authorise, 200, "", gateway.Answer{}, gateway.ErrGarbled},
		"half":                        {Authorise, 200, approved[:60], gateway.Answer{}, gateway.ErrGarbled},
		"two":                         {Authorise, 200, approved + approved, gateway.Answer{}, gateway.ErrGarbled},
		"a page of HTML":              {Authorise, 200, "<html>authorised</html>", gateway.Answer{}, gateway.ErrGarbled},
		"a reference of another form": {Authorise, 200, strings.Replace(approved, "p-7", "p 7", 1), gateway.Answer{Outcome: gateway.Approved, Code: "0", Auth: "A1B2C3", NetworkID: "MCC01", CVV: gateway.Match, Postcode: gateway.Mismatch}, nil},
	} {
		got, err := parsed(t, acme()).Read(c.verb, c.status, "application/json; charset=utf-8", []byte(c.body), "ref_1", "pay_1")
		if !errors.Is(err, c.err) || err == nil && got != c.want {
			t.Errorf("%s: %+v, %v; want %+v, %v", name, got, err, c.want, c.err)
		}
	}
	for kind, good := range map[string]bool{"application/json": true, "application/problem+json": true, "text/html": false, "": false, "application/json; charset": false} {
		if _, err := parsed(t, acme()).Read(Authorise, 200, kind, []byte(approved), "pay_1"); (err == nil) != good {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

// TestPointers has the examples of RFC 6901, 5, as far as they lead to one value.
func TestPointers(t *testing.T) {
	doc, err := decode([]byte(`{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8, "t": true, "n": null, "x": 1e400}`))
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{"/foo/0": "bar", "/foo/1": "baz", "/": "0", "/a~1b": "1", "/c%d": "2", "/e^f": "3", "/g|h": "4", `/i\j`: "5", `/k"l`: "6", "/ ": "7", "/m~0n": "8", "/t": "true",
		"/n": "", "/foo": "", "/foo/2": "", "/foo/01": "", "/foo/-": "", "/foo/-1": "", "/foo/0/x": "", "/none/at": "", "/x": "1e400", "/m~01n": ""} {
		path, ok := pointer(from)
		if got := at(doc, path); !ok || got != want {
			t.Errorf("%s leads to %q, want %q", from, got, want)
		}
	}
	for _, bad := range []string{"", "foo", "/~", "/a~", "/~2", "#/foo"} {
		if _, ok := pointer(bad); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzRead: whatever a provider says, there is an answer of the form that one has, or an error.
func FuzzRead(f *testing.F) {
	f.Add(200, `{"payment": {"key": "pay_1", "status": "authorised", "id": "p-7"}}`)
	f.Add(404, `[`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		for _, verb := range Verbs() {
			a, err := parsed(t, acme()).Read(verb, status, "application/json", []byte(body), "pay_1")
			if err == nil && a.Outcome != gateway.Approved && a.Outcome != gateway.Declined && (a.Outcome != gateway.NotThere || verb != Inquire) {
				t.Errorf("%+v", a)
			}
		}
	})
}

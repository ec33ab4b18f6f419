package clients

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const (
	token = "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa"
	pan   = "4242424242424242"
)

// TestParseRefuses what isn't a request, and says nothing of what was in it.
func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"nothing":           {``, "not a JSON object"},
		"cut off":           {`{"verb":"lookup"`, "not a JSON object"},
		"a list":            {`["lookup"]`, "not a JSON object"},
		"a part":            {`{"verb":"lookup","card":{"pan":"` + pan + `"}}`, "texts, whole numbers and truths"},
		"null":              {`{"verb":null}`, "texts, whole numbers and truths"},
		"more":              {`{"verb":"lookup","purpose":"p","token":"` + token + `"} {}`, "comes after"},
		"twice":             {`{"verb":"lookup","verb":"delete","purpose":"p","token":"` + token + `"}`, "twice"},
		"another case":      {`{"Verb":"lookup","purpose":"p","token":"` + token + `"}`, "a field that there is not"},
		"another field":     {`{"verb":"lookup","purpose":"p","token":"` + token + `","` + pan + `":1}`, "a field that there is not"},
		"a number for text": {`{"verb":"lookup","purpose":"p","token":` + pan + `}`, "token is not text"},
		"no verb":           {`{"purpose":"p","token":"` + token + `"}`, "verb"},
		"another verb":      {`{"verb":"reveal","purpose":"p","token":"` + token + `"}`, "verb"},
		"no purpose":        {`{"verb":"lookup","token":"` + token + `"}`, "purpose"},
		"no token":          {`{"verb":"lookup","purpose":"p"}`, "token"},
		"a card":            {`{"verb":"lookup","purpose":"p","token":"` + pan + `"}`, "token"},
		"too long":          {`{"verb":"lookup","purpose":"` + strings.Repeat("p", LongestBody) + `","token":"` + token + `"}`, "longer than"},
	} {
		q, err := Parse([]byte(c.body))
		switch {
		case err == nil:
			t.Errorf("%s is taken as %+v", name, q)
		case !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), pan):
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

// FuzzParse asks that whatever comes, it is refused without a word of it, or is a request that keeps to its form and reads the same once it was written.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"verb":"lookup","purpose":"support","token":"` + token + `"}`))
	f.Add([]byte(`{ "token":"` + token + `", "purpose":"a", "verb":"delete" }`))
	f.Add([]byte(`{"verb":"lookup","verb":1e9,"purpose":"\ud800","token":[]}`))
	f.Add([]byte(`{"a":` + pan + `}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := Parse(body)
		if err != nil {
			if strings.ContainsAny(strings.Replace(err.Error(), "4096", "", 1), "0123456789") {
				t.Errorf("%v", err)
			}
			return
		}
		text, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(text)
		if err != nil && len(text) <= LongestBody || err == nil && (!reflect.DeepEqual(again, q) || string(again.hash()) != string(q.hash())) {
			t.Errorf("%s is read as %+v, %v", text, again, err)
		}
	})
}

func TestIDs(t *testing.T) {
	for id, want := range map[string]bool{"a": true, "order-7_b": true, "0b54a3f2-6f1e-4b7e-9c3a-aaaaaaaaaaaa": true, "": false, "a.b": false, "a b": false, pan: false,
		"id-4242-4242-4242-4242": false, strings.Repeat("a", 65): false} {
		if IsID(id) != want {
			t.Errorf("%q: %t", id, !want)
		}
	}
}

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
		"a word for money":  {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":"1","currency":"EUR"}`, "minor"},
		"half a cent":       {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":1.5,"currency":"EUR"}`, "minor"},
		"money by tens":     {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":1e3,"currency":"EUR"}`, "minor"},
		"money owed":        {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":-1,"currency":"EUR"}`, "minor"},
		"too much money":    {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":9223372036854775808,"currency":"EUR"}`, "minor"},
		"no money":          {`{"verb":"charge","purpose":"p","token":"` + token + `","currency":"EUR"}`, "minor is missing"},
		"no currency":       {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":1,"currency":"eur"}`, "currency"},
		"a card for a word": {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":1,"currency":"EUR","reference":"` + pan + `"}`, "reference"},
		"a maybe":           {`{"verb":"charge","purpose":"p","token":"` + token + `","minor":1,"currency":"EUR","authorise":1}`, "authorise"},
		"a void of some":    {`{"verb":"void","purpose":"p","payment":"pay_aaaaaaaaaaaaaaaaaaaaaaaaaa","minor":1}`, "minor is there"},
		"no payment":        {`{"verb":"refund","purpose":"p","payment":"` + token + `"}`, "payment"},
		"a token besides":   {`{"verb":"refund","purpose":"p","payment":"pay_aaaaaaaaaaaaaaaaaaaaaaaaaa","token":"` + token + `"}`, "token is there"},
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
	f.Add([]byte(`{"verb":"charge","purpose":"support","token":"` + token + `","minor":1234,"currency":"EUR","reference":"order-7","authorise":true}`))
	f.Add([]byte(`{"verb":"refund","purpose":"support","payment":"pay_aaaaaaaaaaaaaaaaaaaaaaaaaa","minor":1}`))
	f.Add([]byte(`{"a":` + pan + `}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := Parse(body)
		if err != nil {
			if strings.ContainsAny(strings.NewReplacer("4096", "", "4217", "", "64", "", "11", "", "above 0", "").Replace(err.Error()), "0123456789") {
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

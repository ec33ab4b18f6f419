package dialect

import (
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/gateway"
)

// answer judges how answers are read.
func (r *reader) answer(a Answer, asks bool, pointers map[string][]string) {
	for _, p := range []struct{ key, pointer string }{
		{"status", a.Status}, {"key", a.Key}, {"ref", a.Ref}, {"code", a.Code}, {"auth", a.Auth}, {"network_id", a.NetworkID}, {"cvv", a.CVV}, {"postcode", a.Postcode}, {"line", a.Line},
	} {
		if p.pointer == "" && p.key != "status" {
			continue
		}
		path, ok := pointer(p.pointer)
		if !ok {
			r.fault("answer."+p.key, "is no JSON pointer", `write one like "/payment/status" (RFC 6901)`)
		}
		pointers[p.key] = path
	}
	meaning := map[int]string{}
	for _, list := range []struct {
		key      string
		statuses []int
	}{{"http_read", a.Read}, {"http_refused", a.Refused}, {"http_not_there", a.NotThere}} {
		for _, s := range list.statuses {
			switch {
			case s < 200 || s > 499 || s >= 300 && s < 400:
				r.fault("answer."+list.key, "has %d, which says nothing for sure", "write statuses from 200 to 299 and from 400 to 499", s)
			case list.key == "http_refused" && (s < 400 || s == 408 || s == 409 || s == 429):
				r.fault("answer."+list.key, "has %d, after which a provider may have acted", "leave it out: the payment is inquired about", s)
			case list.key == "http_not_there" && !asks:
				r.fault("answer."+list.key, "stands without an inquire table", "leave it out")
			case meaning[s] == "http_refused" && list.key == "http_not_there": // of another verb than an inquiry it is a refusal
			case meaning[s] != "":
				r.fault("answer."+list.key, "has %d, which "+meaning[s]+" has, too", "write it once", s)
			}
			meaning[s] = list.key
		}
	}
	classes := map[string]gateway.Class{}
	for _, class := range Classes() {
		for _, code := range a.Classes[class] {
			if first, taken := classes[code]; taken {
				r.fault("answer.class."+string(class), "has a code that %s has, too", "write it once", first)
			}
			classes[code] = class
		}
	}
	for _, word := range a.Mismatch {
		if slices.Contains(a.Match, word) {
			r.fault("answer.mismatch", "has a word that match has, too", "write it once")
		}
	}
}

// Read says what a provider's answer to a verb means, which is about one of the keys. What no table of its owner's says is an error that leaves open what the provider did.
func (p *Parsed) Read(verb Verb, status int, contentType string, body []byte, keys ...string) (gateway.Answer, error) {
	a := p.answer
	garbled := func(why string) (gateway.Answer, error) {
		return gateway.Answer{}, fmt.Errorf("%w: %s", gateway.ErrGarbled, why)
	}
	switch {
	case verb == Inquire && slices.Contains(a.NotThere, status):
		return gateway.Answer{Outcome: gateway.NotThere}, nil
	case slices.Contains(a.Refused, status):
		return gateway.Answer{}, fmt.Errorf("%w: by HTTP status %d", gateway.ErrRefused, status)
	case !slices.Contains(a.Read, status):
		return garbled(fmt.Sprintf("HTTP status %d is none that its configuration has", status))
	}
	if kind, _, err := mime.ParseMediaType(contentType); err != nil || kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return garbled("it isn't JSON")
	}
	doc, err := decode(body)
	if err != nil {
		return garbled("it isn't JSON, or ends early")
	}
	get := func(name string) string {
		if path := p.pointers[name]; path != nil {
			return at(doc, path)
		}
		return ""
	}
	if p.pointers["key"] != nil && !slices.Contains(keys, get("key")) {
		return garbled("it is about another payment")
	}
	out := gateway.Answer{Ref: fitting(refs, get("ref")), Code: fitting(codes, get("code")), Auth: fitting(auths, get("auth")), NetworkID: fitting(refs, get("network_id")),
		CVV: a.check(get("cvv")), Postcode: a.check(get("postcode")), Line: a.check(get("line"))}
	q, said := p.requests[verb], get("status")
	switch {
	case said == "":
		return garbled("it has no status")
	case slices.Contains(q.Approved, said):
		out.Outcome = gateway.Approved
	case slices.Contains(q.Declined, said):
		out.Outcome, out.Class = gateway.Declined, a.class(get("code"))
	case slices.Contains(q.NotThere, said):
		return gateway.Answer{Outcome: gateway.NotThere}, nil
	default:
		return garbled("its status is none that its configuration has")
	}
	return out, nil
}

func (a Answer) class(code string) gateway.Class {
	for class, codes := range a.Classes {
		if slices.Contains(codes, code) {
			return class
		}
	}
	return gateway.Refusal
}

func (a Answer) check(said string) gateway.Check {
	switch {
	case said == "":
		return gateway.Unchecked
	case slices.Contains(a.Match, said):
		return gateway.Match
	case slices.Contains(a.Mismatch, said):
		return gateway.Mismatch
	}
	return gateway.Unknown
}

// What an answer may have, by gateway.Guard's rules. What doesn't fit is left out: an approved payment isn't in doubt for a code of free text.
var (
	refs  = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
	codes = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,32}$`)
	auths = regexp.MustCompile(`^[A-Za-z0-9]{1,6}$`)
)

func fitting(form *regexp.Regexp, s string) string {
	if form.MatchString(s) {
		return s
	}
	return ""
}

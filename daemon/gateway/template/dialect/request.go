package dialect

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Bases are the addresses that requests may begin with: a host, and nothing but that.
var bases = regexp.MustCompile(`^https://([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(:[1-9][0-9]{0,4})?$`)

func (r *reader) base(raw string) {
	u, err := url.Parse(raw)
	if err != nil || !bases.MatchString(raw) || len(u.Port()) == 5 && u.Port() > "65535" {
		r.fault("allow", "has what is no host to send cards to", `write each like "https://api.provider.example", with :port if it isn't 443, and nothing behind it`)
	}
}

// request judges what a verb sends.
func (r *reader) request(verb Verb, q Request, allow []string) *request {
	at := func(key string) string { return string(verb) + "." + key }
	out := &request{Request: q}
	switch {
	case !slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, q.Method):
		r.fault(at("method"), "is no method", `write "POST", "GET", "PUT", "PATCH" or "DELETE"`)
	case q.Method == "GET" && verb != Inquire:
		r.fault(at("method"), "is GET, which asks and does nothing", `write "POST"`)
	case q.Method == "GET" && q.Body != "":
		r.fault(at("body"), "stands beside GET, which has none", `leave it out, or write method = "POST"`)
	}
	i := slices.IndexFunc(allow, func(base string) bool { return strings.HasPrefix(q.URL, base+"/") })
	if i < 0 {
		r.fault(at("url"), "begins with none of what allow has", "begin it with one of them and a slash, or add its host to allow")
	} else {
		out.base = allow[i]
		out.url = r.parse(at("url"), strings.TrimPrefix(q.URL, allow[i]), verb, inURL)
		r.path(at("url"), out.url)
	}
	for _, h := range q.Headers {
		name, value, ok := strings.Cut(h, ": ")
		if !ok || name == "" || strings.ContainsFunc(name, odd) || value == "" || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
			r.fault(at("headers"), "has what is no header", `write each like "Name: value"`)
			continue
		}
		if slices.ContainsFunc(own, func(o string) bool { return strings.EqualFold(o, name) }) {
			r.fault(at("headers"), "has "+name+", which says where a request ends or goes", "leave it out: the box writes it")
			continue
		}
		out.headers = append(out.headers, header{name, r.parse(at("headers"), value, verb, inHeader)})
	}
	body := q.Body
	if r.encoding == Form {
		body = strings.Join(strings.Fields(body), "") // lines are for who reads it
	}
	before := len(r.faults)
	out.body = r.parse(at("body"), body, verb, inBody)
	r.placed(at("body"), out.body)
	r.amounts(at("body"), out.body)
	if len(r.faults) == before {
		r.wellFormed(at("body"), out.body)
	}
	r.wanted(verb, out, at)
	return out
}

// own are the courier's headers, and those that make one request out of two.
var own = []string{"Host", "Content-Length", "Transfer-Encoding", "Connection", "Accept-Encoding", "TE", "Trailer", "Upgrade", "Expect"}

func odd(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
}

// path judges an address below its host: printable, without a way up, and its placeholders behind no half of a percent sign.
func (r *reader) path(key string, t text) {
	var f inForm
	whole := ""
	for _, p := range t {
		if p.word != "" {
			whole += "x"
			if !f.holds(words[p.word]) {
				r.fault(key, "has a placeholder within a percent sign's two digits", "move it")
				return
			}
			continue
		}
		whole += p.literal
		if f.walk(p.literal) != "" || strings.ContainsAny(p.literal, `#\"<>^{|}`+"`") {
			r.fault(key, "has what must be percent-encoded", "write letters, digits and signs alone, and no # part")
			return
		}
	}
	u, err := url.Parse(whole)
	if err != nil {
		r.fault(key, "is no address", "write one like https://host/path")
		return
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			r.fault(key, "has . or .. for a segment", "write the path that is meant")
		}
	}
}

// wanted judges what a request can't do without.
func (r *reader) wanted(verb Verb, q *request, at func(string) string) {
	need := func(key, word string, remedy string) {
		if !q.uses(word) {
			r.fault(at(key), "doesn't have {{"+word+"}}", remedy)
		}
	}
	switch verb {
	case Authorise:
		need("body", "pan", "write where the card number stands")
		need("body", "key", "write the provider's idempotency key, in a header or the body: by it no payment is made twice, and an inquiry finds it")
	case Inquire:
		need("url", "key", "ask by the key that authorise sent: after a time-out nothing else is known")
		if len(q.Declined) == 0 {
			r.fault(at("declined"), "is missing", "write which words of the status mean that nothing is taken")
		}
	case Refund:
		need("body", "key", "write the provider's idempotency key, in a header or the body: by it no refund is made twice")
	}
	if verb == Void || verb == Capture || verb == Refund {
		if !q.uses("ref") && !(verb != Refund && q.uses("key")) {
			r.fault(at("url"), "names no payment", "write {{ref}}, the provider's name for it")
		}
	}
	if len(q.Approved) == 0 {
		r.fault(at("approved"), "is missing", "write which words of the status mean that it was done")
	}
	if verb != Inquire && len(q.NotThere) > 0 {
		r.fault(at("not_there"), "stands where nothing is asked", "leave it out: it is for inquire alone")
	}
	seen := map[string]string{}
	for _, list := range []struct {
		key   string
		words []string
	}{{"approved", q.Approved}, {"declined", q.Declined}, {"not_there", q.NotThere}} {
		for _, w := range list.words {
			if first := seen[w]; first != "" {
				r.fault(at(list.key), "has a word twice, or one of "+first, "write each once: it means one thing")
			}
			seen[w] = at(list.key)
		}
	}
}

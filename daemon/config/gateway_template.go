package config

import (
	"strings"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/template/dialect"
)

// Template is a provider whose requests and answers the owner has written down.
type Template struct {
	dialect.Provider
	// SecretFile has what {{secret}} stands for: see [Gateway.UseSecret]. Empty: the box proves itself by its certificate alone.
	SecretFile string
	TLS        TLS
	// Timeout bounds one request.
	Timeout time.Duration
	// Settle is how long a payment must be unknown to the provider before it is taken for one that there isn't.
	Settle time.Duration
}

func (t Template) has(verb dialect.Verb) bool {
	_, ok := t.Requests[verb]
	return ok
}

func (t *table) template(p *Template) {
	t.need("allow", `write where requests may go, such as ["https://api.provider.example"]`)
	if list, ok := texts(t, "allow"); ok {
		p.Allow = list
	}
	choice(t, "encoding", &p.Encoding, dialect.JSON, dialect.Form, dialect.XML)
	t.secretFile("secret_file", &p.SecretFile)
	t.tls(&p.TLS)
	t.period("timeout_s", &p.Timeout, time.Second, 1, 120)
	t.period("settle_s", &p.Settle, time.Second, 0, 45)
	t.need("authorise", "write a table below this one: it says what is sent to have a card charged")
	p.Requests = map[dialect.Verb]dialect.Request{}
	for _, verb := range dialect.Verbs() {
		if below := t.sub(string(verb)); t.has(string(verb)) && !below.broken {
			p.Requests[verb] = below.request()
		}
	}
	t.need("answer", "write a table below this one: it says where in an answer what stands")
	below := t.sub("answer")
	below.broken = below.broken || !t.has("answer")
	below.answer(&p.Answer)
}

func (t *table) request() dialect.Request {
	q := dialect.Request{Method: "POST"}
	t.text("method", &q.Method)
	t.need("url", "write the address, which begins with one of those in allow")
	t.text("url", &q.URL)
	t.list("headers", &q.Headers)
	t.text("body", &q.Body)
	t.list("approved", &q.Approved)
	t.list("declined", &q.Declined)
	t.list("not_there", &q.NotThere)
	return q
}

func (t *table) list(key string, to *[]string) {
	if list, ok := texts(t, key); ok {
		*to = list
	}
}

func (t *table) answer(a *dialect.Answer) {
	t.need("status", `write where an answer says what was done, such as "/payment/status"`)
	for _, p := range pointers(a) {
		t.text(p.key, p.to)
	}
	t.statuses("http_read", &a.Read)
	t.statuses("http_refused", &a.Refused)
	t.statuses("http_not_there", &a.NotThere)
	t.list("match", &a.Match)
	t.list("mismatch", &a.Mismatch)
	if below := t.sub("class"); t.has("class") && !below.broken {
		a.Classes = map[gateway.Class][]string{}
		for _, class := range dialect.Classes() {
			if list, ok := texts(below, string(class)); ok {
				a.Classes[class] = list
			}
		}
	}
}

// pointers are where an answer has what.
func pointers(a *dialect.Answer) []struct {
	key string
	to  *string
} {
	return []struct {
		key string
		to  *string
	}{{"status", &a.Status}, {"key", &a.Key}, {"ref", &a.Ref}, {"code", &a.Code}, {"auth", &a.Auth}, {"network_id", &a.NetworkID}, {"cvv", &a.CVV}, {"postcode", &a.Postcode}, {"line", &a.Line}}
}

var aStatusList = form{"a list of HTTP statuses", "write a list of numbers, such as [200, 201]"}

// statuses reads a list of HTTP statuses, which may be empty.
func (t *table) statuses(key string, to *[]int) {
	list, ok := value[[]any](t, key, aStatusList)
	if !ok {
		return
	}
	numbers := []int{}
	for _, v := range list {
		n, whole := v.(int64)
		if !whole || n < 100 || n > 599 {
			t.fault(key, "has what is no HTTP status", aStatusList.remedy)
			return
		}
		numbers = append(numbers, int(n))
	}
	*to = numbers
}

// template has dialect judge what was written, and tells where in this file that is.
func (j judgement) template(path string, p Template) {
	t := j.table(path)
	if p.has(dialect.Authorise) && t.has("allow") && t.has("answer") && j.sound(path, "allow", "encoding") {
		_, faults := dialect.Parse(p.Provider)
		for _, f := range faults {
			at, key := path, f.Key
			if i := strings.LastIndexByte(key, '.'); i >= 0 {
				at, key = path+"."+key[:i], key[i+1:]
			}
			if !j.sound(at, key) {
				continue
			}
			t := j.table(at)
			v, written := t.values[key]
			if key == "body" {
				delete(t.values, key) // which may have what nobody should read here
			}
			if t.fault(key, f.Reason, f.Remedy); written {
				t.values[key] = v
			}
		}
	}
	secret := false
	for _, q := range p.Requests {
		secret = secret || strings.Contains(strings.Join(q.Headers, "\n"), "{{secret}}")
	}
	if secret != t.has("secret_file") && j.sound(path, "secret_file") {
		if secret {
			t.need("secret_file", "name a file of mode 0600 with what {{secret}} stands for")
			return
		}
		t.fault("secret_file", "stands where no header has {{secret}}", `leave it out, or write one such as "Authorization: Bearer {{secret}}"`)
	}
}

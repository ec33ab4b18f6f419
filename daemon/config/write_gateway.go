package config

import (
	"time"

	"github.com/flattone/flattone/daemon/gateway/template/dialect"
)

func (w *writer) gateway(name string, g Gateway) {
	stripe, acquirer, template := gatewayDefaults()
	w.table("[gateway."+name+"]", "Who charges cards.")
	w.other("currency", g.Currency, "")
	switch {
	case g.Stripe != nil:
		w.set("kind", kindStripe)
		w.other("url", g.Stripe.URL, stripe.URL)
		w.set("secret_file", g.Stripe.SecretFile)
		w.tls(g.Stripe.TLS)
		w.time("timeout_s", time.Second, g.Stripe.Timeout, stripe.Timeout)
	case g.ISO8583 != nil:
		w.set("kind", kindISO8583)
		w.acquirer(*g.ISO8583, *acquirer)
	case g.Template != nil:
		w.set("kind", kindTemplate)
		w.template(name, *g.Template, *template)
	}
}

func (w *writer) acquirer(a, usual ISO8583) {
	w.set("address", a.Address)
	w.other("tls", !a.Plain, true)
	w.tls(a.TLS)
	w.other("variant", a.Variant, usual.Variant)
	w.other("tpdu", a.TPDU, usual.TPDU)
	w.other("acquirer", a.Acquirer, usual.Acquirer)
	w.set("terminal", a.Terminal)
	w.set("merchant", a.Merchant)
	w.set("merchant_category", a.MerchantCategory)
	w.time("echo_s", time.Second, a.Echo, usual.Echo)
	w.time("timeout_s", time.Second, a.Timeout, usual.Timeout)
}

func (w *writer) tls(of TLS) {
	w.other("ca_file", of.CAFile, "")
	w.other("cert_file", of.CertFile, "")
	w.other("key_file", of.KeyFile, "")
}

func (w *writer) template(name string, p, usual Template) {
	w.set("allow", p.Allow)
	w.other("encoding", p.Encoding, usual.Encoding)
	w.other("secret_file", p.SecretFile, "")
	w.tls(p.TLS)
	w.time("timeout_s", time.Second, p.Timeout, usual.Timeout)
	w.time("settle_s", time.Second, p.Settle, usual.Settle)
	for _, verb := range dialect.Verbs() {
		q, ok := p.Requests[verb]
		if !ok {
			continue
		}
		w.table("[gateway."+name+"."+string(verb)+"]", "")
		w.other("method", q.Method, "POST")
		w.set("url", q.URL)
		w.filled("headers", q.Headers)
		w.other("body", q.Body, "")
		w.filled("approved", q.Approved)
		w.filled("declined", q.Declined)
		w.filled("not_there", q.NotThere)
	}
	w.table("[gateway."+name+".answer]", "")
	for _, at := range pointers(&p.Answer) {
		w.other(at.key, *at.to, "")
	}
	w.other("http_read", p.Answer.Read, usual.Answer.Read)
	w.other("http_refused", p.Answer.Refused, usual.Answer.Refused)
	w.other("http_not_there", p.Answer.NotThere, usual.Answer.NotThere)
	w.filled("match", p.Answer.Match)
	w.filled("mismatch", p.Answer.Mismatch)
	if p.Answer.Classes != nil {
		w.table("[gateway."+name+".answer.class]", "")
		for _, class := range dialect.Classes() {
			w.filled(string(class), p.Answer.Classes[class])
		}
	}
}

// filled writes a list that has something.
func (w *writer) filled(key string, list []string) {
	if len(list) > 0 {
		w.set(key, list)
	}
}

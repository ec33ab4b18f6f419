package config

import "time"

func (w *writer) gateway(name string, g Gateway) {
	stripe, acquirer := gatewayDefaults()
	w.table("[gateway."+name+"]", "Who charges cards.")
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
	}
	w.other("currency", g.Currency, "")
}

func (w *writer) acquirer(a, usual ISO8583) {
	w.set("address", a.Address)
	w.other("tls", !a.Plain, true)
	w.tls(a.TLS)
	w.other("variant", a.Variant, usual.Variant)
	w.set("acquirer", a.Acquirer)
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

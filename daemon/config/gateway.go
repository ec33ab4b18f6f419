package config

import "time"

// Gateway is a provider that charges cards. The part of its kind is set, and no other.
type Gateway struct {
	// Currency is that of an amount which says none, ISO 4217; empty: each amount says its own.
	Currency string
	Stripe   *Stripe   `json:",omitempty"`
	ISO8583  *ISO8583  `json:",omitempty"`
	Template *Template `json:",omitempty"`
}

// The kinds of gateways.
const (
	kindStripe   = "stripe"
	kindISO8583  = "iso8583"
	kindTemplate = "template"
)

// Stripe is a provider that speaks Stripe's API.
type Stripe struct {
	// URL is https, without a path.
	URL string
	// SecretFile has the API key: see [Gateway.UseSecret].
	SecretFile string
	TLS        TLS
	// Timeout bounds one request.
	Timeout time.Duration
}

// ISO8583 is an acquirer's host, at the other end of one connection that is kept.
type ISO8583 struct {
	// Address is a host and a port.
	Address string
	// Plain leaves TLS out, for a network that is a VPN's own.
	Plain bool
	TLS   TLS
	// Variant is how fields are encoded.
	Variant Variant
	// TPDU is what a network routes messages by, ten hexadecimal digits from 60 on; empty: it doesn't.
	TPDU string
	// Acquirer (field 32, up to 11 digits, may be empty), Terminal (41, up to 8 characters), Merchant (42, up to 15) and MerchantCategory (18, 4 digits) are what the acquirer knows the box by.
	Acquirer, Terminal, Merchant, MerchantCategory string
	// Echo is the longest silence after which the connection is tried.
	Echo time.Duration
	// Timeout bounds the wait for one answer.
	Timeout time.Duration
}

// Variant is how ISO 8583 is put into bytes.
type Variant string

// The variants.
const (
	ASCII Variant = "ascii"
	BCD   Variant = "bcd"
)

// gateways reads the [gateway.NAME] tables.
func (t *table) gateways(all map[string]Gateway) {
	names, tables := t.named("gateway")
	for i, gt := range tables {
		all[names[i]] = gt.gateway()
	}
}

func (t *table) gateway() (g Gateway) {
	kind := ""
	t.need("kind", `write how the provider is spoken to: "stripe", "iso8583" or "template"`)
	choice(t, "kind", &kind, kindStripe, kindISO8583, kindTemplate)
	t.text("currency", &g.Currency)
	switch t.kind += "." + kind; kind { // each has keys of its own
	case kindStripe:
		g.Stripe, _, _ = gatewayDefaults()
		t.stripe(g.Stripe)
	case kindISO8583:
		_, g.ISO8583, _ = gatewayDefaults()
		t.iso8583(g.ISO8583)
	case kindTemplate:
		_, _, g.Template = gatewayDefaults()
		t.template(g.Template)
	default: // nobody knows whose keys these are
		for key := range t.values {
			t.used[key] = true
		}
	}
	return g
}

func (t *table) stripe(s *Stripe) {
	t.text("url", &s.URL)
	t.need("secret_file", "name a file of mode 0600 with the API key: a restricted one that may write payments and refunds alone")
	t.secretFile("secret_file", &s.SecretFile)
	t.tls(&s.TLS)
	t.period("timeout_s", &s.Timeout, time.Second, 1, 120)
}

func (t *table) iso8583(a *ISO8583) {
	t.need("address", `write the acquirer's host and port, such as "host.example.com:5000"`)
	t.text("address", &a.Address)
	secure := true
	t.truth("tls", &secure)
	a.Plain = !secure
	t.tls(&a.TLS)
	choice(t, "variant", &a.Variant, ASCII, BCD)
	t.text("tpdu", &a.TPDU)
	t.text("acquirer", &a.Acquirer)
	t.need("terminal", "write the terminal's id, up to 8 characters, which no other box has: the acquirer has it")
	t.text("terminal", &a.Terminal)
	t.need("merchant", "write the merchant's id, up to 15 characters: the acquirer has it")
	t.text("merchant", &a.Merchant)
	t.need("merchant_category", "write the category code of the business, 4 digits in quotes: the acquirer has it")
	t.text("merchant_category", &a.MerchantCategory)
	t.period("echo_s", &a.Echo, time.Second, 10, 600)
	t.period("timeout_s", &a.Timeout, time.Second, 1, 120)
}

// tls reads who vouches for a provider, and what the box proves itself by.
func (t *table) tls(of *TLS) {
	t.file("ca_file", &of.CAFile)
	t.file("cert_file", &of.CertFile)
	t.file("key_file", &of.KeyFile)
}

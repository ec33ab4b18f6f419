package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/flattone/flattone/daemon/gateway/template/dialect"
	"github.com/flattone/flattone/daemon/private"
)

func (j judgement) gateways() {
	for _, name := range j.c.gatewayNames() {
		g, path := j.c.Gateways[name], join("gateway", name)
		t := j.table(path)
		j.name(j.table("gateway"), name, name)
		if t.has("currency") && j.sound(path, "currency") && !isCurrency(g.Currency) {
			t.fault("currency", "is no currency", `write its three capital letters of ISO 4217, such as "EUR"`)
		}
		switch {
		case g.Stripe != nil:
			j.providerURL(path, g.Stripe.URL)
		case g.ISO8583 != nil:
			j.iso8583(path, *g.ISO8583)
		case g.Template != nil:
			j.template(path, *g.Template)
		}
		if t.has("cert_file") != t.has("key_file") && g.tls() != nil {
			t.need("cert_file", "name the certificate of key_file, or leave both out")
			t.need("key_file", "name the key of cert_file, or leave both out")
		}
	}
}

func isCurrency(text string) bool {
	return len(text) == 3 && strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// providerURL judges where cards are sent to.
func (j judgement) providerURL(path, raw string) {
	t := j.table(path)
	if !j.sound(path, "url") {
		return
	}
	flaw, bad := errors.AsType[private.Flaw](CheckURL(raw))
	switch {
	case bad:
		t.fault("url", flaw.Reason, flaw.Remedy)
	case !strings.HasPrefix(strings.ToLower(raw), "https:"):
		t.fault("url", "is plain http", "write https: a card leaves in TLS alone, even to this machine itself")
	case strings.Count(strings.TrimSuffix(raw, "/"), "/") > 2:
		t.fault("url", "has a path", "end the address with the host: the API's own paths follow")
	}
}

// What an acquirer knows a box by. Ids that are shorter than their fields are filled up with spaces.
var (
	acquirers  = regexp.MustCompile(`^[0-9]{1,11}$`)
	terminals  = regexp.MustCompile(`^[ -~]{0,7}[!-~]$`)
	merchants  = regexp.MustCompile(`^[ -~]{0,14}[!-~]$`)
	categories = regexp.MustCompile(`^[0-9]{4}$`)
	tpdus      = regexp.MustCompile(`^60[0-9A-Fa-f]{8}$`)
)

func (j judgement) iso8583(path string, a ISO8583) {
	t := j.table(path)
	host, port, err := net.SplitHostPort(a.Address)
	if t.has("address") && j.sound(path, "address") && (err != nil || host == "" || port == "" || !isPort(port)) {
		t.fault("address", "is no host and port", `write them like "host.example.com:5000"`)
	}
	for _, id := range []struct {
		key, text string
		form      *regexp.Regexp
		remedy    string
	}{
		{"acquirer", a.Acquirer, acquirers, "write 1 to 11 digits, or leave it out"},
		{"terminal", a.Terminal, terminals, "write 1 to 8 printable characters, as the acquirer has them"},
		{"merchant", a.Merchant, merchants, "write 1 to 15 printable characters, as the acquirer has them"},
		{"merchant_category", a.MerchantCategory, categories, "write 4 digits"},
		{"tpdu", a.TPDU, tpdus, "write 10 hexadecimal digits, the first of them 60, as the acquirer has them; or leave it out"},
	} {
		if t.has(id.key) && j.sound(path, id.key) && !id.form.MatchString(id.text) {
			t.fault(id.key, "has another form", id.remedy)
		}
	}
	for _, key := range []string{"ca_file", "cert_file", "key_file"} {
		if a.Plain && t.has(key) && j.sound(path, "tls", key) {
			t.fault(key, "stands beside tls = false", "leave it out, or leave tls out")
		}
	}
	if j.sound(path, "timeout_s", "echo_s") && a.Timeout > a.Echo {
		t.fault("timeout_s", "is longer than echo_s", "make it shorter: a connection that doesn't answer is found out by its echo")
	}
}

// charged judges what becomes of a profile's cards.
func (j judgement) charged(path string, p Profile) {
	t := j.table(path)
	if p.Gateway == "" {
		for _, key := range []string{"charge", "offline"} {
			if t.has(key) && j.sound(path, key, "gateway") {
				t.fault(key, "stands without gateway", "name one of the [gateway.NAME] tables in gateway, or leave this out: the card is only stored")
			}
		}
		return
	}
	g, exists := j.c.Gateways[p.Gateway]
	if !exists && j.sound(path, "gateway") && j.sound("", "gateway") {
		t.fault("gateway", "is not a gateway of this file", "write a [gateway.NAME] table of that name, or name one that there is")
	}
	if p.Charge == Authorise && g.Template != nil && !g.Template.has(dialect.Capture) && j.sound(path, "charge") {
		t.fault("charge", "has money set aside that can't be taken: "+join("gateway", p.Gateway)+" has no capture table", `write one, or charge = "take"`)
	}
	if j.sound(path, "fields", "gateway") && !slices.Contains(p.Fields, Expiry) {
		t.fault("fields", "has no expiry, and no provider charges a card without it", `add "expiry", or leave gateway out`)
	}
	if p.Offline == ChargeLater && !p.Keep.Stored() && j.sound(path, "offline", "keep") {
		t.fault("offline", fmt.Sprintf("needs a card that is kept, and keep is %q", p.Keep), `write keep = "once" or "vault", or offline = "refuse"`)
	}
}

// consequence says what a gateway's settings mean to the owner, where they are weaker than they could be.
func (g Gateway) consequence() string {
	if g.ISO8583 != nil && g.ISO8583.Plain {
		return "tls = false: cards leave this box in the clear. Whoever is on the way to the acquirer reads them, unless that way is a VPN of his (PCI DSS 4.2.1)."
	}
	return ""
}

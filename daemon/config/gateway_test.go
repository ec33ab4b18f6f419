package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const bank = `[gateway.bank]
kind = "iso8583"
address = "[::1]:5000"
acquirer = "123"
terminal = "TERM  01"
merchant = "SHOP-1"
merchant_category = "5969"
`

// withGateway is the small file with a gateway before its profile, which has an entry more.
func withGateway(tables, entry string) string {
	return strings.Replace(small, "[profile.card]\n", tables+"[profile.card]\n"+entry+"\n", 1)
}

func TestGateways(t *testing.T) {
	iso := ISO8583{Address: "[::1]:5000", Variant: ASCII, Acquirer: "123", Terminal: "TERM  01", Merchant: "SHOP-1", MerchantCategory: "5969",
		Echo: time.Minute, Timeout: 30 * time.Second}
	changed := func(change func(*ISO8583)) Gateway {
		other := iso
		change(&other)
		return Gateway{ISO8583: &other}
	}
	const shop = "[gateway.bank]\nkind = \"stripe\"\nsecret_file = \"s\"\n"
	for doc, want := range map[string]Gateway{
		bank:                                     {ISO8583: &iso},
		bank + "tls = false\n":                   changed(func(a *ISO8583) { a.Plain = true }),
		bank + "variant = \"bcd\"\n":             changed(func(a *ISO8583) { a.Variant = BCD }),
		bank + "tpdu = \"600003000A\"\n":         changed(func(a *ISO8583) { a.TPDU = "600003000A" }),
		bank + "echo_s = 600\ntimeout_s = 120\n": changed(func(a *ISO8583) { a.Echo, a.Timeout = 10*time.Minute, 2*time.Minute }),
		bank + "ca_file = \"ca\"\ncert_file = \"c\"\nkey_file = \"/k\"\n": changed(func(a *ISO8583) { a.TLS = TLS{"/x/ca", "/x/c", "/k"} }),
		shop: {Stripe: &Stripe{URL: "https://api.stripe.com", SecretFile: "/x/s", Timeout: 30 * time.Second}},
		shop + "currency = \"EUR\"\nurl = \"https://h:8443/\"\n": {Currency: "EUR", Stripe: &Stripe{URL: "https://h:8443/", SecretFile: "/x/s", Timeout: 30 * time.Second}},
		shop + "timeout_s = 5\nca_file = \"ca\"\n":               {Stripe: &Stripe{URL: "https://api.stripe.com", SecretFile: "/x/s", TLS: TLS{CAFile: "/x/ca"}, Timeout: 5 * time.Second}},
	} {
		c, err := Parse("/x/f.toml", []byte(withGateway(doc, `gateway = "bank"`)))
		if err != nil {
			t.Errorf("%s: %v", doc, err)
			continue
		}
		if got := c.Gateways["bank"]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", doc, got, want)
		}
		sameAgain(t, c)
		warned := strings.Contains(strings.Join(c.Consequences(), "\n"), "gateway.bank.tls = false: cards leave this box in the clear")
		if plain := want.ISO8583 != nil && want.ISO8583.Plain; warned != plain {
			t.Errorf("%s: the owner is warned: %t", doc, warned)
		}
	}
}

func TestProfilesOfGateways(t *testing.T) {
	for entries, want := range map[string]Profile{
		"":                 {Charge: Take, Offline: Refuse},
		`gateway = "bank"`: {Gateway: "bank", Charge: Take, Offline: Refuse},
		"gateway = \"bank\"\ncharge = \"authorise\"\noffline = \"later\"\nkeep = \"once\"":       {Gateway: "bank", Charge: Authorise, Offline: ChargeLater},
		"gateway = \"bank\"\noffline = \"later\"\nkeep = \"vault\"\nfields=[\"pan\",\"expiry\"]": {Gateway: "bank", Charge: Take, Offline: ChargeLater},
	} {
		c, err := Parse("/x/f.toml", []byte(withGateway(bank, entries)))
		if err != nil {
			t.Errorf("%s: %v", entries, err)
			continue
		}
		if got := c.Profiles["card"]; got.Gateway != want.Gateway || got.Charge != want.Charge || got.Offline != want.Offline {
			t.Errorf("%s: got %+v", entries, got)
		}
	}
}

// pair makes a key and a certificate of its own for it, as PEM.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	self := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, self, self, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return text("CERTIFICATE", der), text("PRIVATE KEY", secret)
}

// TestFilesOfGateways: what flattoned would refuse, `flattone check` says.
func TestFilesOfGateways(t *testing.T) {
	cert, key := pair(t)
	for name, test := range map[string]struct {
		secret string
		mode   os.FileMode
		key    string
		open   os.FileMode
		says   string // "" if all is good
	}{
		"good":                 {"sk_test_abc\n", 0o600, key, 0o600, ""},
		"a secret of 4096":     {strings.Repeat("s", 4096), 0o400, key, 0o600, ""},
		"a secret others read": {"sk_test_abc", 0o644, key, 0o600, "have the provider make a new secret"},
		"two lines":            {"sk_test\nabc", 0o600, key, 0o600, "one line"},
		"nothing but a line":   {"\n", 0o600, key, 0o600, "one line"},
		"a key others read":    {"sk_test_abc", 0o600, key, 0o640, "have the provider sign a new one"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, path := aBox(t)
			doc, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			write(t, path, string(doc)+"[gateway.shop]\nkind = \"stripe\"\nsecret_file = \"stripe.key\"\nca_file = \"c.pem\"\ncert_file = \"c.pem\"\nkey_file = \"k.pem\"\n", 0o600)
			write(t, filepath.Join(dir, "stripe.key"), test.secret, test.mode)
			write(t, filepath.Join(dir, "c.pem"), cert, 0o644)
			write(t, filepath.Join(dir, "k.pem"), test.key, test.open)
			c, err := Check(path, os.Geteuid())
			if test.says != "" {
				if err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "sk_test") {
					t.Errorf("got %v, want %q", err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			err = c.Gateways["shop"].UseSecret(func(secret []byte) error {
				if want := strings.TrimSpace(test.secret); string(secret) != want {
					t.Errorf("the secret has %d bytes, want %d", len(secret), len(want))
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			of := c.Gateways["shop"].Stripe.TLS
			if roots, err := of.Roots(); err != nil || roots == nil {
				t.Errorf("who vouches: %v", err)
			}
			if own, err := of.Certificate(nil); err != nil || len(own.Certificate) != 1 {
				t.Errorf("its own: %v", err)
			}
		})
	}
	dir := t.TempDir()
	_, other := pair(t)
	write(t, filepath.Join(dir, "c"), cert, 0o600)
	write(t, filepath.Join(dir, "k"), other, 0o600)
	if _, err := (TLS{CertFile: filepath.Join(dir, "c"), KeyFile: filepath.Join(dir, "k")}).Certificate(nil); err == nil || !strings.Contains(err.Error(), "no pair") {
		t.Errorf("another's key: %v", err)
	}
	if own, err := (TLS{}).Certificate(nil); err != nil || own == nil || len(own.Certificate) > 0 {
		t.Errorf("who has none sends %v, %v", own, err)
	}
	if roots, err := (TLS{}).Roots(); err != nil || roots != nil {
		t.Errorf("the system's are %v, %v", roots, err)
	}
	err := (Gateway{ISO8583: &ISO8583{}}).UseSecret(func(secret []byte) error {
		if secret != nil {
			t.Errorf("who has no secret has %d bytes", len(secret))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestDocumentedGateways: what docs/gateways.md has to copy is good as it stands.
func TestDocumentedGateways(t *testing.T) {
	doc, err := os.ReadFile("../../docs/gateways.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```toml\n[gateway.acme]")
	acme, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("there is no example")
	}
	c, err := Parse("/x/f.toml", []byte(withGateway("[gateway.acme]"+acme, `gateway = "acme"`)))
	if err != nil {
		t.Fatal(err)
	}
	sameAgain(t, c)
}

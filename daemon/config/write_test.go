package config

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// sameAgain parses what a configuration says of itself, and compares.
func sameAgain(t *testing.T, c *Config) (text string) {
	t.Helper()
	text = string(c.Text())
	again, err := Parse(c.file, []byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	was, is := *c, *again
	was.at, is.at, was.devices, was.strangers = nil, nil, nil, nil
	if !reflect.DeepEqual(was, is) {
		t.Errorf("got  %+v\nwant %+v\nfrom\n%s", is, was, text)
	}
	return text
}

// TestTextSaysAll: whatever the examples set, and every setting is in one, is in the text; and nothing that has its default but what decides.
func TestTextSaysAll(t *testing.T) {
	for _, file := range []string{"../../configs/example.toml", "../../configs/demo.toml", "../../packaging/first.toml"} {
		doc, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Parse("/etc/flattone/flattone.toml", doc)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(sameAgain(t, c)) {
			if strings.HasPrefix(line, "#") && len(line) > pageWidth+1 {
				t.Errorf("%s: a comment is wider than a terminal: %s", file, line)
			}
		}
	}
	c, err := Parse("/etc/flattone/flattone.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	var settings []string
	for line := range strings.Lines(sameAgain(t, c)) {
		if key, _, ok := strings.Cut(line, " = "); ok && line[0] != '#' {
			settings = append(settings, key)
		}
	}
	if got, want := strings.Join(settings, " "), "version key_file url secret_file name place profile caller_in agent_in agent_out caller_out fields"; got != want {
		t.Errorf("it sets %s, and not %s", got, want)
	}
}

// TestTextHasEveryKey: no setting is read that isn't written, whatever the examples make of it.
func TestTextHasEveryKey(t *testing.T) {
	doc, err := os.ReadFile("../../configs/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := parse("/etc/flattone/flattone.toml", doc)
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, file := range []string{"write.go", "write_line.go", "write_vault.go", "write_gateway.go", "write_upstream.go", "write_client.go"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	for kind, keys := range r.known {
		if kind == "roles" || strings.HasPrefix(kind, "gateway.template") { // are written as they are read, by their lists; the example has each
			continue
		}
		for _, key := range keys {
			header := regexp.MustCompile(`"\[+` + regexp.QuoteMeta(join(kind, key)) + `[].]`) // or that of a table below it
			if !strings.Contains(code.String(), `"`+key+`"`) && !header.MatchString(code.String()) {
				t.Errorf("%s is read, and never written", join(kind, key))
			}
		}
	}
}

// TestTextOfAnything: values that TOML writes in its own way, and what no example sets: everything that isn't the default at once.
func TestTextOfAnything(t *testing.T) {
	c, err := Parse("/etc/flattone/flattone.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	c.StateDir = filepath.Clean("/var/\"lib\"/\\x/<a&b>/\u00e9\u2028\x7f\t")
	c.Metrics.Listen, c.Syslog = "127.0.0.1:9469", Syslog{Address: "siem.example.com:6514", CAFile: "/ca.pem"}
	c.RecorderHook = &RecorderHook{Webhook: Webhook{URL: "https://r.example.com/p", SecretFile: "/s"}, TLS: TLS{CAFile: "/ca", CertFile: "/c", KeyFile: "/k"}, Timeout: 2 * time.Second, Required: true}
	c.Store = Store{Postgres: "host=db dbname=f user=u", Box: "b", PasswordFile: "/p", CAFile: "/ca", CertFile: "/c", KeyFile: "/k"}
	c.Audit = Audit{CheckpointEvery: time.Minute, CheckpointFile: "/mnt/kept", CheckpointWebhook: true}
	c.Daemon.LineBinary = "/usr/bin/flattone-line"
	c.Vault.KeyFile, c.Vault.Credential, c.Vault.DeskSide, c.Vault.Retention = "", "vault-key", true, 24*time.Hour
	c.Upstream[0].OwnTokens, c.Upstream[0].Envelope, c.Upstream[0].Webhook.OldSecretFile, c.Upstream[0].GiveUpAfter = true, EnvelopeCloudEvents, "/o", time.Hour
	bus := destinationDefaults("bus")
	bus.Kind, bus.TLS = KindJetStream, TLS{"/ca", "/c", "/k"}
	bus.JetStream = JetStream{URLs: []string{"tls://a:4222", "tls://b"}, Stream: "S", Subject: "cards.{type}", MakeStream: true, User: "u", PasswordFile: "/p"}
	c.Upstream = Upstream{bus, c.Upstream[0]}
	c.Gateways = map[string]Gateway{
		"a": {Stripe: &Stripe{URL: "https://api.example:8443", SecretFile: "/s", TLS: TLS{"/ca", "/c", "/k"}, Timeout: time.Second}},
		"b": {Currency: "JPY", ISO8583: &ISO8583{Address: "host:5000", Plain: true, Variant: BCD, TPDU: "6000030000", Acquirer: "1", Terminal: "T", Merchant: "000000000123456",
			MerchantCategory: "5969", Echo: 2 * time.Minute, Timeout: time.Minute}},
	}
	c.Clients = []Client{{"crm", "bus", "/crm", "/crm.old", ClientVerbs(), []string{"subscription", "support"}, 10, "b", 5000}}
	c.Roles.Technician = []string{} // nobody is meant
	p := c.Profiles["card"]
	p.Fields, p.Brands, p.TestCVVLength, p.Keep, p.Tenant = []Field{PAN, Expiry}, Brands()[:1], 12, KeepOnce, "shop"
	p.Gateway, p.Charge, p.Offline = "a", Authorise, ChargeLater
	c.Profiles["card"] = p
	c.Lines[0].WAV.Pace, c.Lines[0].EmergencyNumbers = 1e-7, []string{"17"}
	sameAgain(t, c)
	c.Vault.Export = []Recipient{{"later", "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq"}, {"newpsp", "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq"}}
	sameAgain(t, c)
	cards := c.Vault.Cards
	c.Vault = Vault{TPM: TPM{File: "/var/lib/flattone/root.tpm", Device: "/run/tpm.sock"}, Cards: cards}
	sameAgain(t, c)
	c.Vault = Vault{HSM: HSM{Module: "/usr/lib/hsm.so", Token: "a \"token\"", Key: "root", PINFile: "/etc/flattone/pin"}, Cards: cards}
	sameAgain(t, c)
}

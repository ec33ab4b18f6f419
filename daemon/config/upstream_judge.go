package config

import (
	"errors"

	"github.com/flattone/flattone/daemon/private"
)

func (j judgement) upstream() {
	for _, d := range j.c.Upstream {
		path := join("upstream", d.Name)
		t := j.table(path)
		j.name(j.table("upstream"), d.Name, d.Name)
		switch d.Kind {
		case KindWebhook:
			if t.has("url") && j.sound(path, "url") {
				if flaw, ok := errors.AsType[private.Flaw](CheckURL(d.Webhook.URL)); ok {
					t.fault("url", flaw.Reason, flaw.Remedy)
				}
			}
		case KindJetStream:
			j.jetStream(t, path, d.JetStream)
		}
		if j.sound(path, "first_retry_ms", "max_retry_s") && d.MaxRetry < d.FirstRetry {
			t.fault("max_retry_s", "is shorter than first_retry_ms", "make it longer: waits double from the first up to it")
		}
		if t.has("cert_file") != t.has("key_file") {
			t.need("cert_file", "name the certificate of key_file, or leave both out")
			t.need("key_file", "name the key of cert_file, or leave both out")
		}
	}
}

func (j judgement) jetStream(t *table, path string, n JetStream) {
	for _, c := range []struct {
		key string
		err error
	}{{"urls", CheckServers(n.URLs)}, {"stream", CheckStream(n.Stream)}, {"subject", CheckSubject(n.Subject)}} {
		flaw, bad := errors.AsType[private.Flaw](c.err)
		if !bad || !j.sound(path, c.key) {
			continue
		}
		if c.key == "urls" {
			delete(t.values, c.key) // a fault would repeat it, and there may be a password in it
		}
		t.fault(c.key, flaw.Reason, flaw.Remedy)
	}
	if t.has("creds_file") && t.has("nkey_file") {
		t.fault("nkey_file", "stands beside creds_file", "leave one of the two out")
	}
	if t.has("user") && (t.has("creds_file") || t.has("nkey_file")) {
		t.fault("user", "stands beside creds_file or nkey_file", "leave one of them out")
	}
	if t.has("user") != t.has("password_file") {
		t.need("user", "write whose password password_file has, or leave both out")
		t.need("password_file", "name a file with the user's password, or leave both out")
	}
}

// lookUpstream reports the files of destinations that flattoned would refuse, running as a user.
func (c *Config) lookUpstream(note func(key, path string, judge func(path string) error), user int) {
	for _, d := range c.Upstream {
		path := join("upstream", d.Name)
		secret := func(file string) error {
			_, err := readWebhookSecret(file, user)
			return err
		}
		closed := func(kind private.Kind) func(string) error {
			return func(file string) error { return readable(kind, file, user) }
		}
		note(join(path, "secret_file"), d.Webhook.SecretFile, secret)
		note(join(path, "old_secret_file"), d.Webhook.OldSecretFile, secret)
		note(join(path, "creds_file"), d.JetStream.CredsFile, closed(private.StreamKey))
		note(join(path, "nkey_file"), d.JetStream.NKeyFile, closed(private.StreamKey))
		note(join(path, "password_file"), d.JetStream.PasswordFile, closed(private.StreamKey))
		note(join(path, "ca_file"), d.TLS.CAFile, certificate)
		note(join(path, "cert_file"), d.TLS.CertFile, certificate)
		note(join(path, "key_file"), d.TLS.KeyFile, closed(private.GatewayKey))
	}
}

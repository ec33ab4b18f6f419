package config

import "time"

func (w *writer) upstream(all Upstream) {
	for _, d := range all {
		usual := destinationDefaults(d.Name)
		why := "Who is told of tokens. Each message is signed with the secret in the file, which the receiver has, too."
		if d.Kind == KindJetStream {
			why = "Who is told of tokens: a stream of NATS JetStream."
		}
		w.table("[upstream."+d.Name+"]", why)
		w.other("kind", d.Kind, usual.Kind)
		switch d.Kind {
		case KindWebhook:
			w.set("url", d.Webhook.URL)
			w.set("secret_file", d.Webhook.SecretFile)
			w.other("old_secret_file", d.Webhook.OldSecretFile, "")
		case KindJetStream:
			w.set("urls", d.JetStream.URLs)
			w.set("stream", d.JetStream.Stream)
			w.other("subject", d.JetStream.Subject, DefaultSubject)
			w.other("make_stream", d.JetStream.MakeStream, false)
			w.other("creds_file", d.JetStream.CredsFile, "")
			w.other("nkey_file", d.JetStream.NKeyFile, "")
			w.other("user", d.JetStream.User, "")
			w.other("password_file", d.JetStream.PasswordFile, "")
		}
		w.tls(d.TLS)
		w.time("timeout_s", time.Second, d.Timeout, usual.Timeout)
		w.time("first_retry_ms", time.Millisecond, d.FirstRetry, usual.FirstRetry)
		w.time("max_retry_s", time.Second, d.MaxRetry, usual.MaxRetry)
		w.time("give_up_after_h", time.Hour, d.GiveUpAfter, usual.GiveUpAfter)
		w.other("own_tokens", d.OwnTokens, usual.OwnTokens)
		w.other("number_tokens", d.NumberTokens, usual.NumberTokens)
		w.other("fingerprint", d.Fingerprint, usual.Fingerprint)
		w.other("states", d.States, usual.States)
		w.other("envelope", d.Envelope, usual.Envelope)
	}
}

func (w *writer) recorderHook(h RecorderHook) {
	w.table("[recorder_hook]", "A recorder in front of the box, which is told to pause while a card is taken. It hears the keys: move it behind the box if you can.")
	w.set("url", h.Webhook.URL)
	w.set("secret_file", h.Webhook.SecretFile)
	w.tls(h.TLS)
	w.time("timeout_ms", time.Millisecond, h.Timeout, usualHookTimeout)
	w.other("required", h.Required, false)
}

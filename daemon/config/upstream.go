package config

import "time"

// Upstream is who is told of tokens, by name; at least one.
type Upstream []Destination

// Destination is one who is told.
type Destination struct {
	// Name is part of status, metrics, the audit log and what the vault keeps for it.
	Name string
	Kind DestinationKind
	// OwnTokens has it told tokens that nobody else knows; NumberTokens, of a second form in digits; Fingerprint, of a keyed hash of the number.
	OwnTokens, NumberTokens, Fingerprint bool
	// States has it told how lines and captures go on, too, and not only what came of them.
	States   bool
	Envelope EnvelopeFormat
	// Timeout bounds one attempt.
	Timeout time.Duration
	// FirstRetry is the longest wait before the second attempt; it doubles from there up to MaxRetry. GiveUpAfter is when, since the first, an event is a dead letter.
	FirstRetry, MaxRetry, GiveUpAfter time.Duration
	TLS                               TLS
	Webhook                           Webhook   // of kind [KindWebhook]
	JetStream                         JetStream // of kind [KindJetStream]
}

// Webhook is one HTTP receiver of Standard Webhooks.
type Webhook struct {
	// URL is https, or http to this machine itself.
	URL string
	// SecretFile holds the signing secret, OldSecretFile one that it takes the place of: see [Webhook.Secrets].
	SecretFile, OldSecretFile string
}

// JetStream is a stream of NATS JetStream.
type JetStream struct {
	// URLs are servers of one cluster: tls://, or nats:// to this machine itself.
	URLs []string
	// Stream is its name, Subject what events are published under: see [CheckSubject].
	Stream, Subject string
	// MakeStream lets the box make the stream if there is none.
	MakeStream bool
	// CredsFile (a JWT and a key), NKeyFile (a key's seed) or User and PasswordFile are what the box signs in with; none: by certificate, or not at all.
	CredsFile, NKeyFile, User, PasswordFile string
}

// DestinationKind is how a destination is spoken to.
type DestinationKind string

// The kinds.
const (
	KindWebhook   DestinationKind = "webhook"
	KindJetStream DestinationKind = "jetstream"
)

// EnvelopeFormat is how an event is written.
type EnvelopeFormat string

// The formats.
const (
	EnvelopeStandard    EnvelopeFormat = "standard"    // as Standard Webhooks has it
	EnvelopeCloudEvents EnvelopeFormat = "cloudevents" // CloudEvents 1.0, in JSON
)

// destinationDefaults is a destination in which nothing has been written but its name.
func destinationDefaults(name string) Destination {
	return Destination{Name: name, Kind: KindWebhook, Envelope: EnvelopeStandard, Timeout: 10 * time.Second, FirstRetry: time.Second, MaxRetry: 5 * time.Minute,
		GiveUpAfter: 72 * time.Hour}
}

// upstream reads the [upstream.NAME] tables, in the order of their names.
func (t *table) upstream(all *Upstream) {
	names, tables := t.named("upstream")
	if len(names) == 0 && !t.broken {
		t.need("upstream", "write a table [upstream.webhook] with the url that is to receive tokens, and its secret_file")
	}
	for i, dt := range tables {
		d := destinationDefaults(names[i])
		choice(dt, "kind", &d.Kind, KindWebhook, KindJetStream)
		switch dt.kind += "." + string(d.Kind); d.Kind { // each has keys of its own
		case KindWebhook:
			dt.webhook(&d.Webhook)
		case KindJetStream:
			dt.jetStream(&d.JetStream)
		}
		dt.tls(&d.TLS)
		dt.period("timeout_s", &d.Timeout, time.Second, 1, 60)
		dt.period("first_retry_ms", &d.FirstRetry, time.Millisecond, 10, 60_000)
		dt.period("max_retry_s", &d.MaxRetry, time.Second, 1, 3600)
		dt.period("give_up_after_h", &d.GiveUpAfter, time.Hour, 1, 2160)
		dt.truth("own_tokens", &d.OwnTokens)
		dt.truth("number_tokens", &d.NumberTokens)
		dt.truth("fingerprint", &d.Fingerprint)
		dt.truth("states", &d.States)
		choice(dt, "envelope", &d.Envelope, EnvelopeStandard, EnvelopeCloudEvents)
		*all = append(*all, d)
	}
}

func (t *table) webhook(w *Webhook) {
	t.need("url", "write the https address that is to receive tokens")
	t.text("url", &w.URL)
	t.need("secret_file", "name a file with the receiver's whsec_... secret; flattone secret new FILE makes one")
	t.secretFile("secret_file", &w.SecretFile)
	t.secretFile("old_secret_file", &w.OldSecretFile)
}

func (t *table) jetStream(n *JetStream) {
	n.Subject = DefaultSubject
	t.need("urls", `write the servers of the cluster, such as ["tls://nats.example.com:4222"]`)
	if urls, ok := texts(t, "urls"); ok {
		n.URLs = urls
	}
	t.need("stream", "write the name of the stream")
	t.text("stream", &n.Stream)
	t.text("subject", &n.Subject)
	t.truth("make_stream", &n.MakeStream)
	t.secretFile("creds_file", &n.CredsFile)
	t.secretFile("nkey_file", &n.NKeyFile)
	t.text("user", &n.User)
	t.secretFile("password_file", &n.PasswordFile)
}

// DefaultSubject is what events are published under where nothing is written.
const DefaultSubject = "flattone.{box}.{type}"

// Files are those that hold a destination's secrets and certificates.
func (d Destination) Files() (all []string) {
	for _, f := range []string{d.Webhook.SecretFile, d.Webhook.OldSecretFile, d.JetStream.CredsFile, d.JetStream.NKeyFile, d.JetStream.PasswordFile, d.TLS.CAFile, d.TLS.CertFile, d.TLS.KeyFile} {
		if f != "" {
			all = append(all, f)
		}
	}
	return all
}

package jetstream

import (
	"bytes"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/flattone/flattone/daemon/upstream"
	"github.com/flattone/flattone/daemon/upstream/jetstream/natstest"
)

// Whatever is wrong at the other end is said with what to do about it, and the event waits, unless no stream there would ever take it.
func TestReasons(t *testing.T) {
	all := jetstream.StreamConfig{Name: "S", Subjects: []string{"flattone.>"}}
	with := func(change func(*jetstream.StreamConfig)) *jetstream.StreamConfig {
		c := all
		change(&c)
		return &c
	}
	big := event("evt_1", "k")
	big.Body = bytes.Repeat([]byte("x"), 2000)
	for name, c := range map[string]struct {
		server  func(*server.Options)
		stream  *jetstream.StreamConfig
		sender  func(*Config)
		event   upstream.Envelope
		outcome upstream.Outcome
		reason  string
	}{
		"no stream":                {reason: "no stream takes flattone.box1.card.captured: nats stream add S --subjects 'flattone.*.>' --storage file"},
		"no JetStream":             {server: func(o *server.Options) { o.JetStream = false }, reason: "no stream takes"},
		"stream of other subjects": {stream: with(func(c *jetstream.StreamConfig) { c.Subjects = []string{"other.>"} }), reason: "no stream takes"},
		"another stream":           {stream: with(func(c *jetstream.StreamConfig) { c.Name = "T" }), reason: "another stream takes the subject"},
		"full": {stream: with(func(c *jetstream.StreamConfig) { c.MaxBytes, c.Discard = 10, jetstream.DiscardNew }),
			reason: "the stream takes no more (maximum bytes exceeded): raise its limits (nats stream edit S)"},
		"sealed":                   {stream: &all, reason: "the stream doesn't take it: invalid operation on sealed stream"},
		"too large for the server": {server: func(o *server.Options) { o.MaxPayload = 1000 }, stream: &all, event: big, outcome: upstream.Refused, reason: "raise max_payload"},
		"too large for the stream": {stream: with(func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 }), event: big, outcome: upstream.Refused, reason: "raise its max_msg_size"},
		"somebody else's":          {stream: &all, sender: func(c *Config) { c.MakeStream = true }, reason: "that no flattone made"},
		"may not publish": {server: only(nil, []string{"_INBOX.>"}), reason: `lets the box do too little: nats: permissions violation: Permissions Violation for Publish to "flattone.box1.card.captured"`,
			sender: func(c *Config) { c.Timeout /= 50 }},
		"may not hear":         {server: only([]string{"flattone.>"}, nil), reason: `Permissions Violation for Subscription to "_INBOX.box1.`, sender: func(c *Config) { c.Timeout /= 50 }},
		"may do what it needs": {server: only([]string{"flattone.box1.>"}, []string{"_INBOX.box1.>"}), stream: &all, outcome: upstream.Delivered},
	} {
		t.Run(name, func(t *testing.T) {
			users := false
			n := natstest.New(t, func(o *server.Options) {
				if c.server != nil {
					c.server(o)
				}
				users = len(o.Users) > 0
			})
			if c.stream != nil {
				var as []nats.Option
				if users {
					as = append(as, asOwner)
				}
				streams := n.JetStream(as...)
				stream, err := streams.CreateStream(t.Context(), *c.stream)
				if err != nil {
					t.Fatal(err)
				}
				if name == "sealed" {
					seal := stream.CachedInfo().Config
					seal.Sealed = true
					if _, err := streams.UpdateStream(t.Context(), seal); err != nil {
						t.Fatal(err)
					}
				}
			}
			s := newSender(t, n, func(cfg *Config) {
				*cfg = cfg.withDefaults()
				if users {
					cfg.User, cfg.PasswordFile = "box", write(t, "password", "secret\n")
				}
				if c.sender != nil {
					c.sender(cfg)
				}
			})
			e := c.event
			if e.ID == "" {
				e = event("evt_1", "k")
			}
			until(t, s, e, c.outcome, c.reason)
		})
	}
}

// What a server says is a line, however it was said.
func TestSaid(t *testing.T) {
	if got := said("a\x1b[2J\n" + strings.Repeat("x", 1000)); len([]rune(got)) != longestSaid || strings.ContainsAny(got, "\x1b\n") {
		t.Errorf("got %q", got)
	}
}

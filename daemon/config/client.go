package config

import "slices"

// Client is a system of the owner's that may ask for things by the tokens that a destination is told.
type Client struct {
	// Name is part of the subject it asks on, of status and the audit log.
	Name string
	// Upstream names the destination of kind [KindJetStream] by whose connection it asks, and whose tokens it knows.
	Upstream string
	// SecretFile holds the secret by which requests and answers are signed, OldSecretFile one that it takes the place of: see [Client.Secrets].
	SecretFile, OldSecretFile string
	// May is what it may ask, Purposes what for, PerHour how often; none is empty.
	May      []ClientVerb
	Purposes []string
	PerHour  int
	// Gateway names the provider of the payments that it may make, and of those that it may do something with; MostMinor is how much at a time, in the minor unit
	// of that one's currency. Both are there where May has a verb that needs them.
	Gateway   string
	MostMinor int
}

// ClientVerb is something that a client asks.
type ClientVerb string

// The verbs.
const (
	ClientLookup  ClientVerb = "lookup"
	ClientDelete  ClientVerb = "delete"
	ClientCharge  ClientVerb = "charge"
	ClientCapture ClientVerb = "capture"
	ClientVoid    ClientVerb = "void"
	ClientRefund  ClientVerb = "refund"
	ClientPayment ClientVerb = "payment"
)

// ClientVerbs are all there are.
func ClientVerbs() []ClientVerb {
	return []ClientVerb{ClientLookup, ClientDelete, ClientCharge, ClientCapture, ClientVoid, ClientRefund, ClientPayment}
}

// pays reports that a verb is about a gateway's payments, and moves reports that it names an amount.
func (v ClientVerb) pays() bool { return v != ClientLookup && v != ClientDelete }
func (v ClientVerb) moves() bool {
	return v == ClientCharge || v == ClientCapture || v == ClientRefund
}

// clientDefaults is a client in which nothing has been written but its name.
func clientDefaults(name string) Client { return Client{Name: name, PerHour: 600} }

// clients reads the [client.NAME] tables, in the order of their names.
func (t *table) clients(all *[]Client) {
	names, tables := t.named("client")
	for i, ct := range tables {
		c := clientDefaults(names[i])
		ct.need("upstream", `write the NAME of an [upstream.NAME] table of kind "jetstream": by its connection the client asks, and its tokens are what it knows`)
		ct.text("upstream", &c.Upstream)
		ct.need("secret_file", "name a file with the client's whsec_... secret, which nobody else has; flattone secret new FILE makes one")
		ct.secretFile("secret_file", &c.SecretFile)
		ct.secretFile("old_secret_file", &c.OldSecretFile)
		ct.need("may", `write what it may ask, such as ["lookup"]`)
		choices(ct, "may", &c.May, ClientVerbs())
		ct.need("purposes", `write what for, such as ["subscription"]: each request says one of them`)
		if list, ok := texts(ct, "purposes"); ok {
			c.Purposes = list
		}
		ct.whole("per_hour", &c.PerHour, 1, 100_000)
		ct.text("gateway", &c.Gateway)
		ct.whole("most_minor", &c.MostMinor, 1, 999_999_999_999)
		*all = append(*all, c)
	}
}

func (j judgement) clients() {
	whose := map[string]string{}
	for _, d := range j.c.Upstream {
		for _, file := range d.Files() {
			whose[file] = join("upstream", d.Name)
		}
	}
	for _, c := range j.c.Clients {
		path := join("client", c.Name)
		t := j.table(path)
		j.name(j.table("client"), c.Name, c.Name)
		for _, file := range []struct{ key, path string }{{"secret_file", c.SecretFile}, {"old_secret_file", c.OldSecretFile}} {
			if of, taken := whose[file.path]; taken && j.sound(path, file.key) {
				t.fault(file.key, "is "+of+"'s, too", "give each a secret of its own: who has it speaks for whoever else has it")
			} else if file.path != "" {
				whose[file.path] = path
			}
		}
		i := slices.IndexFunc(j.c.Upstream, func(d Destination) bool { return d.Name == c.Upstream })
		switch {
		case !t.has("upstream") || !j.sound(path, "upstream") || !j.sound("", "upstream"):
		case i < 0:
			t.fault("upstream", "is not a destination of this file", "write an [upstream.NAME] table of that name, or name one that there is")
		case j.c.Upstream[i].Kind != KindJetStream && j.sound(join("upstream", c.Upstream), "kind"):
			t.fault("upstream", "is a webhook, by which nobody can ask", `name a destination of kind "jetstream"`)
		}
		if slices.ContainsFunc(c.May, ClientVerb.pays) {
			t.need("gateway", "name the [gateway.NAME] by which it may charge cards, or whose payments it may do something with")
		}
		if slices.ContainsFunc(c.May, ClientVerb.moves) {
			t.need("most_minor", "write the most that it may move at a time, in the currency's minor unit: 5000 is 50.00 EUR")
		}
		g, exists := j.c.Gateways[c.Gateway]
		switch {
		case !t.has("gateway") || !j.sound(path, "gateway") || !j.sound("", "gateway"):
		case !exists:
			t.fault("gateway", "is not a gateway of this file", "write a [gateway.NAME] table of that name, or name one that there is")
		case g.Currency == "" && slices.ContainsFunc(c.May, ClientVerb.moves) && j.sound(join("gateway", c.Gateway), "currency"):
			t.fault("gateway", "has no currency, and most_minor would be any money", "write currency in "+join("gateway", c.Gateway))
		}
		for k, purpose := range c.Purposes {
			if remedy := nameFlaw(purpose); remedy != "" {
				t.fault("purposes", "has "+show(purpose)+", which can't be used as a name", remedy)
				break
			}
			if slices.Contains(c.Purposes[:k], purpose) {
				t.fault("purposes", "has "+show(purpose)+" twice", "write it once")
				break
			}
		}
	}
}

// Secrets reads the secrets, the newer one first, as [Webhook.Secrets] does.
func (c Client) Secrets() ([]string, error) { return secrets(c.SecretFile, c.OldSecretFile) }

// lookClients reports the files of clients that flattoned would refuse, running as a user.
func (c *Config) lookClients(note func(key, path string, judge func(path string) error), user int) {
	secret := func(file string) error {
		_, err := readWebhookSecret(file, user)
		return err
	}
	for _, one := range c.Clients {
		path := join("client", one.Name)
		note(join(path, "secret_file"), one.SecretFile, secret)
		note(join(path, "old_secret_file"), one.OldSecretFile, secret)
	}
}

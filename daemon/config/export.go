package config

import (
	"errors"
	"fmt"

	"github.com/flattone/flattone/daemon/export/recipient"
	"github.com/flattone/flattone/daemon/private"
)

// Recipient is who cards may be exported to, if custodians agree: another provider.
type Recipient struct {
	Name string
	// Key is the public key that they are sealed for, as age has it: see package recipient.
	Key string
}

// recipients reads the [vault.export.NAME] tables, in the order of their names.
func (t *table) recipients(list *[]Recipient) {
	names, tables := t.named("export")
	for i, et := range tables {
		r := Recipient{Name: names[i]}
		et.need("recipient", `write the provider's public key, which age-keygen -y prints: "age1pq1..." or "age1..."`)
		et.text("recipient", &r.Key)
		et.public("recipient", r.Key)
		*list = append(*list, r)
	}
}

func (j judgement) recipients() {
	for _, r := range j.c.Vault.Export {
		j.name(j.table("vault.export"), r.Name, r.Name)
	}
}

// public judges a public key. A fault doesn't repeat it: what stands there may be a private one.
func (t *table) public(key, text string) {
	_, is := t.values[key].(string) // else that is its fault
	_, err := recipient.Parse(text)
	if flaw, ok := errors.AsType[private.Flaw](err); ok && is {
		delete(t.values, key)
		t.fault(key, flaw.Reason, flaw.Remedy)
	}
}

// consequence says what a recipient means to the owner.
func (r Recipient) consequence() string {
	to, err := recipient.Parse(r.Key)
	if err != nil {
		return "" // which is a fault
	}
	text := fmt.Sprintf("vault.export.%s.recipient: once enough custodians agree, all cards may leave for whoever has the private key of %s. Compare these digits with the provider, "+
		"by another way than the key came.", r.Name, to.Fingerprint())
	if !to.PostQuantum() {
		text += " Who keeps a copy of the file until there are quantum computers reads it then: better have a key that begins with age1pq1."
	}
	return text
}

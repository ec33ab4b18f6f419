package config

import (
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/export/recipient"
)

// TestRecipientsAreToldOf: who reviews the configuration reads for whom all cards may leave, and what to compare.
func TestRecipientsAreToldOf(t *testing.T) {
	const key = "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
	doc := strings.Replace(small, "[upstream", "[vault.export.newpsp]\nrecipient = \""+key+"\"\n[upstream", 1)
	c, err := Parse("/etc/flattone/flattone.toml", []byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Vault.Export; len(got) != 1 || got[0] != (Recipient{"newpsp", key}) {
		t.Errorf("read are %v", got)
	}
	r, err := recipient.Parse(key)
	if err != nil {
		t.Fatal(err)
	}
	told := strings.Join(c.Consequences(), "\n")
	for _, want := range []string{"vault.export.newpsp.recipient: once enough custodians agree", r.Fingerprint(), "quantum"} {
		if !strings.Contains(told, want) {
			t.Errorf("not told is %s: %s", want, told)
		}
	}
	without, err := Parse("/etc/flattone/flattone.toml", []byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if c.BoxSettings() == without.BoxSettings() {
		t.Error("another recipient takes no start of flattoned")
	}
}

package config

// DeskClient is a program of the owner's that asks the desk's API for what agents do at the panel: a CRM, a contact-centre platform.
type DeskClient struct {
	Name string
	// SecretFile holds what it proves itself by, OldSecretFile one that it takes the place of: see [DeskClient.Secrets].
	SecretFile, OldSecretFile string
	// Lines are those that it may use; none: all.
	Lines []string
}

// deskClients reads the [client.NAME] tables, in the order of their names.
func (t *table) deskClients(all *[]DeskClient) {
	names, tables := t.named("client")
	for i, ct := range tables {
		c := DeskClient{Name: names[i]}
		if remedy := nameFlaw(c.Name); remedy != "" {
			(&table{r: t.r, path: "client"}).fault(c.Name, "can't be used as a name", remedy)
		}
		ct.need("secret_file", "name a file with the client's whsec_... secret, which nobody else has; flattone secret new FILE makes one")
		ct.secretFile("secret_file", &c.SecretFile)
		ct.secretFile("old_secret_file", &c.OldSecretFile)
		if list, ok := texts(ct, "lines"); ok {
			c.Lines = list
		}
		*all = append(*all, c)
	}
}

// Secrets reads the secrets, the newer one first, as [Webhook.Secrets] does.
func (c DeskClient) Secrets() ([]string, error) { return secrets(c.SecretFile, c.OldSecretFile) }

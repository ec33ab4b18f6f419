package config

func (w *writer) clients(all []Client) {
	for _, c := range all {
		usual := clientDefaults(c.Name)
		w.table("[client."+c.Name+"]", "A system that may ask for things by the tokens that it is told.")
		w.set("upstream", c.Upstream)
		w.set("secret_file", c.SecretFile)
		w.other("old_secret_file", c.OldSecretFile, usual.OldSecretFile)
		w.set("may", c.May)
		w.set("purposes", c.Purposes)
		w.other("gateway", c.Gateway, usual.Gateway)
		w.other("most_minor", c.MostMinor, usual.MostMinor)
		w.other("per_hour", c.PerHour, usual.PerHour)
	}
}

package config

import "time"

func (w *writer) vault(v, usual Vault) {
	asTable := v.TPM.File != "" || v.HSM.Module != ""
	if asTable && v.Cards != usual.Cards {
		w.table("[vault]", "")
		w.cards(v.Cards, usual.Cards)
	}
	switch {
	case v.Custodians:
		w.table("[vault]", "The key that seals the cards is kept by people: k of n custodians unlock the vault after each start.")
		w.set("custodians", true)
	case v.Credential != "":
		w.table("[vault]", "The key that seals the cards is systemd's to hand over. A vault has one key for good: another one opens nothing in it.")
		w.set("credential", v.Credential)
	case v.TPM.File != "":
		w.table("[vault.tpm]", "The key that seals the cards is this machine's TPM's to unseal, as long as the machine boots as it did when it was sealed.")
		w.set("file", v.TPM.File)
		w.other("device", v.TPM.Device, tpmDevice)
	case v.HSM.Module != "":
		w.table("[vault.hsm]", "The key that seals the cards stays in an HSM.")
		w.set("module", v.HSM.Module)
		w.set("token", v.HSM.Token)
		w.set("key", v.HSM.Key)
		w.set("pin_file", v.HSM.PINFile)
	default:
		w.table("[vault]", "For demonstration only: whoever copies this file together with the state folder has every card.")
		w.set("key_file", v.KeyFile)
	}
	if !asTable {
		w.cards(v.Cards, usual.Cards)
	}
	for _, r := range v.Export {
		w.table("[vault.export."+r.Name+"]", "Who cards may leave for, once enough custodians agree.")
		w.set("recipient", r.Key)
	}
}

func (w *writer) cards(c, usual Cards) {
	w.time("retention_days", 24*time.Hour, c.Retention, usual.Retention)
	w.time("once_hours", time.Hour, c.OnceTTL, usual.OnceTTL)
	w.other("desk_side", c.DeskSide, usual.DeskSide)
	w.time("rotate_after_days", 24*time.Hour, c.RotateAfter, usual.RotateAfter)
	w.other("rotate_records", c.RotateRecords, usual.RotateRecords)
}

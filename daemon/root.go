package daemon

import (
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/hsm"
	"github.com/flattone/flattone/daemon/keys/tpm"
)

// openRoot opens what the vault's keys hang on, from where the config has it. Close it at the end.
func openRoot(v config.Vault) (keys.Root, error) {
	switch {
	case v.Credential != "":
		return keys.OpenCredential(v.Credential)
	case v.TPM.File != "":
		return tpm.Open(v.TPM.Device, v.TPM.File)
	case v.HSM.Module != "":
		return hsm.Open(hsm.Config(v.HSM))
	}
	return keys.OpenFile(v.KeyFile)
}

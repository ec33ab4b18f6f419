package vault

import (
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
)

// Sealing is what a credential of systemd's is sealed with.
type Sealing string

// What there is, as far as anybody can tell: SealedByTPM is by a TPM, whether or not the host's key is needed as well.
const (
	SealedByTPM  Sealing = "tpm"
	SealedByHost Sealing = "host"
	SealedBy     Sealing = "" // not known
)

// sealings are the first bytes of sealed credentials, in base64: 128 bits for each way to seal, of which these are whole groups of three bytes
// (systemd, src/shared/creds-util.h).
var sealings = map[string]Sealing{
	"Whxqht+dQJax1aZeCGLx": SealedByHost,
	"DHzAexF2RZGcSwvqCLwg": SealedByTPM, // alone
	"+vfrk0HjQSyhpDb5Wik2": SealedByTPM, // with a signed policy
	"k6iUCUh0RJCQyvL8k8q1": SealedByTPM, // and the host's key
	"r0lQqEkTTrGnOEYwT/MM": SealedByTPM, // both
}

// Sealed says what the credential of that name is sealed with. systemd hands over what lies on the disk as well, under the same name and ".sealed"; what is
// there tells nothing to whoever has neither TPM nor host's key.
func Sealed(name string) Sealing {
	f, err := os.Open(filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), name+".sealed"))
	if err != nil {
		return SealedBy
	}
	defer f.Close()
	kind := make([]byte, base64.StdEncoding.EncodedLen(15))
	if _, err := io.ReadFull(f, kind); err != nil {
		return SealedBy
	}
	return sealings[string(kind)]
}

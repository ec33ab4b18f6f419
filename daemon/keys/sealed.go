package keys

import (
	"encoding/base64"
	"io"
	"os"
	"path/filepath"
)

// sealings are the first bytes of sealed credentials, in base64: 128 bits for each way to seal, of which these are whole groups of three bytes
// (systemd, src/shared/creds-util.h).
var sealings = map[string]Kind{
	"Whxqht+dQJax1aZeCGLx": Host,
	"DHzAexF2RZGcSwvqCLwg": TPM, // alone
	"+vfrk0HjQSyhpDb5Wik2": TPM, // with a signed policy
	"k6iUCUh0RJCQyvL8k8q1": TPM, // and the host's key
	"r0lQqEkTTrGnOEYwT/MM": TPM, // both
}

// sealing says what a credential is sealed with. systemd hands over what lies on the disk as well, under the same name and ".sealed"; what is there tells
// nothing to whoever has neither TPM nor host's key.
func sealing(dir, name string) Kind {
	f, err := os.Open(filepath.Join(dir, name+".sealed"))
	if err != nil {
		return Credential
	}
	defer f.Close()
	kind := make([]byte, base64.StdEncoding.EncodedLen(15))
	if _, err := io.ReadFull(f, kind); err != nil || sealings[string(kind)] == "" {
		return Credential
	}
	return sealings[string(kind)]
}

package tpm

import (
	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/keys"
)

// sessionNonce is the length of a session's nonces, in bytes: the hash's, half of which would do.
const sessionNonce = 32

// encrypted has a session encrypt what goes in, or comes out, as the way says, under a secret that only the TPM of that storage root key can read.
func encrypted(srk *tpm2.CreatePrimaryResponse, way tpm2.AuthOption) []tpm2.AuthOption {
	public, _ := srk.OutPublic.Contents() // storageRoot has read it
	return []tpm2.AuthOption{way, tpm2.Salted(srk.ObjectHandle, *public)}
}

// policySession is a session that shows the TPM its own registers.
func policySession(srk *tpm2.CreatePrimaryResponse, pcrs []uint) tpm2.Session {
	return tpm2.Policy(tpm2.TPMAlgSHA256, sessionNonce, func(t transport.TPM, session tpm2.TPMISHPolicy, _ tpm2.TPM2BNonce) error {
		_, err := tpm2.PolicyPCR{PolicySession: session, Pcrs: selection(pcrs)}.Execute(t)
		return err
	}, encrypted(srk, tpm2.AESEncryption(128, tpm2.EncryptOut))...)
}

// carrier is a session that moves a key between locked memory and what is encrypted in place: go-tpm copies what it sends and gets about the heap, and what
// it copies there is zeros.
type carrier struct {
	tpm2.Session
	src     *keys.Key // the key to send; nil: none
	dst     []byte    // where one that comes belongs
	carried bool
}

// Encrypt is given a TPM2B_SENSITIVE_CREATE's content, which ends with the zeros that stand for the key (TPM 2.0 Library, part 2, 11.1.15).
func (c *carrier) Encrypt(parameter []byte) error {
	if c.src == nil {
		return c.Session.Encrypt(parameter)
	}
	return c.src.Use(func(key []byte) error {
		locked.Copy(parameter[len(parameter)-keys.Size:], key)
		return c.Session.Encrypt(parameter)
	})
}

// Decrypt is given a TPM2B_SENSITIVE_DATA's content: the key, or what wasn't made by this package.
func (c *carrier) Decrypt(parameter []byte) error {
	err := c.Session.Decrypt(parameter)
	if c.dst == nil || err != nil {
		return err
	}
	if c.carried = len(parameter) == len(c.dst); c.carried {
		locked.Copy(c.dst, parameter)
	}
	clear(parameter)
	return nil
}

// Package tpm is a root in this machine's TPM 2.0: 32 random bytes that were sealed under the TPM's storage root key, for as long as the registers (PCRs)
// that say what was booted are what they were.
//
//	New:   random key ──sealed, with the registers' values as policy──▶ file
//	Open:  file ──unsealed by this TPM, if the registers still are so──▶ locked memory
//
// It exists for machines whose systemd doesn't unseal the key itself: where it can (systemd-creds --with-key=host+tpm2), flattoned needs no TPM. It promises
// that a copied disk doesn't hold the key, that no wire between processor and TPM carries it in clear, and that whoever stands in that wire and poses as the
// TPM is told nothing: the key's session is salted to the very TPM that the file names. It must never keep the key outside of locked memory, nor go on
// without the TPM.
package tpm

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/private"
)

// Device is where Linux has the TPM, with the kernel managing what is in it.
const Device = "/dev/tpmrm0"

// SecureBoot is the register that [New] binds to if nothing else is asked: which keys the firmware lets boot (TCG PC Client Platform Firmware Profile, 2.3.4).
const SecureBoot = 7

// New makes a random key, sealed to the TPM of a device and to what its registers are now, and writes it to a new file.
func New(device, path string, pcrs []uint) error {
	t, err := connect(device)
	if err != nil {
		return err
	}
	defer t.Close()
	f, err := seal(t, slices.Compact(slices.Sorted(slices.Values(pcrs))))
	if err != nil {
		return fmt.Errorf("keys: seal a key to the TPM: %w", err)
	}
	return private.Create(path, f.encode())
}

// Open is the root that the file holds. What the TPM has against it is one of this package's errors.
func Open(device, path string) (keys.Root, error) {
	f, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("keys: key sealed to the TPM: %w", err)
	}
	t, err := connect(device)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	key, err := unseal(t, f)
	if err != nil {
		return nil, fmt.Errorf("keys: unseal %s: %w", path, err)
	}
	return keys.Held(keys.TPM, key), nil
}

// seal has the TPM seal a random key. Nobody keeps it.
func seal(t transport.TPM, pcrs []uint) (*file, error) {
	now, err := registers(t, pcrs)
	if err != nil {
		return nil, err
	}
	srk, flush, err := storageRoot(t)
	if err != nil {
		return nil, err
	}
	defer flush()
	key, err := keys.Random()
	if err != nil {
		return nil, err
	}
	defer key.Destroy()
	carrier := &carrier{Session: tpm2.HMAC(tpm2.TPMAlgSHA256, sessionNonce, encrypted(srk, tpm2.AESEncryption(128, tpm2.EncryptIn))...), src: key}
	made, err := tpm2.Create{
		ParentHandle: tpm2.AuthHandle{Handle: srk.ObjectHandle, Name: srk.Name, Auth: carrier},
		InSensitive: tpm2.TPM2BSensitiveCreate{Sensitive: &tpm2.TPMSSensitiveCreate{
			Data: tpm2.NewTPMUSensitiveCreate(&tpm2.TPM2BSensitiveData{Buffer: make([]byte, keys.Size)}), // carrier puts the key there
		}},
		InPublic: tpm2.New2B(tpm2.TPMTPublic{
			Type: tpm2.TPMAlgKeyedHash, NameAlg: tpm2.TPMAlgSHA256,
			// By policy alone: it has no password, so wrong ones lock nothing.
			ObjectAttributes: tpm2.TPMAObject{FixedTPM: true, FixedParent: true, NoDA: true},
			AuthPolicy:       tpm2.TPM2BDigest{Buffer: policy(pcrs, now)},
		}),
	}.Execute(t)
	if err != nil {
		return nil, say(err)
	}
	return &file{Parent: srk.Name.Buffer, PCRs: now, Public: made.OutPublic.Bytes(), Private: made.OutPrivate.Buffer}, nil
}

// unseal has the TPM unseal the key of a file.
func unseal(t transport.TPM, f *file) (*keys.Key, error) {
	srk, flush, err := storageRoot(t)
	if err != nil {
		return nil, err
	}
	defer flush()
	if !slices.Equal(srk.Name.Buffer, f.Parent) {
		return nil, ErrAnotherTPM
	}
	public := tpm2.BytesAs2B[tpm2.TPMTPublic](f.Public)
	if object, err := public.Contents(); err != nil || !bytes.Equal(object.AuthPolicy.Buffer, policy(f.pcrs(), f.PCRs)) {
		return nil, ErrDamaged
	}
	sealed, err := tpm2.Load{
		ParentHandle: tpm2.AuthHandle{Handle: srk.ObjectHandle, Name: srk.Name, Auth: tpm2.PasswordAuth(nil)},
		InPublic:     public, InPrivate: tpm2.TPM2BPrivate{Buffer: f.Private},
	}.Execute(t)
	if _, parameter := errors.AsType[tpm2.TPMFmt1Error](err); parameter {
		return nil, fmt.Errorf("%w (%v)", ErrDamaged, err) // all that it was given is from the file
	}
	if err != nil {
		return nil, say(err)
	}
	defer tpm2.FlushContext{FlushHandle: sealed.ObjectHandle}.Execute(t)
	return keys.NewKey(func(dst []byte) error {
		carrier := &carrier{Session: policySession(srk, f.pcrs()), dst: dst}
		_, err := tpm2.Unseal{ItemHandle: tpm2.AuthHandle{Handle: sealed.ObjectHandle, Name: sealed.Name, Auth: carrier}}.Execute(t)
		switch {
		case err != nil:
			return f.changed(t, say(err))
		case !carrier.carried:
			return ErrDamaged // the TPM answered, and with something else than a key
		}
		return nil
	})
}

// storageRoot has the TPM make its storage root key of P-256, which is the same at every time (TCG TPM v2.0 Provisioning Guidance, 7.5.1). Its name is
// computed here, from the key that sessions are salted to: whoever poses as the TPM can't have this one's name without its key.
func storageRoot(t transport.TPM) (srk *tpm2.CreatePrimaryResponse, flush func(), err error) {
	srk, err = tpm2.CreatePrimary{PrimaryHandle: tpm2.TPMRHOwner, InPublic: tpm2.New2B(tpm2.ECCSRKTemplate)}.Execute(t)
	if err != nil {
		return nil, nil, say(err)
	}
	flush = func() { tpm2.FlushContext{FlushHandle: srk.ObjectHandle}.Execute(t) }
	public, err := srk.OutPublic.Contents()
	if err == nil {
		var name *tpm2.TPM2BName
		if name, err = tpm2.ObjectName(public); err == nil {
			srk.Name = *name
			return srk, flush, nil
		}
	}
	flush()
	return nil, nil, err
}

// policy is what a session must have been shown: that the registers hold what they did (TPM 2.0 Library, part 3, 23.7).
func policy(pcrs []uint, values map[uint][]byte) []byte {
	all := sha256.New()
	for _, pcr := range pcrs {
		all.Write(values[pcr])
	}
	calculator, err := tpm2.NewPolicyCalculator(tpm2.TPMAlgSHA256)
	if err == nil {
		err = tpm2.PolicyPCR{PcrDigest: tpm2.TPM2BDigest{Buffer: all.Sum(nil)}, Pcrs: selection(pcrs)}.Update(calculator)
	}
	if err != nil {
		panic(err) // of SHA-256 and nothing that anybody has said
	}
	return calculator.Hash().Digest
}

package tpm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"
	"github.com/google/go-tpm/tpm2/transport/linuxtpm"
	"github.com/google/go-tpm/tpm2/transport/linuxudstpm"
)

// What stands between the file and its key.
var (
	// ErrNoTPM: this process reaches none.
	ErrNoTPM = errors.New("there is no TPM here for flattoned: switch it on in the firmware's set-up, and let flattoned at it (docs/keys.md has the drop-in)")
	// ErrAnotherTPM: the file was sealed elsewhere, or this one's owner seed was changed (TPM2_Clear).
	ErrAnotherTPM = errors.New("this is not the TPM that sealed the key, or it was cleared since: have the vault opened by its custodians, or put the disk back into its machine")
	// ErrChanged: what was booted isn't what it was.
	ErrChanged = errors.New("the machine didn't boot as it did when the key was sealed. If nobody changed firmware, secure boot or boot loader, somebody else did: " +
		"look into it first. If it was meant, change it back, or have the vault opened by its custodians and seal a new key")
	// ErrDamaged: the file isn't as it was written.
	ErrDamaged = errors.New("the file was damaged or changed: restore it from a backup of this machine")
	// ErrLockedOut: wrong passwords were tried on the TPM.
	ErrLockedOut = errors.New("the TPM is locked, because of wrong passwords for something in it: wait as long as it says (tpm2_getcap properties-variable), or tpm2_dictionarylockout --clear-lockout")
	// ErrOwned: the storage root key can't be made without a password.
	ErrOwned = errors.New("the TPM's owner hierarchy has a password, and flattoned can't know it: take it away (tpm2_changeauth -c owner -p PASSWORD), or use a credential that systemd unseals")
)

// answers are what a TPM may answer, and what it means here.
var answers = []struct {
	rc   tpm2.TPMRC
	says error
}{
	{tpm2.TPMRCPolicyFail, ErrChanged},
	{tpm2.TPMRCLockout, ErrLockedOut},
	{tpm2.TPMRCBadAuth, ErrOwned},
	{tpm2.TPMRCAuthFail, ErrOwned},
}

// say puts what a TPM answered in words that lead somewhere.
func say(err error) error {
	for _, a := range answers {
		if errors.Is(err, a.rc) {
			return fmt.Errorf("%w (%v)", a.says, err)
		}
	}
	return err
}

// connect opens a device, or the socket of a TPM in software.
func connect(device string) (transport.TPMCloser, error) {
	info, err := os.Stat(device)
	var t transport.TPMCloser
	switch {
	case err != nil:
	case info.Mode()&fs.ModeSocket != 0:
		t, err = linuxudstpm.Open(device)
	default:
		t, err = linuxtpm.Open(device)
	}
	if err != nil {
		return nil, fmt.Errorf("keys: %w (%v)", ErrNoTPM, err)
	}
	return t, nil
}

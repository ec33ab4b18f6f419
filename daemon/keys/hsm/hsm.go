// Package hsm is a root in a hardware security module, by PKCS#11: an AES-256 key that was made in a token and never leaves it. What hangs on the root is
// sealed and opened in there, by AES-GCM.
//
// It exists for those who have an HSM already, and keep their keys nowhere else. Its modules are C, and everything else of flattoned is not: so only a
// flattoned that was built with the tag pkcs11 has it (make hsm), and another says so. It promises that a key which could be taken out of its token is
// refused, and that the PIN lies in locked memory alone as far as Go goes. It must never make, change or delete anything in a token.
//
// What a module does with what it is handed is its own: PIN and KEK pass through its memory, which is the C library's, and through what crypto11 calls it by.
package hsm

import "errors"

// Config names a key in a token.
type Config struct {
	// Module is the file of the PKCS#11 module that the HSM's vendor has.
	Module string
	// Token and Key are labels.
	Token, Key string
	// PINFile holds the PIN of the token's user, a [private.PIN].
	PINFile string
}

// What stands between a token and its key.
var (
	// ErrNotBuilt: this flattoned knows no HSM.
	ErrNotBuilt = errors.New("this flattoned was built without HSMs, and [vault.hsm] is in the config: build one with -tags pkcs11 (docs/keys.md), or take another root")
	// ErrModule: the module can't be used.
	ErrModule = errors.New("the module doesn't load: vault.hsm.module names the file of the HSM's PKCS#11 module; look whether flattoned may read it")
	// ErrNoToken: the module knows none of that label.
	ErrNoToken = errors.New("the module has no token of this label: look at what pkcs11-tool --list-slots shows, and whether the HSM is plugged in and reached")
	// ErrPIN: the token refused the PIN.
	ErrPIN = errors.New("the token refuses the PIN: put the right one into vault.hsm.pin_file before the token locks itself; flattoned started again is another try")
	// ErrLocked: the PIN was wrong too often.
	ErrLocked = errors.New("the token has locked its PIN after wrong ones: its security officer can set another")
	// ErrNoKey: the token has no such key.
	ErrNoKey = errors.New("the token has no AES-256 key of this label, or more than one: make one with pkcs11-tool --keygen --key-type AES:32 --sensitive")
	// ErrLoose: the key isn't the token's alone.
	ErrLoose = errors.New("the key can be taken out of its token: make another one, sensitive and not extractable, and have the vault go over to it")
	// ErrGone: a token that was there no longer answers.
	ErrGone = errors.New("the token no longer answers: plug it in or reach it again, and start flattoned again")
)

package keys

import "fmt"

// Kind says where a root is kept.
type Kind string

// The kinds of roots.
const (
	File       Kind = "file"       // a key file
	Host       Kind = "host"       // a credential of systemd's, sealed with the host's key: that lies on the same disk
	TPM        Kind = "tpm"        // a credential of systemd's sealed to the TPM, or a TPM asked directly
	Credential Kind = "credential" // a credential of systemd's, and how it is sealed can't be told
	HSM        Kind = "hsm"        // PKCS#11
	Custodians Kind = "custodians" // k of n people
)

// OffDisk reports that a copy of the machine's disks doesn't have such a root. What can't be told is taken for no.
func (k Kind) OffDisk() bool { return k == TPM || k == HSM || k == Custodians }

// Root seals keys where, at best, a copied disk doesn't reach. Each implementation passes the contract in keystest. Safe for concurrent use.
type Root interface {
	Kind() Kind
	// Seal seals [Size] bytes, bound to aad.
	Seal(plaintext, aad []byte) (box []byte, err error)
	// Open opens such a box into dst, [Size] bytes of locked memory. A box of another root, or for another aad, is an error.
	Open(dst, box, aad []byte) error
	// Close gives up what the root holds in memory.
	Close() error
}

// Held is a root whose key was handed over, and is held in locked memory until it is closed. The key is the root's from then on.
func Held(kind Kind, key *Key) Root { return held{key, kind} }

type held struct {
	*Key
	kind Kind
}

func (h held) Kind() Kind { return h.kind }

func (h held) Close() error {
	h.Destroy()
	return nil
}

// Format prints what it is.
func (h held) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "[root of kind %s]", string(h.kind)) }

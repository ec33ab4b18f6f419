// Package recipient is who alone can open what is exported: the public half of a key of age's (age-encryption.org/v1), as the configuration has it.
//
// It exists so that what `flattone check` calls a recipient is what flattoned seals for, and what custodians read of one is what its owner can read off his own key. It promises that
// a text with a slip in it, a point of the curve that gives its secret away, and a private key are refused; the latter is never repeated. It must not take anything that a passphrase
// or a key on the box opens.
package recipient

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/private"
)

// Recipient is a public key: X25519, or ML-KEM-768 with X25519, which quantum computers don't open either.
type Recipient struct {
	age.Recipient
	text string
}

// Parse reads a recipient as age-keygen prints it. What is none is a [private.Flaw] without its text.
func Parse(text string) (r Recipient, err error) {
	switch lower := strings.ToLower(text); {
	case strings.HasPrefix(lower, "age-secret-key-"):
		return r, private.Flaw{Reason: "is a private key", Remedy: "have the recipient make another one, for others may know this one by now, and write what age-keygen -y prints of it"}
	case strings.HasPrefix(lower, "ssh-"):
		return r, private.Flaw{Reason: "is an SSH key", Remedy: "have the recipient make a key for this alone: age-keygen -pq"}
	case strings.HasPrefix(text, "age1pq1"):
		r.Recipient, err = age.ParseHybridRecipient(text)
	default:
		r.Recipient, err = age.ParseX25519Recipient(text)
	}
	if err == nil { // the point of an X25519 key is looked at no earlier
		_, err = r.Wrap(make([]byte, 16))
	}
	if err != nil {
		return Recipient{}, private.Flaw{Reason: "is no recipient of age's, or has a slip in it", Remedy: `copy what age-keygen -y prints: "age1pq1..." or "age1..."; passphrases and plugins are not taken`}
	}
	r.text = text
	return r, nil
}

// Fingerprint is what people compare: the first 20 digits of the text's SHA-256, which are 80 bits. Anybody who has the text can make it:
// printf %s age1... | sha256sum | cut -c1-20.
func (r Recipient) Fingerprint() string {
	sum := sha256.Sum256([]byte(r.text))
	return hex.EncodeToString(sum[:10])
}

// PostQuantum reports that quantum computers don't open it either.
func (r Recipient) PostQuantum() bool { return strings.HasPrefix(r.text, "age1pq1") }

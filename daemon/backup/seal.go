package backup

import (
	"strconv"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/vault"
)

// stanza is how age's header says who can open a file: "-> flattone NAME VERSION", and age's file key sealed under that version of the vault's key.
const stanza = "flattone"

// fileKeySize is that of age's file keys. One is on the ordinary heap as long as its backup is written or read: it opens what is sealed once more inside.
const fileKeySize = 16

// recipient is the vault, as age knows whom it encrypts to.
type recipient struct {
	backup string
	vault  Wrapper
}

// Wrap implements [age.Recipient].
func (r recipient) Wrap(fileKey []byte) ([]*age.Stanza, error) {
	version, box, err := r.vault.Wrap(r.backup, fileKey)
	if err != nil {
		return nil, err
	}
	return []*age.Stanza{{Type: stanza, Args: []string{r.backup, strconv.FormatInt(version, 10)}, Body: box}}, nil
}

// identity is the versions of a backup of keys, as age knows who decrypts.
type identity struct {
	versions vault.Versions
	backup   *string // is told the name of what was opened
}

// Unwrap implements [age.Identity].
func (i identity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != stanza || len(stanzas[0].Args) != 2 {
		return nil, age.ErrIncorrectIdentity
	}
	s := stanzas[0]
	version, err := strconv.ParseInt(s.Args[1], 10, 64)
	if err != nil {
		return nil, age.ErrIncorrectIdentity
	}
	fileKey := make([]byte, fileKeySize)
	if err := i.versions.Unwrap(s.Args[0], version, fileKey, s.Body); err != nil {
		return nil, err
	}
	*i.backup = s.Args[0]
	return fileKey, nil
}

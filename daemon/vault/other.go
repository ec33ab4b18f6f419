package vault

import "fmt"

// SealOther seals what is no card and belongs to owner, for a purpose: box can be opened for these two only. version is the key's, to be kept beside the box.
func (v *Vault) SealOther(purpose, owner string, plain []byte) (version int64, box []byte, err error) {
	box, err = v.kek.seal(plain, otherAAD(v.kekRef, purpose, owner))
	if err != nil {
		return 0, nil, fmt.Errorf("vault: seal: %w", err)
	}
	return v.kekRef, box, nil
}

// OpenOther opens such a box into dst, which must be as long as what was sealed and in locked memory.
func (v *Vault) OpenOther(dst []byte, version int64, purpose, owner string, box []byte) error {
	if err := v.kek.open(dst, box, otherAAD(version, purpose, owner)); err != nil {
		return fmt.Errorf("vault: open: %w: %w", ErrAltered, err)
	}
	return nil
}

func otherAAD(version int64, purpose, owner string) binding {
	return bind("flattone other").number(version).text(purpose).text(owner)
}

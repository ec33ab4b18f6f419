package tpm

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"

	"github.com/flattone/flattone/daemon/private"
)

// version is of the file's form.
const version = 1

// file is what lies on the disk, as JSON: what only the TPM can read, and what it takes to tell why it won't. Nothing in it is trusted: the TPM refuses what
// was changed.
type file struct {
	Version int `json:"version"`
	// Parent is the name of the storage root key.
	Parent []byte `json:"parent"`
	// PCRs are the registers' SHA-256 values when the key was sealed.
	PCRs map[uint][]byte `json:"pcrs"`
	// Public and Private are the sealed object's two parts (TPM2B_PUBLIC and TPM2B_PRIVATE without their lengths).
	Public  []byte `json:"public"`
	Private []byte `json:"private"`
}

// read reads a file of this machine's user alone.
func read(path string) (*file, error) {
	text, err := private.TPMKey.Read(path)
	if err != nil {
		return nil, err
	}
	f, err := decode(text)
	if err != nil {
		return nil, private.Flaw{Reason: path + " isn't a key that flattone sealed: " + err.Error(), Remedy: "restore the file from a backup of this machine"}
	}
	return f, nil
}

func decode(text []byte) (*file, error) {
	f := &file{}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something follows it")
	}
	if f.Version != version {
		return nil, errors.New("its version is not 1")
	}
	return f, judge(f.pcrs())
}

func (f *file) encode() []byte {
	f.Version = version
	text, err := json.Marshal(f)
	if err != nil {
		panic(err) // of bytes and numbers alone
	}
	return append(text, '\n')
}

// pcrs are the registers that the key is bound to, in order.
func (f *file) pcrs() []uint { return slices.Sorted(maps.Keys(f.PCRs)) }

package tpm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-tpm/tpm2"
	"github.com/google/go-tpm/tpm2/transport"

	"github.com/flattone/flattone/daemon/keys"
	"github.com/flattone/flattone/daemon/keys/keystest"
	"github.com/flattone/flattone/daemon/keys/tpm/tpmtest"
	"github.com/flattone/flattone/daemon/private"
)

func TestIsARoot(t *testing.T) {
	sealed := func() keystest.Opener {
		socket, path := tpmtest.Start(t), newFile(t)
		if err := New(socket, path, []uint{SecureBoot}); err != nil {
			t.Fatal(err)
		}
		return func(t *testing.T) keys.Root {
			root, err := Open(socket, path)
			if err != nil {
				t.Fatal(err)
			}
			return root
		}
	}
	keystest.Root(t, keys.TPM, sealed(), sealed())
}

func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "root.tpm") }

// What a TPM won't unseal is an error that says why, and what to do.
func TestRefused(t *testing.T) {
	socket, path := tpmtest.Start(t), newFile(t)
	if err := New(socket, path, []uint{SecureBoot, 4, 4}); err == nil || !strings.Contains(err.Error(), "nothing was measured into PCR 4") {
		t.Errorf("a register without a value: %v", err)
	}
	for _, pcrs := range [][]uint{nil, {24}, {0, 1, 2, 3, 4, 5, 6, 7, 8}} {
		if err := New(socket, path, pcrs); err == nil {
			t.Errorf("registers %v are taken", pcrs)
		}
	}
	if err := New(socket, path, []uint{SecureBoot}); err != nil {
		t.Fatal(err)
	}
	if err := New(socket, path, []uint{SecureBoot}); !errors.Is(err, os.ErrExist) {
		t.Errorf("over another file: %v", err)
	}
	refused := func(name, device, path string, want error, says string) {
		t.Helper()
		root, err := Open(device, path)
		if err == nil {
			root.Close()
			t.Fatalf("%s: it opens", name)
		}
		if want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refused("another TPM", tpmtest.Start(t), path, ErrAnotherTPM, path)
	refused("no TPM", filepath.Join(t.TempDir(), "tpmrm0"), path, ErrNoTPM, "no such file")
	refused("no device", path, path, ErrNoTPM, "not a device")
	refused("no file", socket, newFile(t), os.ErrNotExist, "flattone key new --tpm")
	tpmtest.Boot(t, socket, "another boot loader's key")
	refused("another boot", socket, path, ErrChanged, "PCR [7] changed")
}

// What was changed in the file, wherever that is, opens nothing; and whatever opens after a change is the key.
func TestDamagedFile(t *testing.T) {
	socket, path := tpmtest.Start(t), newFile(t)
	if err := New(socket, path, []uint{SecureBoot}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root, err := Open(socket, path)
	if err != nil {
		t.Fatal(err)
	}
	kek := bytes.Repeat([]byte{7}, keys.Size)
	box, err := root.Seal(kek, nil)
	if err != nil {
		t.Fatal(err)
	}
	step := 1
	if testing.Short() {
		step = 7
	}
	opened := 0
	for i := 0; i < len(whole); i += step {
		bad := slices.Clone(whole)
		bad[i] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		root, err := Open(socket, path)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrAnotherTPM) && !isFlaw(err) {
				t.Errorf("byte %d (%q): %v", i, whole[i], err)
			}
			continue
		}
		opened++
		if err := root.Open(make([]byte, keys.Size), box, nil); err != nil {
			t.Errorf("byte %d (%q) makes it another key: %v", i, whole[i], err)
		}
		root.Close()
	}
	t.Logf("of %d bytes, %d say nothing that the TPM needs", (len(whole)+step-1)/step, opened)
}

func isFlaw(err error) bool { _, is := errors.AsType[private.Flaw](err); return is }

// What no swtpm answers here, this does.
func TestAnswers(t *testing.T) {
	for rc, want := range map[tpm2.TPMRC]error{tpm2.TPMRCLockout: ErrLockedOut, tpm2.TPMRCBadAuth | 0x080 | 0x100: ErrOwned, tpm2.TPMRCAuthFail: ErrOwned} {
		if _, err := unseal(answer(rc), &file{}); !errors.Is(err, want) {
			t.Errorf("%v is said as: %v", rc, err)
		}
	}
}

// answer is a TPM that has one for everything.
type answer tpm2.TPMRC

func (a answer) Send([]byte) ([]byte, error) {
	return binary.BigEndian.AppendUint32([]byte{0x80, 0x01, 0, 0, 0, 10}, uint32(a)), nil
}

// The key is on no wire in clear, and go-tpm is left with no copy of it.
func TestNobodyElseHasTheKey(t *testing.T) {
	socket := tpmtest.Start(t)
	open, err := connect(socket)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	wire := &tap{TPM: open}
	f, err := seal(wire, []uint{SecureBoot})
	if err != nil {
		t.Fatal(err)
	}
	key, err := unseal(wire, f)
	if err != nil {
		t.Fatal(err)
	}
	defer key.Destroy()
	key.Use(func(key []byte) error {
		if bytes.Equal(key, make([]byte, keys.Size)) {
			t.Error("the key is the zeros that stood for it")
		}
		if bytes.Contains(wire.all, key) || len(wire.all) < 1000 {
			t.Errorf("the key is among the %d bytes on the wire", len(wire.all))
		}
		return nil
	})
	again, err := unseal(open, f)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Destroy()
	box, err := key.Seal([]byte("what is under it"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Open(make([]byte, 16), box, nil); err != nil {
		t.Errorf("unsealed again it is another key: %v", err)
	}
}

// tap hears what a TPM is sent and says, as whoever solders wires to it does.
type tap struct {
	transport.TPM
	all []byte
}

func (w *tap) Send(input []byte) ([]byte, error) {
	out, err := w.TPM.Send(input)
	w.all = append(append(w.all, input...), out...)
	return out, err
}

// Whoever stands in the wire and says that he is the TPM of the file is another one all the same.
func TestAnotherPosesAsTheTPM(t *testing.T) {
	var files [2]*file
	var wires [2]transport.TPM
	for i := range files {
		open, err := connect(tpmtest.Start(t))
		if err != nil {
			t.Fatal(err)
		}
		defer open.Close()
		wires[i] = open
		if files[i], err = seal(open, []uint{SecureBoot}); err != nil {
			t.Fatal(err)
		}
	}
	poser := &poser{wires[1], files[1].Parent, files[0].Parent}
	if _, err := unseal(poser, files[0]); !errors.Is(err, ErrAnotherTPM) {
		t.Errorf("it says %v", err)
	}
}

// poser has a TPM under another one's name.
type poser struct {
	transport.TPM
	own, others []byte
}

func (p *poser) Send(input []byte) ([]byte, error) {
	out, err := p.TPM.Send(input)
	return bytes.ReplaceAll(out, p.own, p.others), err
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version":1,"parent":"AAs=","pcrs":{"7":"AA=="},"public":"AA==","private":"AA=="}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := decode(text)
		if err != nil {
			return
		}
		again, err := decode(k.encode())
		if err != nil || !bytes.Equal(again.Private, k.Private) || !slices.Equal(again.pcrs(), k.pcrs()) {
			t.Errorf("written again it is another: %v", err)
		}
	})
}

// Package keystest holds every root to the same contract: [Root] is what the vault relies on, whether the root is a file, systemd's, a TPM's, an HSM's or
// that of custodians. It exists so that a root can be changed for another without the vault knowing, and none promises less than the others. It must never
// know how a root is made.
package keystest

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flattone/flattone/audio/locked"
	"github.com/flattone/flattone/daemon/keys"
)

// Opener opens the same root every time, as starts of flattoned do. It is closed by whoever asked.
type Opener func(t *testing.T) keys.Root

// Root tests a root of a kind. Other is another root of that kind: another machine's TPM, another key of the HSM.
func Root(t *testing.T, kind keys.Kind, open, other Opener) {
	aad := keys.Bind("kek").Number(1)
	opened := func(t *testing.T, open Opener) keys.Root {
		t.Helper()
		root := open(t)
		t.Cleanup(func() { root.Close() })
		return root
	}
	sealed := func(t *testing.T, root keys.Root) (kek, box []byte) {
		t.Helper()
		kek = make([]byte, keys.Size)
		rand.Read(kek)
		box, err := root.Seal(slices.Clone(kek), aad)
		if err != nil {
			t.Fatal(err)
		}
		return kek, box
	}

	t.Run("what is sealed opens after a restart, for its purpose alone", func(t *testing.T) {
		root := opened(t, open)
		if root.Kind() != kind {
			t.Errorf("it says that it is of kind %s", root.Kind())
		}
		kek, box := sealed(t, root)
		if bytes.Contains(box, kek[:8]) || len(box) < keys.Size+keys.Overhead {
			t.Fatal("the box shows what is in it")
		}
		if _, again := sealed(t, root); bytes.Equal(box[:12], again[:12]) {
			t.Error("two boxes have one nonce")
		}
		if err := root.Close(); err != nil {
			t.Fatal(err)
		}
		root = opened(t, open)
		dst := page(t)
		if err := root.Open(dst, box, aad); err != nil || !bytes.Equal(dst, kek) {
			t.Errorf("opened it is the same: %t, %v", bytes.Equal(dst, kek), err)
		}
		refuses(t, root, "another version", box, keys.Bind("kek").Number(2))
		refuses(t, root, "another purpose", box, keys.Bind("dek").Number(1))
		refuses(t, root, "no purpose", box, nil)
		refuses(t, opened(t, other), "another root", box, aad)
	})
	t.Run("a damaged box doesn't open", func(t *testing.T) {
		root := opened(t, open)
		_, box := sealed(t, root)
		for i := range box {
			bad := slices.Clone(box)
			bad[i] ^= 1
			refuses(t, root, fmt.Sprintf("byte %d flipped", i), bad, aad)
		}
		for name, bad := range map[string][]byte{"nothing": nil, "cut in front": box[1:], "cut at the end": box[:len(box)-1], "no more than a nonce": box[:12], "longer": append(slices.Clone(box), 0)} {
			refuses(t, root, name, bad, aad)
		}
	})
	t.Run("it prints no more than what it is", func(t *testing.T) {
		root := opened(t, open)
		want := fmt.Sprintf("[root of kind %s]", string(kind))
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if got := fmt.Sprintf(verb, root); got != want {
				t.Errorf("%s prints something else than %s", verb, want)
			}
		}
	})
	t.Run("many use it at once", func(t *testing.T) {
		root := opened(t, open)
		var all sync.WaitGroup
		for range 4 {
			dst := page(t)
			all.Go(func() {
				for range 10 {
					kek := make([]byte, keys.Size)
					rand.Read(kek)
					box, err := root.Seal(kek, aad)
					if err == nil {
						err = root.Open(dst, box, aad)
					}
					if err != nil || !bytes.Equal(dst, kek) {
						t.Errorf("opened it is the same: %t, %v", bytes.Equal(dst, kek), err)
						return
					}
				}
			})
		}
		all.Wait()
	})
	t.Run("closed it does nothing, and may be closed again", func(t *testing.T) {
		root := opened(t, open)
		kek, box := sealed(t, root)
		for range 2 {
			if err := root.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := root.Seal(kek, aad); err == nil {
			t.Error("closed, it seals")
		}
		refuses(t, root, "closed", box, aad)
	})
}

// refuses reports a box that opens, and an error that tells what is in it or leaves it behind.
func refuses(t *testing.T, root keys.Root, name string, box, aad []byte) {
	t.Helper()
	dst := page(t)
	err := root.Open(dst, box, aad)
	if err == nil {
		t.Errorf("%s: it opens", name)
	}
	if !bytes.Equal(dst, make([]byte, keys.Size)) {
		t.Errorf("%s: refused, and something of it is there", name)
	}
	if err != nil && len(box) > 0 && strings.Contains(fmt.Sprint(err), fmt.Sprintf("%x", box)) {
		t.Errorf("%s: the error prints the box", name)
	}
}

func page(t *testing.T) []byte {
	t.Helper()
	b, err := locked.Bytes(keys.Size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { locked.Free(b) })
	return b[:keys.Size:keys.Size]
}

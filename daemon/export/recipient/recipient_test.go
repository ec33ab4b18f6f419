package recipient

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/private"
)

func TestRecipients(t *testing.T) {
	x, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	pq, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for text, postQuantum := range map[string]bool{x.Recipient().String(): false, pq.Recipient().String(): true} {
		r, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:20]; r.Fingerprint() != want || r.PostQuantum() != postQuantum {
			t.Errorf("%s: fingerprint %s, want %s; post-quantum %t", text, r.Fingerprint(), want, r.PostQuantum())
		}
	}
	slip := []byte(x.Recipient().String())
	slip[20] ^= 1
	for name, bad := range map[string]string{
		"nothing":              "",
		"a slip":               string(slip),
		"cut short":            x.Recipient().String()[:40],
		"more behind it":       x.Recipient().String() + " ",
		"the point zero":       "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z",
		"a plugin's":           "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t",
		"an SSH key":           "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA",
		"a private key":        x.String(),
		"a hybrid's":           pq.String(),
		"one in small letters": strings.ToLower(x.String()),
	} {
		_, err := Parse(bad)
		flaw, ok := errors.AsType[private.Flaw](err)
		if !ok || flaw.Remedy == "" || flaw.Cause != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(bad) > 20 && strings.Contains(fmt.Sprint(err), bad[8:]) {
			t.Errorf("%s: it is repeated", name)
		}
	}
}

package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/secret"
	"github.com/flattone/flattone/daemon/vault"
)

// flights seals cards that aren't retained, and answers with their tokens.
func flights(ctx context.Context, d *Daemon, card *secret.Card, n int) (tokens []string, err error) {
	for range n {
		token, err := d.vault.Seal(ctx, vault.Capture{ID: newCaptureID(), Line: "desk-1", Place: "desk-side", Profile: "card", Tenant: "main", Kind: vault.Flight,
			Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}, card)
		if err != nil {
			return tokens, err
		}
		tokens = append(tokens, token)
	}
	return tokens, nil
}

// A key is rotated from the admin socket while cards are taken: each is there afterwards, under the newest key, and a certificate says that the old one is gone,
// which the audit log's public key vouches for.
func TestAKeyIsRotatedUnderLoad(t *testing.T) {
	h := newHouse(t)
	h.cfg.Roles.Custodian = []string{config.Self}
	d, stop, _ := h.run()
	client := h.client()
	const writers, each = 4, 50
	var sealing sync.WaitGroup
	for range writers {
		card := visaCard(t)
		sealing.Go(func() {
			if _, err := flights(t.Context(), d, card, each); err != nil {
				t.Error(err)
			}
		})
	}
	for want := int64(2); want <= 4; want++ {
		if version, err := client.RotateKey(t.Context()); err != nil || version != want {
			t.Errorf("key %d, %v; want %d", version, err, want)
		}
	}
	sealing.Wait()
	var v control.Vault
	until(t, "all lies under the newest key, and the others are destroyed", func() bool {
		var err error
		if v, err = client.Vault(t.Context()); err != nil {
			t.Fatal(err)
		}
		all, err := client.Certificates(t.Context())
		return err == nil && v.Remaining == 0 && len(all) == 3
	})
	if v.Records != writers*each || v.Cards[control.KindFlight] != writers*each || v.Key != 4 || v.Locked || len(v.Roots) != 1 || !v.Roots[0].Opened {
		t.Errorf("after the rotations the vault is %+v", v)
	}
	key, err := note.NewVerifier(d.audit.Key())
	if err != nil {
		t.Fatal(err)
	}
	certificates, err := client.Certificates(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range certificates {
		n, err := note.Open([]byte(c.Note), note.VerifierList(key))
		if err != nil || !strings.Contains(n.Text, "version "+strings.TrimPrefix(c.Kind, "key-")) {
			t.Errorf("%s: %v", c.Kind, err)
		}
		if _, err := note.Open([]byte(strings.Replace(c.Note, "version", "verslon", 1)), note.VerifierList(key)); err == nil {
			t.Errorf("%s: an altered one passes", c.Kind)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// A hold outlasts time and request; each act is in the log with who gave it, and so is what was refused.
func TestACardIsHeldAndShredded(t *testing.T) {
	h := newHouse(t)
	h.cfg.Roles.Custodian = []string{config.Self}
	d, stop, _ := h.run()
	client := h.client()
	tokens, err := flights(t.Context(), d, visaCard(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	held, other := tokens[0], tokens[1]
	refused := func(what, code string, err error) {
		t.Helper()
		if got := codeOf(err); got != code || err != nil && strings.Contains(err.Error(), visa) {
			t.Errorf("%s: %q, want %q", what, got, code)
		}
	}
	refused("a hold", "", client.HoldCard(t.Context(), held, "a dispute"))
	refused("the same again", control.CodeWrongState, client.HoldCard(t.Context(), held, "a dispute"))
	refused("a number for a reason", control.CodeBadRequest, client.HoldCard(t.Context(), other, visa))
	refused("a number for a token", control.CodeBadRequest, client.ShredCard(t.Context(), visa))
	refused("a card on hold", control.CodeWrongState, client.ShredCard(t.Context(), held))
	refused("a card that never was", control.CodeUnknownToken, client.ShredCard(t.Context(), "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa"))
	if p, err := d.vault.Purge(t.Context(), time.Now().Add(25*time.Hour)); err != nil || p.Held != 1 || p.Unresolved != 1 {
		t.Errorf("a purge a day later does %+v, %v", p, err)
	}
	if k, err := client.Card(t.Context(), other); err != nil || k.Why != "unresolved" || k.Shredded.IsZero() || k.Last4 != "" {
		t.Errorf("of the card that isn't on hold is known %+v, %v", k, err)
	}
	if k, err := client.Card(t.Context(), held); err != nil || k.Hold == nil || k.Hold.Reason != "a dispute" || k.Hold.By == "" || time.Since(k.Hold.Since) > time.Minute || k.Last4 != "4242" || k.Kind != control.KindFlight {
		t.Errorf("of the card that is, %+v, %v", k, err)
	}
	if all, err := client.Holds(t.Context(), 5); err != nil || len(all) != 1 || all[0].Token != held || all[0].Hold.Reason != "a dispute" {
		t.Errorf("on hold are %+v, %v", all, err)
	}
	refused("a release", "", client.ReleaseCard(t.Context(), held))
	refused("a shredding", "", client.ShredCard(t.Context(), held))
	refused("another", control.CodeWrongState, client.ShredCard(t.Context(), held))

	entries, err := client.Audit(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	log := fmt.Sprint(entries)
	for _, want := range []string{"card.held " + held + " ok a dispute", "card.released " + held + " ok", "card.shredded " + held + " ok",
		"card.shredded " + held + " the card is on hold", "card.shredded no token that is no token"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log doesn't say %q", want)
		}
	}
	if strings.Contains(log, visa) {
		t.Error("the log has a number that was given in a token's place")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// While the vault is locked no line is armed and no key rotated, and it is said who can help.
func TestALockedVault(t *testing.T) {
	h := newHouse(t)
	h.cfg.Roles.Custodian = []string{config.Self}
	d, stop, _ := h.run()
	client := h.client()
	if err := d.vault.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Arm(t.Context(), "desk-1", ""); codeOf(err) != control.CodeVaultLocked {
		t.Errorf("arming: %v", err)
	}
	if _, err := client.RotateKey(t.Context()); codeOf(err) != control.CodeVaultLocked {
		t.Errorf("rotating: %v", err)
	}
	if v, err := client.Vault(t.Context()); err != nil || !v.Locked {
		t.Errorf("it is %+v, %v", v, err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
)

// TestCardsLeaveForAnotherProvider: two custodians, each the user that he is to the kernel, let the one card that is kept leave for whom the configuration names, who alone reads it.
func TestCardsLeaveForAnotherProvider(t *testing.T) {
	provider, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.cfg.Vault.KeyFile, h.cfg.Vault.Custodians = "", true
	h.withPeople()
	h.cfg.Vault.Cards.Retention = time.Hour
	h.cfg.Vault.Export = []config.Recipient{{Name: "newpsp", Key: provider.Recipient().String()}}
	d, stop, _ := h.run()
	c := h.client()
	ask := func(to, tenant string) error {
		_, err := c.AskExport(t.Context(), to, tenant)
		return err
	}
	wantsCode(t, "of a locked vault", ask("newpsp", ""), control.CodeVaultLocked, "no card was exported")
	papers := enrol(t, c)
	wantsCode(t, "of an empty vault", ask("newpsp", ""), control.CodeWrongState, "no card to export")
	token, err := d.vault.Seal(t.Context(), vault.Capture{ID: newCaptureID(), Line: "desk-1", Place: "trunk-side", Profile: "card", Tenant: "main", Kind: vault.Reusable,
		Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}, visaCard(t))
	if err != nil {
		t.Fatal(err)
	}
	wantsCode(t, "for a stranger", ask(visa, ""), control.CodeBadRequest, "no such recipient")
	wantsCode(t, "of a tenant that there isn't", ask("newpsp", visa), control.CodeWrongState, "no card to export")
	id, err := c.AskExport(t.Context(), "newpsp", "main")
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Custody(t.Context())
	if n := s.Ceremony; err != nil || n == nil || n.Purpose != control.PurposeExport || !strings.HasPrefix(n.About, "1 card of tenant main for newpsp whose key is ") || n.Missing != 2 {
		t.Fatalf("custodians are asked %+v, %v", n, err)
	}
	wantsCode(t, "beside it", ask("newpsp", ""), control.CodeWrongState, "another ceremony is under way")
	if err := giveShares(t, c, papers, id); err != nil {
		t.Fatal(err)
	}
	all, err := c.Exports(t.Context())
	for err == nil && all[0].Ended.IsZero() {
		time.Sleep(time.Millisecond)
		all, err = c.Exports(t.Context())
	}
	if err != nil || len(all) != 1 || all[0].Failed != "" || all[0].Cards != 1 || filepath.Dir(all[0].File) != h.path("state/exports") {
		t.Fatalf("what came of it: %+v, %v", all, err)
	}
	f, err := os.Open(all[0].File)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	clear, err := age.Decrypt(f, provider)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(clear)
	if err != nil || !bytes.Contains(text, []byte(`{"pan":"`+visa+`","token":"`+token+`"`)) {
		t.Errorf("the provider doesn't read it: %v", err)
	}
	log, err := c.Audit(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	said, err := json.Marshal([]any{log, all, s})
	if err != nil || bytes.Contains(said, []byte(visa)) || strings.Contains(h.log.String(), visa) {
		t.Error("a number is told")
	}
	var acts []string
	for _, e := range log {
		acts = append(acts, e.Action)
	}
	for act, times := range map[string]int{"export.refused": 5, "export.began": 1, "card.exported": 1, "export.finished": 1, "export.failed": 0} {
		if got := strings.Count(strings.Join(acts, " ")+" ", act+" "); got != times {
			t.Errorf("%s is in the log %d times, want %d", act, got, times)
		}
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

// TestNothingToExport: a box whose configuration names nobody, or that keeps no card for later, asks no custodian.
func TestNothingToExport(t *testing.T) {
	provider, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t)
	h.cfg.Roles.Custodian = []string{config.Self}
	_, stop, _ := h.run()
	_, err = h.client().AskExport(t.Context(), "newpsp", "")
	wantsCode(t, "for nobody", err, control.CodeWrongState, "no recipient of cards")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	h.cfg.Vault.Export = []config.Recipient{{Name: "newpsp", Key: provider.Recipient().String()}}
	h.cfg.Vault.Retention = time.Hour
	d, stop, _ := h.run()
	if _, err := d.vault.Seal(t.Context(), vault.Capture{ID: newCaptureID(), Line: "desk-1", Place: "trunk-side", Profile: "card", Tenant: "main", Kind: vault.Flight,
		Brand: "visa", Last4: "4242", ExpiryMonth: 11, ExpiryYear: 2031}, visaCard(t)); err != nil {
		t.Fatal(err)
	}
	_, err = h.client().AskExport(t.Context(), "newpsp", "")
	wantsCode(t, "what isn't kept", err, control.CodeWrongState, "no card to export")
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

package e2e

import (
	"bytes"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/demo/receiver"
)

// newBoxes makes two boxes that share a database, the vault's key and where tokens are told, each with two lines on which calls follow one another. The first has
// what upstream was told.
func newBoxes(t *testing.T, where string) (boxes []*rig) {
	t.Helper()
	secret, first := box.NewSecret(), &rig{got: &bytes.Buffer{}}
	rec, err := receiver.New(secret, first)
	if err != nil {
		t.Fatal(err)
	}
	upstream := httptest.NewServer(rec)
	t.Cleanup(upstream.Close)
	for _, name := range []string{"one", "two"} {
		cfg := box.Config{Webhook: upstream.URL, Secret: secret, FirstRetry: 50 * time.Millisecond, MaxRetry: time.Second,
			Store: fmt.Sprintf("postgres = %q\nbox = %q", where, name)}
		for _, call := range []string{"visa", "amex-corrected"} {
			cfg.Lines = append(cfg.Lines, box.Line{Name: call, Pace: killPace, Gap: killGap, Calls: slices.Repeat([]string{filepath.Join(calls, call)}, 200)})
		}
		r := newRig(t, cfg)
		r.shared = store.Postgres{Where: where, Box: name}
		r.got = first.got
		boxes = append(boxes, r)
	}
	key, err := os.ReadFile(filepath.Join(boxes[0].dir, "vault.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(boxes[1].dir, "vault.key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return boxes
}

// TestTwoBoxesShareAVault, under calls that don't end: one is killed and comes back, one rotates the key, the database goes away and comes back. Each box goes on where
// it can and tells where it can't; no token that either told is lost or doubled, each is known to both, and the log of each verifies.
func TestTwoBoxesShareAVault(t *testing.T) {
	t.Parallel()
	server := storetest.New(t, "")
	boxes := newBoxes(t, server.DSN(t))
	one, two := boxes[0], boxes[1]
	token := kind("visa", control.KindToken)
	next := func(r *rig, what string) {
		t.Helper()
		r.waitFrom(t, r.heardSoFar(), "a token "+what, token)
	}
	var people []*agents
	for _, r := range boxes {
		r.start(t)
		people = append(people, newAgents(r, arm))
	}
	known := []string{one.wait(t, "a token of one's", token).Token, two.wait(t, "a token of two's", token).Token}
	for _, r := range boxes {
		for _, is := range known {
			if _, err := r.current().Card(t.Context(), is); err != nil {
				t.Errorf("a token of one box at the other: %v", err)
			}
		}
	}

	one.until(t, "a card being keyed at one", func() bool { return one.capturing() > 0 })
	one.Kill()
	next(two, "of two's while one is dead")
	one.restart(t)
	next(one, "of one's, come back")

	if v, err := one.current().RotateKey(t.Context()); err != nil || v != 2 {
		t.Errorf("rotated to %d, %v", v, err)
	}
	for _, r := range boxes {
		next(r, "under the new key")
		r.until(t, "the old key to be done with", func() bool {
			v, err := r.current().Vault(t.Context())
			return err == nil && v.Key == 2 && v.Remaining == 0
		})
	}

	away := func(r *rig) bool {
		s, err := r.current().Status(t.Context())
		return err == nil && slices.ContainsFunc(s.Conditions, func(c health.Condition) bool { return c.Code == health.StoreAway })
	}
	for _, r := range boxes {
		r.until(t, "a line to be armed", func() bool { return r.capturing() > 0 })
	}
	server.Stop()
	for _, r := range boxes {
		r.until(t, "it to be told that the database is away", func() bool { return away(r) })
	}
	server.Start(t)
	for _, r := range boxes {
		r.until(t, "it to be told that the database is back", func() bool { return !away(r) })
		next(r, "with the database back")
	}

	for i, r := range boxes {
		people[i].stop()
		r.settle(t)
		checkAuditOffline(t, r)
	}
	for _, r := range boxes {
		r.stop()
		if err := r.Stop(); err != nil {
			t.Errorf("flattoned did not stop in order: %v", err)
		}
		r.ears.Wait()
	}
	one.events = append(one.events, two.events...)
	one.checkTokens(t)
	two.vault(t, func(_ *vault.Vault, log *audit.Log) {
		if n, err := log.Verify(t.Context()); err != nil || n == 0 {
			t.Errorf("the log of two has %d entries, %v", n, err)
		}
	})
}

// checkAuditOffline exports the box's log and has the tool verify it, as somebody would who has the file and the key alone.
func checkAuditOffline(t *testing.T, r *rig) {
	t.Helper()
	file := filepath.Join(r.dir, "audit.log")
	if out, err := r.Tool(t.Context(), "audit", "export", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	key, err := r.Tool(t.Context(), "audit", "key").Output()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := r.Tool(t.Context(), "audit", "verify", file, "--key", strings.TrimSpace(string(key))).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

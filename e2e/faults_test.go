package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/store/storetest"
	"github.com/flattone/flattone/demo/box"
)

// startFails starts a box that can't run, and answers with why.
func startFails(t *testing.T, r *rig) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := r.Start(ctx); err != nil {
		return err.Error()
	}
	t.Fatal("flattoned started")
	return ""
}

// says checks that an error names the thing, the reason and the remedy.
func says(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("it does not say %q:\n%s", w, got)
		}
	}
}

func TestFlattonedRefusesToStart(t *testing.T) {
	t.Parallel()
	t.Run("on a malformed config, with all faults", func(t *testing.T) {
		r := newRig(t, oneLine("visa"))
		bad := "version = 1\nstate_dri = \"state\"\n[[line]]\nname = \"One Two\"\nplace = \"somewhere\"\n"
		if err := os.WriteFile(r.Config(), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		says(t, startFails(t, r), "state_dri", "state_dir", "line[0].name", "line[0].place", "trunk-side", "vault.key_file")
	})
	t.Run("with another vault's key", func(t *testing.T) {
		r := newRig(t, oneLine("visa"))
		r.start(t)
		if err := r.Stop(); err != nil {
			t.Fatal(err)
		}
		key := filepath.Join(r.dir, "vault.key")
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		if out, err := r.Tool(t.Context(), "key", "new", key).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		says(t, startFails(t, r), "wrong vault key", "first started with")
	})
	t.Run("without the database it had", func(t *testing.T) {
		r := newRig(t, oneLine("visa"))
		r.start(t)
		r.Kill()
		if err := os.Remove(filepath.Join(r.State(), "flattone.db")); err != nil {
			t.Fatal(err)
		}
		says(t, startFails(t, r), "flattone.db is gone", "restore a backup")
	})
	t.Run("with a key that others may read", func(t *testing.T) {
		r := newRig(t, oneLine("visa"))
		if err := os.Chmod(filepath.Join(r.dir, "vault.key"), 0o640); err != nil {
			t.Fatal(err)
		}
		says(t, startFails(t, r), "vault.key", "0640", "chmod 600")
	})
	t.Run("beside another on the same state folder", func(t *testing.T) {
		r := newRig(t, oneLine("visa"))
		r.start(t)
		second := newRig(t, oneLine("visa"))
		second.keepsIn(t, r.State())
		says(t, startFails(t, second), r.State(), fmt.Sprint(r.PID()))
		if _, err := r.client.Status(t.Context()); err != nil {
			t.Errorf("the first one suffered: %v", err)
		}
	})
	t.Run("as a box that runs, on the database that they share", func(t *testing.T) {
		database := storetest.Postgres(t)
		twin := func() *rig {
			r := newRig(t, oneLine("visa"))
			text, err := os.ReadFile(r.Config())
			if err == nil {
				shared := fmt.Sprintf("\n[store]\npostgres = %q\nbox = \"twin\"\n", database)
				err = os.WriteFile(r.Config(), []byte(strings.Replace(string(text), "\n[roles]", shared+"\n[roles]", 1)), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		r := twin()
		r.start(t)
		says(t, startFails(t, twin()), "twin", "another daemon", "[store] box")
		r.arm(t, "one")
		r.wait(t, "the first one's token", kind("one", control.KindToken))
	})
}

// TestALineRefusesOddRecordings: the box stays up, and the log says which file is wrong, why, and what to do.
func TestALineRefusesOddRecordings(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(filepath.Join(calls, "visa", "caller.wav"))
	if err != nil {
		t.Fatal(err)
	}
	patched := func(at int, b ...byte) []byte { // fields of the fmt chunk, RIFF WAVE
		out := append([]byte(nil), good...)
		copy(out[at:], b)
		return out
	}
	for name, c := range map[string]struct {
		caller []byte
		says   []string
	}{
		"missing":      {nil, []string{"caller.wav"}},
		"another rate": {patched(24, 0x80, 0x3e, 0, 0, 0, 0x7d, 0, 0), []string{"caller.wav", "16000", "8000"}},
		"stereo":       {patched(22, 2, 0, 0x40, 0x1f, 0, 0, 0, 0x7d, 0, 0, 4, 0), []string{"caller.wav", "sox"}},
		"24 bit":       {patched(28, 0xc0, 0x5d, 0, 0, 3, 0, 24, 0), []string{"caller.wav", "sox"}},
		"truncated":    {good[:len(good)/2], []string{"caller.wav", "missing"}},
		"no WAV":       {[]byte("hello"), []string{"caller.wav"}},
	} {
		t.Run(name, func(t *testing.T) {
			call := t.TempDir()
			agent, err := os.ReadFile(filepath.Join(calls, "visa", "agent.wav"))
			if err == nil {
				err = os.WriteFile(filepath.Join(call, "agent.wav"), agent, 0o600)
			}
			if err == nil && c.caller != nil {
				err = os.WriteFile(filepath.Join(call, "caller.wav"), c.caller, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t, box.Config{Lines: []box.Line{{Name: "one", Calls: []string{call}}}})
			r.start(t)
			r.until(t, "the line's process to have failed", func() bool {
				lines, err := r.client.Lines(t.Context())
				return err == nil && !lines[0].Up && lines[0].Restarts > 0
			})
			log, err := os.ReadFile(r.Log())
			if err != nil {
				t.Fatal(err)
			}
			says(t, string(log), c.says...)
			if _, err := r.client.Arm(t.Context(), "one", ""); err == nil {
				t.Error("a line without a process was armed")
			}
		})
	}
}

// until waits for something that is no event.
func (r *rig) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// TestUpstreamMisbehaves: whatever the receiver does at first, the token arrives once it behaves, and until
// then the daemon says that it is pending and why.
func TestUpstreamMisbehaves(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	var good atomic.Bool
	delivered := make(chan struct{}, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch n := tries.Add(1); {
		case good.Load():
			w.WriteHeader(http.StatusNoContent)
			delivered <- struct{}{}
		case n%3 == 0:
			http.Redirect(w, req, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
		case n%3 == 1:
			http.Error(w, "no", http.StatusInternalServerError)
		default:
			panic(http.ErrAbortHandler) // the connection is cut
		}
	}))
	defer srv.Close()
	cfg := oneLine("visa")
	cfg.Webhook, cfg.FirstRetry, cfg.MaxRetry = srv.URL, 20*time.Millisecond, time.Second
	r := newRig(t, cfg)
	r.start(t)
	r.arm(t, "one")
	token := r.wait(t, "the token", kind("one", control.KindToken)).Token
	r.wait(t, "a failed delivery", func(e control.Event) bool { return e.Delivery == control.DeliveryRetrying && e.Reason != "" })
	r.until(t, "three kinds of misbehaviour", func() bool { return tries.Load() >= 3 })
	if s, err := r.client.Status(t.Context()); err != nil || s.UpstreamPending != 1 || detail(s, health.UpstreamFailing) == "" {
		t.Errorf("status says %d pending, %+v, %v", s.UpstreamPending, s.Conditions, err)
	}
	good.Store(true)
	select {
	case <-delivered:
	case <-time.After(patience):
		t.Fatal("the token never arrived")
	}
	tokens, err := r.client.Tokens(t.Context(), 10)
	if err != nil || len(tokens) != 1 || tokens[0].Token != token {
		t.Errorf("the vault lists %d tokens, %v", len(tokens), err)
	}
}

// TestFullDisk fills the disk while the caller keys: no token is told, the line keeps the card and asks again,
// and once there is room the card is sealed and delivered.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	cfg := oneLine("visa")
	cfg.Lines[0].Pace = 8
	// A disk of its own, of 1 MiB, in a mount namespace of its own.
	dir := t.TempDir()
	cfg.Wrap = []string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
		`mount -t tmpfs -o size=1m,mode=700 disk "$0" && exec "$@"`, dir}
	r := newRig(t, cfg)
	r.keepsIn(t, dir)
	r.start(t)
	filler := fmt.Sprintf("/proc/%d/root%s/filler", r.PID(), dir)
	r.wait(t, "the call", func(e control.Event) bool { return e.Code == control.CallBegan })
	fill(t, filler)
	if _, err := r.client.Arm(t.Context(), "one", ""); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("arming on a full disk: %v", err)
	}
	if s, err := r.client.Status(t.Context()); err != nil || !strings.Contains(detail(s, health.StoreFailed), "no space left") || detail(s, health.DiskLow) == "" {
		t.Errorf("on a full disk status says %+v, %v", s.Conditions, err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	r.arm(t, "one")
	lines, err := r.client.Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fill(t, filler)
	r.until(t, "the vault to have failed", func() bool {
		log, err := os.ReadFile(r.Log())
		return err == nil && strings.Contains(string(log), "a card was not sealed")
	})
	if e := r.wait(t, "the warning that the card waits", func(e control.Event) bool { return e.Kind == control.KindWarning && e.Code == "vault_failed" }); e.Line != "one" || e.Capture != lines[0].Capture {
		t.Errorf("the line is warned by %+v", e)
	}
	out, _ := r.Tool(t.Context(), "status").CombinedOutput()
	says(t, string(out), "store_failed", "no space left for the store", "make room where state_dir lies", "disk_low")
	r.mu.Lock()
	if slices.ContainsFunc(r.events, kind("one", control.KindToken)) {
		t.Error("a token was told that the disk had no room for")
	}
	r.mu.Unlock()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	r.wait(t, "the token, once there is room", kind("one", control.KindToken))
	r.wait(t, "the delivery", func(e control.Event) bool { return e.Delivery == control.DeliveryDelivered })
	if s, err := r.client.Status(t.Context()); err != nil || detail(s, health.StoreFailed) != "" {
		t.Errorf("with room again status says %+v, %v", s.Conditions, err)
	}
	r.onRecord(t, health.StoreFailed)
}

// detail is what status says of a condition of the box besides its words, empty if it doesn't stand.
func detail(s control.Status, code health.Code) string {
	for _, c := range s.Conditions {
		if c.Code == code && c.Line == "" {
			return c.Detail
		}
	}
	return ""
}

// fill writes a file until its disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 64 << 10; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
}

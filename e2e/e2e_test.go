// Package e2e holds the tests of the whole: real binaries, real sockets, recorded calls, a receiver that
// checks signatures, and a box that is killed, starved and searched.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
	"github.com/flattone/flattone/daemon/config"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/demo/box"
	"github.com/flattone/flattone/demo/receiver"
)

// patience bounds every wait for something that must happen. It is no measure of speed: these machines are
// shared, and a test that fails by it has hung.
const patience = 90 * time.Second

// bin is the folder of the binaries under test, built once.
var bin string

func TestMain(m *testing.M) {
	become()
	dir, err := os.MkdirTemp("", "flattone-bin-")
	if err != nil {
		panic(err)
	}
	for cgo, what := range map[string][]string{"0": {"../cmd/flattone", "../cmd/flattoned", "../cmd/flattone-desk"}, "1": {"../cmd/flattone-line"}} {
		build := exec.Command("go", append([]string{"build", "-tags", "lab", "-o", dir + "/"}, what...)...)
		build.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
		if out, err := build.CombinedOutput(); err != nil {
			slog.Error("building the binaries under test", "err", err, "output", string(out))
			os.Exit(1)
		}
	}
	bin = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// rig is a box with a receiver beside it and an ear on its events.
type rig struct {
	*box.Box
	shared store.Postgres // the database, if it isn't the box's own file
	client *control.Client
	dir    string

	mu     sync.Mutex
	events []control.Event
	// changed is closed and replaced whenever an event arrives.
	changed chan struct{}
	got     *bytes.Buffer // what the receiver verified, one JSON object a line
	ears    sync.WaitGroup
	stop    context.CancelFunc
}

// newRig makes a box in a fresh folder, ready to start.
func newRig(t *testing.T, cfg box.Config) *rig {
	t.Helper()
	r := &rig{dir: t.TempDir(), changed: make(chan struct{}), got: &bytes.Buffer{}, stop: func() {}}
	cfg.Bin, cfg.Dir, cfg.Today = bin, r.dir, "2026-11-22"
	if cfg.Secret == "" {
		cfg.Secret = box.NewSecret()
	}
	if cfg.Webhook == "" {
		rec, err := receiver.New(cfg.Secret, r)
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(rec)
		t.Cleanup(srv.Close)
		cfg.Webhook = srv.URL
	}
	var err error
	if r.Box, err = box.New(cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.stop()
		r.Stop()
		r.ears.Wait()
		if t.Failed() {
			if log, err := os.ReadFile(r.Log()); err == nil {
				t.Logf("the box's log ends:\n%s", log[max(0, len(log)-4000):])
			}
		}
	})
	return r
}

// Write takes what the receiver verified.
func (r *rig) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.Write(p)
}

// start starts the box and listens to it.
func (r *rig) start(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client, err := r.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	watching, stop := context.WithCancel(context.Background())
	r.mu.Lock()
	r.client, r.stop = client, stop
	r.mu.Unlock()
	r.ears.Go(func() {
		client.Watch(watching, func(e control.Event) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, e)
			close(r.changed)
			r.changed = make(chan struct{})
		})
	})
}

// accept has the box's lines that must be tuned pass for that, before it is started.
func (r *rig) accept(t *testing.T) {
	t.Helper()
	cfg, err := config.Load(r.Config())
	if err != nil {
		t.Fatal(err)
	}
	adopted, err := cfg.Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range cfg.Lines {
		if l.Tunes() {
			fingerprint, _ := l.Fingerprint(adopted)
			acceptancetest.Place(t, cfg.StateDir, l.Name, fingerprint)
		}
	}
}

// current is a client of the flattoned that runs now.
func (r *rig) current() *control.Client {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.client
}

// heardSoFar counts the events, for waitFrom.
func (r *rig) heardSoFar() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.events)
}

// wait answers with the first event, from the beginning, that is wanted.
func (r *rig) wait(t *testing.T, what string, want func(control.Event) bool) control.Event {
	t.Helper()
	return r.waitFrom(t, 0, what, want)
}

// waitFrom answers with the first event after the first seen ones that is wanted.
func (r *rig) waitFrom(t *testing.T, seen int, what string, want func(control.Event) bool) control.Event {
	t.Helper()
	for timeout := time.After(patience); ; {
		r.mu.Lock()
		fresh, changed := r.events[seen:], r.changed
		seen = len(r.events)
		r.mu.Unlock()
		for _, e := range fresh {
			if want(e) {
				return e
			}
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("waited in vain for %s, after %s", what, r.said())
		}
	}
}

// said is what was told last, but for meters.
func (r *rig) said() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind != control.KindMeters {
			all = append(all, fmt.Sprintf("%s %s %s%s %s%s", e.Time.Format(time.TimeOnly), e.Line, e.Kind, e.State, e.Reason, e.Code))
		}
	}
	return all[max(0, len(all)-40):]
}

func kind(line string, k control.Kind) func(control.Event) bool {
	return func(e control.Event) bool { return e.Line == line && e.Kind == k }
}

// arm arms a line as soon as it can be armed.
func (r *rig) arm(t *testing.T, line string) (capture string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r.wait(t, "the call on "+line, func(e control.Event) bool {
		return e.Line == line && e.Kind == control.KindCall && e.Code == control.CallBegan
	})
	capture, err := r.client.Arm(ctx, line, "")
	if err != nil {
		t.Fatal(err)
	}
	return capture
}

// truth is what a recorded call says of itself.
type truth struct {
	Card *struct{ PAN, Expiry, CVV string }
	Keys []struct {
		Digit      string
		Start, End int
	}
}

const calls = "../data/calls"

func readTruth(t *testing.T, call string) truth {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(calls, call, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out truth
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

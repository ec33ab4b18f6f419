package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flattone/flattone/audio/adversary"
	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/vault"
	"github.com/flattone/flattone/demo/box"
)

// The kill campaign: flattoned and the line processes are killed with SIGKILL at random moments while callers
// go on keying. FLATTONE_KILLS sets how many of each.
const (
	killLines = 6
	killPace  = 12 // calls run this much faster than life, so that more moments fit into a minute
	killGap   = 4 * time.Second
)

func kills(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("FLATTONE_KILLS"))
	if err != nil {
		return 50
	}
	return n
}

// TestKilledAtRandomMoments: no acknowledged token is lost or doubled, no key is readable in what an agent
// received, and the next call works.
func TestKilledAtRandomMoments(t *testing.T) {
	t.Parallel()
	playlist := []string{"visa", "amex-corrected"}
	cfg := box.Config{FirstRetry: 50 * time.Millisecond, MaxRetry: time.Second}
	for i := range killLines {
		l := box.Line{Name: fmt.Sprintf("line%d", i), Pace: killPace, Gap: killGap}
		for k := range 200 { // longer than any campaign
			l.Calls = append(l.Calls, filepath.Join(calls, playlist[(i+k)%len(playlist)]))
		}
		cfg.Lines = append(cfg.Lines, l)
	}
	r := newRig(t, cfg)
	r.start(t)
	agents := newAgents(r, arm)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	hit := 0 // captures under way at the moment of a kill
	for daemonLeft, lineLeft := kills(t), kills(t); daemonLeft+lineLeft > 0; {
		time.Sleep(time.Duration(50+random.IntN(700)) * time.Millisecond)
		hit += r.capturing()
		if random.IntN(daemonLeft+lineLeft) < daemonLeft {
			r.Kill()
			r.restart(t)
			daemonLeft--
		} else if r.killLine(t, fmt.Sprintf("line%d", random.IntN(killLines))) {
			lineLeft--
		}
	}
	t.Logf("%d captures were under way when something was killed", hit)
	if hit < kills(t)/2 {
		t.Error("too few of the kills fell into a capture to prove anything")
	}
	// The next call works, on every line.
	for i := range killLines {
		name := fmt.Sprintf("line%d", i)
		from := r.heardSoFar()
		r.waitFrom(t, from, "a token on "+name+" after the last kill", kind(name, control.KindToken))
	}
	agents.stop()
	r.settle(t)
	r.stop()
	if err := r.Stop(); err != nil {
		t.Fatalf("flattoned did not stop in order: %v", err)
	}
	r.ears.Wait()
	r.checkTokens(t)
	r.checkAgents(t, cfg)
}

// agents do something on their lines whenever a call is up and the line is idle, as people would: arm them, say.
type agents struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func newAgents(r *rig, do func(ctx context.Context, client *control.Client, line string)) *agents {
	ctx, cancel := context.WithCancel(context.Background())
	a := &agents{cancel: cancel}
	a.done.Go(func() {
		for ctx.Err() == nil {
			client := r.current()
			lines, err := client.Lines(ctx)
			for _, l := range lines {
				switch {
				case err != nil || !l.Up || !l.InCall:
				case l.State == control.StateIdle:
					do(ctx, client, l.Name) // refused where the call has just ended: the next will do
				case l.State == control.StateHeld:
					client.Acknowledge(ctx, l.Name)
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	return a
}

// arm readies a line.
func arm(ctx context.Context, client *control.Client, line string) { client.Arm(ctx, line, "") }

func (a *agents) stop() { a.cancel(); a.done.Wait() }

// capturing counts the lines on which a capture is under way.
func (r *rig) capturing() (n int) {
	lines, err := r.current().Lines(context.Background())
	for _, l := range lines {
		if err == nil && (l.State == control.StateArmed || l.State == control.StateKeying) {
			n++
		}
	}
	return n
}

// restart starts the box again and goes on listening.
func (r *rig) restart(t *testing.T) {
	t.Helper()
	r.stop()
	r.ears.Wait()
	r.start(t)
}

// killLine kills a line's process, if it is up.
func (r *rig) killLine(t *testing.T, name string) bool {
	t.Helper()
	lines, err := r.current().Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.Name == name && l.Up {
			return syscall.Kill(l.PID, syscall.SIGKILL) == nil
		}
	}
	return false
}

// settle waits until upstream has everything.
func (r *rig) settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		s, err := r.current().Status(t.Context())
		if err == nil && s.UpstreamPending == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d events are still pending (%v)", s.UpstreamPending, err)
		}
	}
}

// checkTokens holds what was told, on the feed and upstream, against what the vault has.
func (r *rig) checkTokens(t *testing.T) {
	t.Helper()
	told := map[string]string{} // capture -> token
	tell := func(by, capture, token string) {
		if before, ok := told[capture]; ok && before != token {
			t.Errorf("%s: capture %s has two tokens", by, capture)
		}
		told[capture] = token
	}
	for _, e := range r.events {
		if e.Kind == control.KindToken {
			tell("the feed", e.Capture, e.Token)
		}
	}
	ids := map[string]bool{}
	for line := range bytes.Lines(r.got.Bytes()) {
		var got struct {
			ID    string
			Event struct {
				Data struct{ Capture, Token string }
			}
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if ids[got.Event.Data.Token] {
			t.Errorf("upstream has a second event for token %s", got.Event.Data.Token)
		}
		ids[got.Event.Data.Token] = true
		tell("upstream", got.Event.Data.Capture, got.Event.Data.Token)
	}
	r.vault(t, func(v *vault.Vault, log *audit.Log) {
		entries, err := v.List(context.Background(), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		kept := map[string]bool{}
		for _, e := range entries {
			kept[e.Token] = true
			if !ids[e.Token] {
				t.Errorf("token %s is in the vault, and upstream never heard of it", e.Token)
			}
			want := readTruth(t, map[string]string{"visa": "visa", "amex": "amex-corrected"}[e.Brand])
			sameCard(t, v, e.Token, want)
		}
		for capture, token := range told {
			if !kept[token] {
				t.Errorf("capture %s: its token was told, and the vault has lost it", capture)
			}
		}
		if _, err := log.Verify(context.Background()); err != nil {
			t.Error(err)
		}
		t.Logf("%d cards sealed, %d told, each once", len(kept), len(told))
	})
}

// certain is how far above its threshold the attacker must be here: with some thousand keys attacked, one in
// ten thousand is reached by chance. A leak of 3 ms is hundreds above it.
const certain = 7

// leakFrames is the shortest leak that counts: half a millisecond.
const leakFrames = 4

// checkAgents lets the attacker try every call on every line.
func (r *rig) checkAgents(t *testing.T, cfg box.Config) {
	t.Helper()
	attacked, sure, right := 0, 0, 0
	for _, l := range cfg.Lines {
		heard := readWAV(t, r.Heard(l.Name))
		longest := 0 // of what came through, speech included
		at := int(killGap.Seconds() * 8000)
		for _, call := range l.Calls {
			said, want := readWAV(t, filepath.Join(call, "caller.wav")), readTruth(t, filepath.Base(call))
			if at+len(said)+delayFrames > len(heard) {
				break
			}
			report := attack(t, said, heard, want, at)
			attacked += report.Keys
			longest = max(longest, sameRun(said, heard[at+delayFrames:at+delayFrames+len(said)]))
			for i, row := range report.Rows {
				from, to := int(row.Start), int(row.Start)+row.Frames
				if row.LogRatio > adversary.Threshold+certain {
					sure++
					if row.Correct {
						right++
					}
				}
				// What comes through this box comes through bit for bit.
				if n := sameRun(said[from:to], heard[at+delayFrames+from:at+delayFrames+to]); n >= leakFrames {
					t.Errorf("%s: %d frames of key %d of the call at %d s came through", l.Name, n, i, at/8000)
				}
			}
			at += (len(said) + 159) / 160 * 160
			at += int(killGap.Seconds() * 8000)
		}
		// Speech comes through, and where it does it lies where this test looks for keys.
		if longest < 100*leakFrames {
			t.Errorf("%s: no speech came through: the recordings are not aligned, and nothing was proved", l.Name)
		}
	}
	// A box killed, or held, within a flat tone cuts it off, and the attacker, who looks for whole ones, can take
	// the stump for a key: with confidence, and right as often as chance has it.
	t.Logf("%d keys attacked: %d confident readings, %d of them right", attacked, sure, right)
	if p := adversary.AtLeast(right, sure, 1.0/16); p < 1e-4 {
		t.Errorf("%d of %d confident readings are right: by chance that has a probability of %.1g", right, sure, p)
	}
	if attacked < 500 {
		t.Errorf("only %d keys were attacked", attacked)
	}
}

// sameRun is the longest run of frames that are equal and not near silence.
func sameRun(a, b []int16) (longest int) {
	n := 0
	for i := range a {
		if n++; a[i] != b[i] || a[i] > -50 && a[i] < 50 {
			n = 0
		}
		longest = max(longest, n)
	}
	return longest
}

package e2e

import (
	"crypto/rand"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/locked/lockedtest"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/audio/wav"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
)

// TestNoDigitIsLeftBehind keys a card whose security code is 12 digits long (a test profile, on the same code
// path), so that it can be told from chance, and then searches everything written and all memory of every
// process that ran.
func TestNoDigitIsLeftBehind(t *testing.T) {
	t.Parallel()
	pan, cvv := []byte("4000056655665556"), digits(12)
	panCanary, cvvCanary := newCanary("PAN", pan), newCanary("CVV", cvv)
	r, line := keyed(t, slices.Concat(pan, []byte("#1229#"), cvv, []byte("#")), "test_cvv_length = 12")
	if n := searchFiles(t, r.dir, panCanary, cvvCanary); n < 5 {
		t.Fatalf("only %d files to search", n)
	}
	for _, pid := range []int{r.PID(), line} {
		extent := searchMemory(t, pid, panCanary, cvvCanary)
		if extent.Seen < 1<<20 {
			t.Fatalf("only %d bytes of memory to search", extent.Seen)
		}
		if hides := extent.Hidden > 0; hides != lockedtest.HasSecretMemory() {
			t.Errorf("%d bytes of secret memory, where the kernel has it: %t", extent.Hidden, !hides)
		}
		t.Logf("%d KiB are searched, %d KiB of secret memory can't be: see TestNothingRemains", extent.Seen>>10, extent.Hidden>>10)
	}
	for _, c := range []*canary{panCanary, cvvCanary} {
		if c.found > 0 {
			t.Errorf("%s: found in %d places: %v", c.what, c.found, c.where)
		}
	}
}

// TestShortCodesAreNoMoreCommonThanChance searches for a code of the real length. Three digits are in memory by
// chance many times over, so the one that was keyed is compared with forty that never were. It is the one in their
// middle by how often they stand in the programs themselves: some, such as the beginnings of addresses, do so often.
func TestShortCodesAreNoMoreCommonThanChance(t *testing.T) {
	t.Parallel()
	var codes []*canary
	for drawn := map[string]bool{}; len(codes) < 41; {
		if code := digits(3); !drawn[string(code)] {
			drawn[string(code)] = true
			codes = append(codes, &canary{what: "short", forms: map[string][]byte{"ASCII": code, "ASCII, backwards": reversed(code)}})
		}
	}
	for _, program := range []string{"flattoned", "flattone-line"} {
		b, err := os.ReadFile(filepath.Join(bin, program))
		if err != nil {
			t.Fatal(err)
		}
		newHunt(codes).look(program, b, true)
	}
	slices.SortFunc(codes, func(a, b *canary) int { return a.found - b.found })
	keyedCode, controls := codes[20], slices.Concat(codes[:20], codes[21:])
	for _, c := range codes {
		c.found, c.where = 0, nil
	}

	r, line := keyed(t, slices.Concat([]byte("4000056655665556#1229#"), keyedCode.forms["ASCII"], []byte("#")), "")
	searchFiles(t, r.dir, codes...)
	searchMemory(t, r.PID(), codes...)
	searchMemory(t, line, codes...)
	most := 0
	for _, c := range controls {
		most = max(most, c.found)
	}
	// The controls' maximum, and half as much again: digits are not all equally common in a binary.
	if keyedCode.found > most+most/2 {
		t.Errorf("the code that was keyed is in %d places, the most common of 40 others in %d", keyedCode.found, most)
	}
}

// digits are n random digits, no two neighbours alike: zeros and repeats are what chance makes most.
func digits(n int) []byte {
	var out []byte
	for len(out) < n {
		k, _ := rand.Int(rand.Reader, big.NewInt(9))
		if d := byte('1' + k.Int64()); len(out) == 0 || out[len(out)-1] != d {
			out = append(out, d)
		}
	}
	return out
}

// keyed runs a box on a synthesised call that keys the given keys, until the token is delivered. The box
// still runs; line is the pid of its line's process.
func keyed(t *testing.T, keys []byte, profile string) (r *rig, line int) {
	t.Helper()
	call := t.TempDir()
	const rate = audio.Rate8k
	caller := make([]int16, 2*int(rate))
	for _, k := range keys {
		pair, _ := tone.Pair(k, -10, 0)
		caller = tone.Append(caller, rate, 800, 16, pair[:]...)
		caller = append(caller, make([]int16, 1600)...)
	}
	caller = append(caller, make([]int16, 5*int(rate))...)
	for name, samples := range map[string][]int16{"caller.wav": caller, "agent.wav": make([]int16, len(caller))} {
		f, err := os.OpenFile(filepath.Join(call, name), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		w, err := wav.Append(f, 0, rate)
		if err == nil {
			err = w.Write(samples)
		}
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	r = newRig(t, box.Config{Profile: profile, Lines: []box.Line{{Name: "one", Calls: []string{call}, WaitArmed: true}}})
	r.start(t)
	r.arm(t, "one")
	r.wait(t, "the delivery", func(e control.Event) bool { return e.Delivery == control.DeliveryDelivered })
	r.wait(t, "the end of the call", func(e control.Event) bool { return e.Code == control.CallEnded })
	lines, err := r.client.Lines(t.Context())
	if err != nil || len(lines) != 1 || lines[0].PID == 0 {
		t.Fatalf("the line's process is not known: %v", err)
	}
	return r, lines[0].PID
}

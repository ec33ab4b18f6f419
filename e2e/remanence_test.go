package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/tone"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/demo/box"
)

// draw makes n digits of a seed's, none of them its neighbour's like, which is what chance makes most; the first is 4, as Visa's.
func draw(seed uint64, n int) []byte {
	from := rand.New(rand.NewPCG(seed, 0))
	out := []byte("4")
	for len(out) < n {
		if d := byte('0' + from.IntN(10)); out[len(out)-1] != d {
			out = append(out, d)
		}
	}
	return out
}

// drawCard makes a number whose check digit holds (ISO/IEC 7812-1, annex B), and a code of 12 digits.
func drawCard(seed uint64) (pan, cvv []byte) {
	pan = draw(seed, 16)
	sum := 0
	for i, c := range pan[:15] {
		d := int(c - '0')
		if i%2 == 0 {
			d = 2*d/10 + 2*d%10
		}
		sum += d
	}
	pan[15] = byte('0' + (10-sum%10)%10)
	return pan, draw(1000+seed, 12)
}

// dial is a call in which the keys are pressed, as fast as one may count on, and then for a while nothing.
func dial(t *testing.T, keys []byte, then time.Duration) (dir string) {
	t.Helper()
	const rate = audio.Rate8k
	caller := make([]int16, rate)
	for _, k := range keys {
		pair, _ := tone.Pair(k, -10, 0)
		caller = tone.Append(caller, rate, 560, 16, pair[:]...)
		caller = append(caller, make([]int16, 560)...)
	}
	caller = append(caller, make([]int16, rate.Frames(then))...)
	return recorded(t, caller, make([]int16, len(caller)))
}

// TestNothingRemains takes 200 cards on eight lines, without a garbage collection more than there happens to be, and then looks for each of them in everything
// that was written and in all memory of each process. There is no secret memory here, so that nothing is hidden from the search: what holds so holds the
// more with it. A capture that is open is there once in its line's process, not at all in flattoned, and never in what a core would hold.
func TestNothingRemains(t *testing.T) {
	t.Parallel()
	const each, lines = 25, 8
	var canaries []*canary
	cfg := box.Config{Profile: "test_cvv_length = 12", Wrap: []string{os.Args[0], bare}}
	card := func(codeKeys int, then time.Duration) string {
		seed := uint64(len(canaries))
		pan, cvv := drawCard(seed)
		canaries = append(canaries, newCanary(fmt.Sprint("PAN ", seed), pan), newCanary(fmt.Sprint("CVV ", seed), cvv))
		return dial(t, slices.Concat(pan, []byte("#1229#"), cvv[:codeKeys]), then)
	}
	// A recording waits until its line is armed, and a line isn't idle before 3 s of sound have passed since its card was stored: the gap is that, and ten
	// times what storing takes on a busy machine.
	for i := range lines {
		l := box.Line{Name: fmt.Sprintf("line-%d", i), Pace: 20, Gap: 12 * time.Second, WaitArmed: true}
		for range each {
			l.Calls = append(l.Calls, card(12, 4*time.Second))
		}
		cfg.Lines = append(cfg.Lines, l)
	}
	// The last one waits for the last key of its code, which doesn't come.
	cfg.Lines = append(cfg.Lines, box.Line{Name: "open", Calls: []string{card(11, time.Minute)}, Pace: 1, WaitArmed: true})
	taken, open := canaries[:2*lines*each], canaries[2*lines*each:]

	r := newRig(t, cfg)
	r.start(t)
	began := time.Now()
	for n := range each {
		for _, l := range cfg.Lines[:lines] {
			r.wait(t, "a call on "+l.Name, nth(n, code(l.Name, control.CallBegan)))
			if _, err := r.client.Arm(t.Context(), l.Name, ""); err != nil {
				t.Fatalf("call %d on %s: %v", n, l.Name, err)
			}
		}
		for _, l := range cfg.Lines[:lines] {
			r.wait(t, "a token of "+l.Name, nth(n, kind(l.Name, control.KindToken)))
			r.wait(t, l.Name+" to be idle again", nth(n, idleAgain(l.Name)))
		}
	}
	t.Logf("%d cards took %v", lines*each, time.Since(began))
	r.arm(t, "open")
	r.wait(t, "a card that is keyed but for one digit", func(e control.Event) bool { return e.Line == "open" && e.Field == "cvv" && e.Stars == 11 })
	pids := r.pids(t)
	look := func(when string, most map[string]int) { lookThrough(t, when, pids, taken, open, most) }
	look("while a capture is open", map[string]int{"the line open": 1})
	if err := r.client.Disarm(t.Context(), "open"); err != nil {
		t.Fatal(err)
	}
	r.wait(t, "the end of the capture", func(e control.Event) bool {
		return e.Line == "open" && e.Kind == control.KindState && e.State == "void"
	})
	look("once it is given up", nil)
	if n := searchFiles(t, r.dir, canaries...); n < 5 {
		t.Fatalf("only %d files to search", n)
	}
	for _, c := range canaries {
		if c.found > 0 {
			t.Errorf("%s is in a file: %v", c.what, c.where)
		}
	}
}

// nth is the nth, from 0, that is wanted.
func nth(n int, want func(control.Event) bool) func(control.Event) bool {
	return func(e control.Event) bool {
		if want(e) {
			n--
		}
		return n < 0
	}
}

// idleAgain is a line's after a card.
func idleAgain(line string) func(control.Event) bool {
	done := false
	return func(e control.Event) bool {
		if e.Line != line || e.Kind != control.KindState {
			return false
		}
		was := done
		done = e.State == "done"
		return was && e.State == "idle"
	}
}

func code(line, code string) func(control.Event) bool {
	return func(e control.Event) bool { return e.Line == line && e.Code == code }
}

// pids are those of flattoned and of its lines.
func (r *rig) pids(t *testing.T) map[string]int {
	t.Helper()
	all, err := r.client.Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pids := map[string]int{"flattoned": r.PID()}
	for _, l := range all {
		pids["the line "+l.Name] = l.PID
	}
	return pids
}

// lookThrough looks in the memory of processes for cards that were taken, of which there is nothing, and for one that is open, which is where it may be and never in a core.
func lookThrough(t *testing.T, when string, pids map[string]int, taken, open []*canary, most map[string]int) {
	t.Helper()
	began := time.Now()
	for name, pid := range pids {
		for _, c := range slices.Concat(taken, open) {
			c.found, c.dumped, c.where = 0, 0, nil
		}
		if extent := searchMemory(t, pid, slices.Concat(taken, open)...); extent.Seen < 1<<20 || extent.Hidden > 0 {
			t.Errorf("%s, %s: %d bytes are seen, %d hidden", when, name, extent.Seen, extent.Hidden)
		}
		for _, c := range taken {
			if c.found > 0 {
				t.Errorf("%s, %s: %s, which was taken, is in %d places: %v", when, name, c.what, c.found, c.where)
			}
		}
		for _, c := range open {
			if c.found != most[name] || c.dumped > 0 {
				t.Errorf("%s, %s: %s, which is open, is in %d places and %d of a core, not in %d: %v", when, name, c.what, c.found, c.dumped, most[name], c.where)
			}
		}
	}
	t.Logf("%s: a look takes %v", when, time.Since(began))
}

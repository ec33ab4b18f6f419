package mask_test

import (
	"slices"
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/detect"
	"github.com/flattone/flattone/audio/mask"
)

// now asks for a grade at once from a tick on.
func now(from int, g mask.Grade, before func(int) mask.Input) func(int) mask.Input {
	return func(n int) mask.Input {
		in := before(n)
		if n >= from {
			in.Grade, in.Now = g, true
		}
		return in
	}
}

// Where nothing is suspect, Now ends a run 6 ms after it is said, the time in which a key that had begun would be; and Closed, after which it is armed for so long, at
// once. What was masked before stays so.
func TestNowOpensInSixTicks(t *testing.T) {
	closed := func(n int) mask.Input { return mask.Input{Grade: mask.Closed, Verdict: detect.Verdict{Power: 10}} }
	for name, c := range map[string]struct {
		before func(int) mask.Input
		masked bool // just before it opens,
		after  int  // so many ticks after it is said
	}{
		"armed":             {keysAt(), false, 0},
		"armed, in its run": {keysAt(500), true, 6},
		"closed":            {closed, true, 0},
	} {
		for _, g := range []mask.Grade{mask.Idle, mask.Pass} {
			for _, from := range []int{800, 813, 860} {
				_, masked, _ := script{mask.Config{}, 2000, now(from, g, c.before), nil}.play(t)
				if opens := from + c.after; masked[opens-1] != c.masked || slices.Contains(masked[opens:], true) {
					t.Errorf("%s, %v at once from tick %d: masked until %d", name, g, from, len(masked)-slices.Index(reversed(masked), true))
				}
			}
		}
	}
}

func reversed(x []bool) []bool { x = slices.Clone(x); slices.Reverse(x); return x }

// A key that sounds is masked to its end, whenever it is said and whatever grade is asked for, and with it what a lone key's mask is; and not for longer.
func TestNowKeepsTheKeyThatSounds(t *testing.T) {
	const from, until = 500, 700
	for said := from + 1; said < until; said += 7 {
		for _, g := range []mask.Grade{mask.Idle, mask.Pass} {
			for _, was := range []mask.Grade{mask.Armed, mask.Closed} {
				at := now(said, g, func(n int) mask.Input { return mask.Input{Grade: was, Verdict: key(n, from, until)} })
				_, masked, _ := script{mask.Config{}, 2000, at, nil}.play(t)
				if slices.Contains(masked[from:until], false) {
					t.Fatalf("from %v to %v at once from tick %d: the key is heard", was, g, said)
				}
				if last := len(masked) - slices.Index(reversed(masked), true); last > until+220 {
					t.Errorf("from %v to %v at once from tick %d: masked until %d", was, g, said, last)
				}
			}
		}
	}
}

// When it opens doesn't tell in which tick of a few the suspicion of a key ended.
func TestNowDoesNotTellTheKey(t *testing.T) {
	ends := map[int]bool{}
	for late := range 12 { // after the key's sound, which ends at 580
		at := now(540, mask.Pass, func(n int) mask.Input {
			in := keysAt(500)(n)
			in.Verdict.Loose = in.Verdict.Loose || n >= 580 && n < 580+late
			return in
		})
		_, masked, _ := script{mask.Config{}, 2000, at, nil}.play(t)
		ends[len(masked)-slices.Index(reversed(masked), true)] = true
	}
	if len(ends) != 1 {
		t.Errorf("it opens at %v", ends)
	}
}

// What is asked for at once and then armed is armed as ever, and has its whole tail when it is lowered.
func TestArmedAfterNow(t *testing.T) {
	m, err := mask.New(mask.Config{Rate: audio.Rate8k})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ticks := func(n int, in mask.Input) {
		for range n {
			m.Decide(&in)
		}
	}
	ticks(100, mask.Input{Grade: mask.Armed})
	ticks(100, mask.Input{Grade: mask.Idle, Now: true})
	if m.Grade() != mask.Idle || !m.Settled() {
		t.Errorf("opened, it has grade %v", m.Grade())
	}
	ticks(100, mask.Input{Grade: mask.Armed})
	ticks(900, mask.Input{Grade: mask.Idle})
	if m.Grade() != mask.Armed || m.Settled() {
		t.Errorf("in its tail, it has grade %v", m.Grade())
	}
	ticks(7, mask.Input{Grade: mask.Idle, Now: true})
	if m.Grade() != mask.Idle {
		t.Errorf("opened in its tail, it has grade %v", m.Grade())
	}
}

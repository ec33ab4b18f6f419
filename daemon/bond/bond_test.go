package bond

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio/words"
)

// rig is bonds of a chance that is the same every time.
type rig struct {
	*Bonds
	mu   sync.Mutex
	told []string
}

func newRig() *rig {
	r := &rig{}
	r.Bonds = New(Deps{Random: rand.NewChaCha8([32]byte{1}), Tell: func(c Change) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.told = append(r.told, fmt.Sprintf("%s %s %v %s", c.Line, c.Agent, c.On, c.Why)); c.On != (c.Why == "") {
			r.told = append(r.told, "which makes no sense")
		}
	}})
	return r
}

func (r *rig) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.told = nil }()
	return r.told
}

// asks begins a proof, and answers with it and what was spoken.
func (r *rig) asks(t testing.TB, line, agent string) (Proof, []string) {
	t.Helper()
	var spoken []string
	p, err := r.Prove(line, agent, "en", func(s [2]string) error { spoken = s[:]; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return p, spoken
}

// binds proves rightly.
func (r *rig) binds(t testing.TB, line, agent string) {
	t.Helper()
	p, spoken := r.asks(t, line, agent)
	if err := r.Bind(line, agent, p.ID, spoken); err != nil || r.Agent(line) != agent {
		t.Fatalf("%s on %s: %v", agent, line, err)
	}
}

func TestWhoHearsTheWordsHasTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		p, spoken := r.asks(t, "one", "anna")
		if len(p.Choices) != Choices || len(slices.Compact(slices.Sorted(slices.Values(p.Choices)))) != Choices || spoken[0] == spoken[1] {
			t.Errorf("of %q are spoken %q", p.Choices, spoken)
		}
		for _, word := range slices.Concat(p.Choices, spoken) {
			if !slices.Contains(words.In("en"), word) || !slices.Contains(p.Choices, word) {
				t.Errorf("%q is no word to choose", word)
			}
		}
		if r.Agent("one") != "" {
			t.Error("it is hers before she answers")
		}
		if err := r.Bind("one", "anna", p.ID, spoken); err != nil || r.Agent("one") != "anna" {
			t.Errorf("%v, bound is %q", err, r.Agent("one"))
		}
		if got := r.said(); !slices.Equal(got, []string{"one anna true "}) {
			t.Errorf("told %q", got)
		}
		if err := r.Bind("one", "anna", p.ID, spoken); !errors.Is(err, ErrNoProof) {
			t.Errorf("a second time: %v", err)
		}
	})
}

// TestWhatIsNotTheAnswer: every other answer is the same to who gives it, and costs the proof.
func TestWhatIsNotTheAnswer(t *testing.T) {
	for name, answer := range map[string]func(spoken, choices []string) []string{
		"the other way round": func(s, _ []string) []string { return []string{s[1], s[0]} },
		"the first alone":     func(s, _ []string) []string { return s[:1] },
		"the first twice":     func(s, _ []string) []string { return []string{s[0], s[0]} },
		"all":                 func(_, c []string) []string { return c },
		"both and another":    func(s, c []string) []string { return append(s[:2:2], c[0]) },
		"none":                func(_, _ []string) []string { return nil },
		"empty words":         func(_, _ []string) []string { return []string{"", ""} },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			p, spoken := r.asks(t, "one", "anna")
			if err := r.Bind("one", "anna", p.ID, answer(spoken, p.Choices)); err != ErrWrong {
				t.Errorf("%s: %v", name, err)
			}
			if err := r.Bind("one", "anna", p.ID, spoken); err != ErrNoProof {
				t.Errorf("the right one after %s: %v", name, err)
			}
		})
	}
}

func TestWhoseProofItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		p, spoken := r.asks(t, "one", "anna")
		none := func([2]string) error { t.Error("something is spoken"); return nil }
		if _, err := r.Prove("one", "ben", "en", none); err != ErrProving {
			t.Errorf("another agent meanwhile: %v", err)
		}
		if _, err := r.Prove("two", "ben", "xx", none); err != ErrLanguage {
			t.Errorf("in no language: %v", err)
		}
		for _, err := range []error{r.Bind("one", "ben", p.ID, spoken), r.Bind("two", "anna", p.ID, spoken), r.Bind("one", "anna", "prf_other", spoken), r.Bind("one", "anna", "", spoken)} {
			if err != ErrNoProof {
				t.Errorf("another's, on another line, or none: %v", err)
			}
		}
		q, again := r.asks(t, "one", "anna")
		if err := r.Bind("one", "anna", p.ID, spoken); err != ErrNoProof {
			t.Errorf("the one before: %v", err)
		}
		time.Sleep(ProofTime - time.Nanosecond)
		if err := r.Bind("one", "anna", q.ID, again); err != nil {
			t.Errorf("in the last moment: %v", err)
		}
		p, spoken = r.asks(t, "one", "ben")
		time.Sleep(ProofTime)
		if err := r.Bind("one", "ben", p.ID, spoken); err != ErrNoProof || r.Agent("one") != "anna" {
			t.Errorf("too late: %v, bound is %q", err, r.Agent("one"))
		}
		r.asks(t, "one", "carl")
	})
}

// TestSpeakingFails: there is no proof of words that weren't spoken, nor of words that were spoken into the call before.
func TestSpeakingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		var spoken []string
		broken := errors.New("broken")
		p, err := r.Prove("one", "anna", "en", func(s [2]string) error { spoken = s[:]; return broken })
		if err != broken || r.Bind("one", "anna", p.ID, spoken) != ErrNoProof {
			t.Errorf("unspoken: %v", err)
		}
		r.asks(t, "one", "ben") // nobody is in the way
		r.Edge("one", false)
		p, err = r.Prove("one", "anna", "en", func(s [2]string) error { spoken = s[:]; r.Edge("one", false); return nil })
		if err != ErrNoProof || r.Bind("one", "anna", p.ID, spoken) != ErrNoProof {
			t.Errorf("into a call that ended: %v", err)
		}
		p, spoken = r.asks(t, "one", "anna")
		r.Edge("one", false)
		if err := r.Bind("one", "anna", p.ID, spoken); err != ErrNoProof {
			t.Errorf("answered in the next call: %v", err)
		}
	})
}

func TestThreeWrongInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		miss := func(agent string) error {
			p, _ := r.asks(t, "one", agent)
			return r.Bind("one", agent, p.ID, nil)
		}
		for range 2 {
			for range mostWrong {
				if err := miss("anna"); err != ErrWrong {
					t.Fatal(err)
				}
			}
			if _, err := r.Prove("two", "anna", "en", func([2]string) error { t.Error("something is spoken"); return nil }); err != ErrWait {
				t.Errorf("at once: %v", err)
			}
			if err := r.Bind("two", "anna", "prf_x", nil); err != ErrWait {
				t.Errorf("at once: %v", err)
			}
			if err := miss("ben"); err != ErrWrong {
				t.Errorf("another agent: %v", err)
			}
			r.binds(t, "one", "ben") // and what he missed is forgotten
			r.Unbind("one", "ben")
			time.Sleep(waitTime)
		}
		for range mostWrong - 1 {
			miss("anna")
		}
		time.Sleep(wrongTime + time.Second)
		miss("carl")
		if len(r.wrong) != 1 {
			t.Errorf("%d agents are remembered", len(r.wrong))
		}
	})
}

func TestHowBondsEnd(t *testing.T) {
	for why, end := range map[Why]func(*rig, *testing.T){
		GivenUp:  func(r *rig, _ *testing.T) { r.Unbind("one", "anna") },
		CallEdge: func(r *rig, _ *testing.T) { r.Edge("one", false) },
		LineDown: func(r *rig, _ *testing.T) { r.Down("one") },
		Moved:    func(r *rig, t *testing.T) { r.binds(t, "two", "anna") },
		Taken:    func(r *rig, t *testing.T) { r.binds(t, "one", "ben") },
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			r.binds(t, "one", "anna")
			r.said()
			r.Unbind("one", "ben")
			r.Edge("two", false)
			r.Captures("one")
			time.Sleep(10 * time.Hour) // a call may be long where its end is told
			if got := r.said(); len(got) > 0 || r.Agent("one") != "anna" {
				t.Fatalf("told %q", got)
			}
			end(r, t)
			if got := r.said(); got[0] != "one anna false "+string(why) || r.Agent("one") == "anna" {
				t.Errorf("%s: told %q", why, got)
			}
		})
	}
}

// TestPresumedCalls: where nobody tells when a call is over, the agent loses the line a quarter of an hour after his last card.
func TestPresumedCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		r.binds(t, "one", "anna")
		r.Edge("one", true)
		if r.Agent("one") != "" {
			t.Error("that calls are only presumed from now on ends no bond")
		}
		r.binds(t, "one", "anna")
		r.said()
		for range 3 {
			time.Sleep(presumedTime - time.Second)
			r.Captures("one")
		}
		time.Sleep(presumedTime - time.Second)
		r.binds(t, "one", "anna") // once more
		time.Sleep(presumedTime - time.Second)
		if r.Agent("one") != "anna" || len(r.said()) > 0 {
			t.Error("ended too early")
		}
		time.Sleep(2 * time.Second)
		if got := r.said(); !slices.Equal(got, []string{"one anna false idle"}) {
			t.Errorf("told %q", got)
		}
		r.binds(t, "one", "anna")
		r.Edge("one", false) // they are told of again
		r.binds(t, "one", "anna")
		time.Sleep(10 * time.Hour)
		if r.Agent("one") != "anna" {
			t.Error("ended, though calls are told")
		}
	})
}

// TestALineIsOneAgents, whatever happens in whatever order: nobody is on two lines, nobody has a line beyond an edge, and what is told adds up to what is so.
func TestALineIsOneAgents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := map[string]string{}
		b := New(Deps{Random: rand.NewChaCha8([32]byte{2}), Tell: func(c Change) {
			if c.On == (bound[c.Line] != "") || !c.On && bound[c.Line] != c.Agent {
				t.Fatalf("%+v, when %q was bound", c, bound[c.Line])
			}
			delete(bound, c.Line)
			if c.On {
				bound[c.Line] = c.Agent
			}
		}})
		lines, agents := rapid.SampledFrom([]string{"one", "two", "three"}), rapid.SampledFrom([]string{"anna", "ben"})
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			line, agent := lines.Draw(t, "line"), agents.Draw(t, "agent")
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0:
				b.Edge(line, false)
				if b.Agent(line) != "" {
					t.Fatal("bound beyond an edge")
				}
			case 1:
				b.Unbind(line, agent)
			case 2:
				b.Down(line)
			default:
				var spoken []string
				p, err := b.Prove(line, agent, "ja", func(s [2]string) error { spoken = s[:]; return nil })
				if err == nil && rapid.Bool().Draw(t, "right") {
					b.Bind(line, agent, p.ID, spoken)
				}
			}
			of := map[string]int{}
			for _, line := range []string{"one", "two", "three"} {
				if b.Agent(line) != bound[line] {
					t.Fatalf("%s is %q's, and %q was told", line, b.Agent(line), bound[line])
				}
				of[bound[line]]++
			}
			if of["anna"] > 1 || of["ben"] > 1 {
				t.Fatal("an agent is on two lines")
			}
		}
	})
}

// TestGuessing: who hears nothing is right about once in 72.
func TestGuessing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig()
		const tries = 7200
		right := 0
		for i := range tries {
			agent := fmt.Sprint(i)
			clear(r.wrong) // nobody waits here
			p, _ := r.asks(t, "one", agent)
			if r.Bind("one", agent, p.ID, p.Choices[:2]) == nil {
				right++
			}
		}
		t.Logf("%d of %d guesses are right", right, tries)
		if right < 60 || right > 145 { // 100 are to be expected, and 4.5 times their deviation
			t.Errorf("%d of %d guesses are right", right, tries)
		}
	})
}

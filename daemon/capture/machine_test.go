package capture_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/daemon/capture"
)

func digit(key byte) audio.Digit {
	d, ok := audio.NewDigit(key)
	if !ok {
		panic("no such key")
	}
	return d
}

// Every event in every state: the state that follows, and what is said.
func TestStatesAndEvents(t *testing.T) {
	states := []struct{ name, script string }{
		{"empty", ""},
		{"begun", "4242"},
		{"ripe", discover},
		{"sounding", "424(2"},
		{"swallowing", "42#"},
		{"complete", visa},
		{"void", "!"},
	}
	events := []struct{ name, script string }{
		{"digit", "1"}, {"hash", "#"}, {"star", "*"}, {"letter", "A"}, {"unclear", "?"}, {"key end", ")"},
		{"speech", "s"}, {"more time", "m"}, {"3 s", "___"}, {"20 s", "_____ _____ _____ _____"}, {"end", "!"}, {"again", "r"},
	}
	want := map[string][]string{
		"empty": {
			"entering pan:1", "entering", "entering", "entering warn key_ignored", "entering warn unclear_key", "entering",
			"entering", "entering", "entering", "entering", "void void cancelled", "swallowing pan:0"},
		"begun": {
			"entering pan:5", "swallowing pan too_short", "entering pan:3", "entering warn key_ignored", "swallowing pan unclear_key", "entering",
			"entering", "entering", "entering", "void warn key_waiting, void timeout_between_keys", "void void cancelled", "swallowing pan:0"},
		"ripe": {
			"entering pan:17", "complete pan ok discover, complete", "entering pan:15", "entering warn key_ignored", "swallowing pan unclear_key", "entering",
			"entering", "entering", "complete pan ok discover, complete", "complete pan ok discover, complete", "void void cancelled", "swallowing pan:0"},
		"sounding": {
			"sounding pan:5", "swallowing pan too_short", "sounding pan:3", "sounding warn key_ignored", "swallowing pan unclear_key", "entering",
			"sounding", "sounding", "sounding", "sounding", "void void cancelled", "swallowing pan:0"},
		"swallowing": {
			"swallowing", "swallowing", "swallowing", "swallowing warn key_ignored", "swallowing", "swallowing",
			"swallowing", "swallowing", "entering pan:0", "entering pan:0, warn key_waiting", "void void cancelled", "swallowing pan:0"},
		"complete": append(slices.Repeat([]string{"complete"}, 11), "complete over"),
		"void":     append(slices.Repeat([]string{"void"}, 11), "void over"),
	}
	for _, s := range states {
		for i, e := range events {
			c := call(t, only(capture.PAN))
			c.play(s.script).said = nil
			c.stars = true
			c.play(e.script)
			got := strings.TrimSuffix(capture.Where(c.m)+" "+strings.Join(c.said, ", "), " ")
			if got != want[s.name][i] {
				t.Errorf("%s in %s: %q, want %q", e.name, s.name, got, want[s.name][i])
			}
		}
	}
}

// empty reports whether nothing at all is left in the fields.
func empty(m *capture.Machine, fields ...capture.Field) bool {
	for _, f := range fields {
		t := capture.Card(m).PAN
		switch f {
		case capture.Expiry:
			t = capture.Card(m).Expiry
		case capture.CVV:
			t = capture.Card(m).CVV.Text
		}
		if t == nil {
			continue
		}
		n := t.Len()
		room := t.Reveal()
		if n != 0 || len(room) != 0 {
			return false
		}
	}
	return true
}

var keys = []byte("0123456789*#ABCD")

// drawProfile is any profile that is valid.
func drawProfile(rt *rapid.T) capture.Profile {
	fields := rapid.Permutation(capture.Fields()).Draw(rt, "fields")
	return capture.Profile{
		Fields:        fields[:rapid.IntRange(1, 3).Draw(rt, "n")],
		Tries:         rapid.IntRange(1, 4).Draw(rt, "tries"),
		Visa19:        rapid.Bool().Draw(rt, "visa19"),
		TestCVVLength: rapid.SampledFrom([]int{0, 0, 5, 12}).Draw(rt, "test cvv"),
		SameKeyGuard:  rapid.SampledFrom([]time.Duration{0, 40 * time.Millisecond, 250 * time.Millisecond}).Draw(rt, "guard"),
	}
}

// Whatever is keyed: no panic, no field beyond its room, nothing left of what was refused or voided, stars as
// many as digits, and an end that is final.
func TestNothingKeyedBreaksTheMachine(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, err := capture.New(drawProfile(rt), today, start)
		if err != nil {
			rt.Fatal(err)
		}
		defer m.Close()
		now, over := start, false
		check := func(events []capture.Event) {
			for i, e := range events {
				if over {
					rt.Fatal("something is said after the end")
				}
				switch e.Kind {
				case capture.Verdict:
					if e.Code != capture.OK && !empty(m, e.Field) && i == len(events)-1 {
						rt.Fatal("a refused field isn't wiped")
					}
				case capture.Void:
					over = true
					if !empty(m, capture.Fields()...) {
						rt.Fatal("a void card isn't wiped")
					}
				case capture.Complete:
					over = true
				}
			}
			c := capture.Card(m)
			if c.PAN.Len() > 19 || c.Expiry.Len() > 6 || c.CVV.Len() > 12 {
				rt.Fatal("a field holds too much")
			}
		}
		steps := rapid.IntRange(0, 120).Draw(rt, "steps")
		for range steps {
			now += time.Duration(rapid.SampledFrom([]int{0, 30, 100, 200, 650, 1600, 3100, 11000}).Draw(rt, "ms")) * time.Millisecond
			switch rapid.SampledFrom([]string{"key", "key", "key", "key", "end", "unclear", "tick", "speech", "time", "again", "late"}).Draw(rt, "what") {
			case "key":
				check(m.Key(digit(rapid.SampledFrom(keys).Draw(rt, "key")), now))
			case "end":
				check(m.KeyEnd(now))
			case "unclear":
				check(m.Unclear(now))
			case "tick":
				check(m.Tick(now))
			case "speech":
				check(m.Speech(now))
			case "time":
				check(m.MoreTime(now))
			case "again":
				f := rapid.SampledFrom([]capture.Field{0, capture.PAN, capture.Expiry, capture.CVV}).Draw(rt, "field")
				events, err := m.Again(f, now)
				check(events)
				if err == nil && f != 0 && !empty(m, f) {
					rt.Fatal("a field that is keyed anew isn't wiped")
				}
			case "late": // time that goes backwards counts as now
				check(m.Tick(now - time.Minute))
			}
		}
		if over {
			check(m.Tick(now + time.Hour))
			check(m.End(capture.Cancelled))
		} else {
			check(m.End(capture.Cancelled))
			if !over {
				rt.Fatal("the end isn't one")
			}
		}
	})
}

// Telling time more often never changes what is said.
func TestTicksSayNothingNew(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p := drawProfile(rt)
		script := rapid.SliceOfN(rapid.SampledFrom([]byte("0123456789*#42424242__-?smrpev()")), 0, 60).Draw(rt, "script")
		rarely, often := call(t, p), call(t, p)
		rarely.stars, often.stars = true, true
		often.tick = time.Duration(rapid.IntRange(7, 300).Draw(rt, "tick")) * time.Millisecond
		rarely.play(string(script))
		often.play(string(script))
		if !slices.Equal(rarely.said, often.said) {
			rt.Fatal("a machine that was told the time more often says something else")
		}
	})
}

func FuzzKeys(f *testing.F) {
	f.Add([]byte(visa + "#1229#123#"))
	f.Add([]byte("9999**" + amex + "#012031#1234#"))
	f.Add([]byte("42#__42#__42#__"))
	f.Add([]byte("?4(2)_s_m_ABCD"))
	f.Add([]byte(visa + "12p__" + amex + "__29r__1229e__1230"))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 300 {
			return
		}
		legible := slices.DeleteFunc(script, func(b byte) bool { return !strings.ContainsRune("0123456789*#ABCD_-?smrpev()!", rune(b)) })
		c := call(t, capture.Profile{})
		c.play(string(legible))
		c.play("!")
		c.said = slices.DeleteFunc(c.said, func(s string) bool { return s == "over" })
		if n := len(c.said); n > 0 {
			last := c.said[n-1]
			if last != "complete" && !strings.HasPrefix(last, "void") {
				t.Error("the machine has no end")
			}
		}
	})
}

func TestTheMachineAllocatesNextToNothing(t *testing.T) {
	c := call(t, capture.Profile{})
	c.play(visa[:8])
	now := c.now
	four, end := digit('4'), digit('*')
	if n := testing.AllocsPerRun(100, func() {
		now += 500 * time.Millisecond
		c.m.Key(four, now)
		c.m.KeyEnd(now + 50*time.Millisecond)
		c.m.Tick(now + 100*time.Millisecond)
		c.m.Key(end, now+200*time.Millisecond)
		c.m.KeyEnd(now + 250*time.Millisecond)
	}); n > 0 {
		t.Errorf("%v allocations for two keys", n)
	}
}

// The keys of the recorded calls, at their times, give exactly their cards.
func TestRecordedCalls(t *testing.T) {
	for _, name := range []string{"visa", "amex-corrected"} {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("../../data/calls", name, "truth.json"))
			if err != nil {
				t.Fatal(err)
			}
			var truth struct {
				Card struct{ PAN, Expiry, CVV string }
				Keys []struct {
					Digit      string
					Start, End int64
				}
			}
			if err := json.Unmarshal(b, &truth); err != nil {
				t.Fatal(err)
			}
			m, err := capture.New(capture.Profile{}, today, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			c := &caller{t: t, m: m}
			for _, k := range truth.Keys {
				c.note(m.Key(digit(k.Digit[0]), audio.Rate8k.Duration(k.Start)))
				c.note(m.KeyEnd(audio.Rate8k.Duration(k.End)))
			}
			brand := map[string]string{"visa": "visa", "amex-corrected": "amex"}[name]
			c.expect(fmt.Sprintf("pan ok %s, expiry ok, cvv ok, complete", brand))
			c.expectCard(truth.Card.PAN, truth.Card.Expiry, truth.Card.CVV)
		})
	}
}

package iso8583

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/gateway"
)

// TestNoTraceTwiceADay: also over restarts, as long as a box doesn't charge more than ten a second in the long run.
func TestNoTraceTwiceADay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s traces
		seen := map[string]bool{}
		now := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 85_000).Draw(t, "from")) * time.Second)
		for range rapid.IntRange(1, 40).Draw(t, "turns") {
			n := rapid.IntRange(1, 30).Draw(t, "at once")
			for range n {
				got, err := s.next(now)
				day := now.Format(time.DateOnly)
				if err != nil || len(got.stan) != 6 || seen[day+got.stan] || got.time != now.Format("0102150405") {
					t.Fatalf("%+v, %v", got, err)
				}
				seen[day+got.stan] = true
			}
			now = now.Add(time.Duration(max(3, rapid.IntRange(0, 60).Draw(t, "later"))) * time.Second)
			if rapid.Bool().Draw(t, "restart") {
				s = traces{}
			}
		}
	})
}

func TestTheDaysTraces(t *testing.T) {
	var s traces
	evening := time.Date(2026, 11, 27, 23, 59, 59, 0, time.UTC)
	first, err := s.next(evening.In(time.FixedZone("east", 9*3600)))
	if err != nil || first.stan != "863991" || first.time != "1127235959" {
		t.Fatalf("%+v, %v", first, err)
	}
	s.last = mostOne
	for range 2 {
		if _, err := s.next(evening); !errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("after the last of a day: %v", err)
		}
	}
	if got, err := s.next(evening.Add(time.Second)); err != nil || got.stan != "000001" {
		t.Errorf("the next day begins with %+v, %v", got, err)
	}
}

func TestRefs(t *testing.T) {
	for s, good := range map[string]bool{
		"0100:000001:1127184102:ABCDEFGHIJKL":        true,
		"0200:999999:0101000000:1:A12345":            true,
		"":                                           false,
		"0300:000001:1127184102:ABCDEFGHIJKL":        false,
		"0100:00001:1127184102:ABCDEFGHIJKL":         false,
		"0100:000001:1127184102:ABCDEFGHIJKLM":       false,
		"0100:000001:1127184102:":                    false,
		"0100:000001:1127184102:ABC:":                false,
		"0100:000001:1127184102:ABC:A123456":         false,
		"0100:000001:1127184102:ABC:A12345:more":     false,
		"0100:000001:1127184102:ABC:A12345\n0100:00": false,
	} {
		r, err := parseRef(s)
		if good != (err == nil) || good && r.String() != s || !good && !errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("%q: %+v, %v", s, r, err)
		}
	}
	r, _ := parseRef("0100:000123:1127184102:ABC")
	for institution, want := range map[string]string{
		"":            "0100" + "000123" + "1127184102" + "00000000000" + "00000000000",
		"123456":      "0100" + "000123" + "1127184102" + "00000123456" + "00000000000",
		"12345678901": "0100" + "000123" + "1127184102" + "12345678901" + "00000000000",
	} {
		if got := r.original(institution); got != want {
			t.Errorf("field 90 with %q is %s, want %s", institution, got, want)
		}
	}
	if numberOf("pay_a") == numberOf("pay_b") || len(numberOf("pay_a")) != 12 {
		t.Error("a reference number isn't made from its key alone")
	}
}

func TestAge(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		sent string
		now  time.Time
		want time.Duration
	}{
		{"1127184102", at("2026-11-27 18:41:32"), 30 * time.Second},
		{"1231235950", at("2027-01-01 00:00:10"), 20 * time.Second},
		{"1127184102", at("2026-11-27 18:41:00"), -2 * time.Second},
		{"0229000000", at("2028-02-29 00:01:00"), time.Minute},
		{"9999999999", at("2026-11-27 18:41:00"), 0},
	} {
		if got := (ref{trace: trace{time: c.sent}}).age(c.now); got != c.want {
			t.Errorf("%s is %v old at %v, want %v", c.sent, got, c.now, c.want)
		}
	}
}

// TestCodes: each advice ends or is repeated, and what comes a second time is done.
func TestCodes(t *testing.T) {
	for code, want := range map[string]bool{"": true, "91": true, "68": true, "96": true, "00": false, "94": false, "25": false, "58": false, "ZZ": false} {
		if again(code) != want {
			t.Errorf("an advice answered by %q is repeated: %v, want %v", code, !want, want)
		}
	}
	for code := range codes {
		if !codeForm.MatchString(code) {
			t.Errorf("no answer has the code %q", code)
		}
	}
	for currency, number := range currencies {
		if len(currency) != 3 || len(number) != 3 {
			t.Errorf("%s has the number %s", currency, number)
		}
	}
}

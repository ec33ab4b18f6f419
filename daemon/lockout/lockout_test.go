package lockout

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBothClocksMustSayThatItIsOver(t *testing.T) {
	wall := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	since := Moment{wall, 48 * time.Hour}
	for name, tc := range map[string]struct {
		up, wall time.Duration // since then
		left     time.Duration
		anew     bool
	}{
		"at once":                             {0, 0, Time, false},
		"a second too soon":                   {Time - time.Second, Time - time.Second, time.Second, false},
		"half an hour later":                  {Time, Time, 0, false},
		"the clock is set forward a year":     {time.Minute, 8760 * time.Hour, Time - time.Minute, false},
		"the clock is set back a year":        {2 * Time, -8760 * time.Hour, Time, true},
		"the machine starts again":            {-47 * time.Hour, time.Hour, Time, true},
		"again, and the clock is set forward": {-47 * time.Hour, 8760 * time.Hour, Time, true},
		"another box, which was up for long":  {9000 * time.Hour, time.Minute, Time - time.Minute, false},
	} {
		now := Moment{wall.Add(tc.wall), since.Up + tc.up}
		left, from := Left(since, now)
		if left != tc.left || (from == now) != tc.anew && tc.up != 0 {
			t.Errorf("%s: %s left, anew %v; want %s, %v", name, left, from == now, tc.left, tc.anew)
		}
	}
}

// TestNoLockIsCutShort, whatever is done to clock and machine: while it lasts it is looked at now and then, and what is to be kept is kept.
func TestNoLockIsCutShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		truth, now := time.Duration(0), Moment{time.Unix(1_000_000_000, 0), rapid.Custom(span).Draw(t, "up")}
		since := now
		for range 50 {
			step := rapid.Custom(span).Draw(t, "step") / 20
			truth, now = truth+step, Moment{now.Wall.Add(step), now.Up + step}
			switch rapid.IntRange(0, 3).Draw(t, "event") {
			case 0:
				now.Wall = now.Wall.Add(rapid.Custom(span).Draw(t, "set") - 50*time.Minute)
			case 1:
				now.Up = 0
			}
			var left time.Duration
			if left, since = Left(since, now); left == 0 {
				if truth < Time {
					t.Fatalf("open after %s", truth)
				}
				return
			}
		}
	})
}

func span(t *rapid.T) time.Duration {
	return time.Duration(rapid.Int64Range(0, int64(100*time.Minute)).Draw(t, "span"))
}

func TestNow(t *testing.T) {
	a := Now()
	if b := Now(); b.Up < a.Up || a.Up <= 0 || time.Since(a.Wall) > time.Minute {
		t.Errorf("%+v, then %+v", a, b)
	}
}

func TestAccount(t *testing.T) {
	now, a := Moment{time.Unix(1_000_000_000, 0), time.Hour}, Account{}
	if left := a.Left(now); left != 0 {
		t.Errorf("nobody has tried, and it is locked for %s", left)
	}
	for range 2 {
		if err := a.Wrong(now, 3); err != nil {
			t.Error(err)
		}
	}
	if err, ok := errors.AsType[*Error](a.Wrong(now, 3)); !ok || err.Left != Time {
		t.Errorf("the third says %v", err)
	}
	kept := Account{Locked: MomentOf(a.Locked.Micro())}
	if later := (Moment{now.Wall.Add(Time - time.Second), now.Up + Time - time.Second}); kept.Left(later) != time.Second || a.Left(later) != time.Second {
		t.Errorf("a second too soon it is %+v, from the store %+v", a, kept)
	}
	if left := a.Left(Moment{now.Wall.Add(Time), now.Up + Time}); left != 0 || a != (Account{}) {
		t.Errorf("half an hour later it is locked for %s, %+v", left, a)
	}
	if wall, up := a.Locked.Micro(); wall != 0 || up != 0 || MomentOf(0, 0) != (Moment{}) {
		t.Error("none isn't zeros")
	}
}

package vault

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/lockout"
)

// TestCalendar sets a clock while time passes.
func TestCalendar(t *testing.T) {
	const year = 365 * 24 * time.Hour
	began := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	type step struct {
		passes  time.Duration // before it is asked
		set     time.Duration // by how much the clock is, too
		vouched bool
		want    time.Duration // since it began
		may     bool
	}
	for name, test := range map[string]struct {
		off   time.Duration // since the last entry
		steps []step
	}{
		"keeps time":         {steps: []step{{passes: year, want: year, may: true}}},
		"drifts":             {steps: []step{{passes: time.Hour, set: 30 * time.Second, want: time.Hour + 30*time.Second, may: true}, {passes: time.Hour, set: 30 * time.Second, want: 2*time.Hour + time.Minute, may: true}}},
		"set forward":        {steps: []step{{passes: time.Hour, set: year, want: time.Hour, may: true}, {passes: time.Hour, want: 2 * time.Hour, may: true}}},
		"set back":           {steps: []step{{passes: time.Hour, set: -year, want: time.Hour, may: true}, {passes: time.Hour, want: 2 * time.Hour, may: true}}},
		"and right again":    {steps: []step{{set: year, may: true}, {passes: time.Hour, set: -year + time.Second, want: time.Hour + time.Second, may: true}}},
		"vouched for":        {steps: []step{{set: year, vouched: true, want: year, may: true}, {passes: time.Hour, want: year + time.Hour, may: true}}},
		"vouched for later":  {steps: []step{{set: -year, may: true}, {passes: time.Hour, vouched: true, want: time.Hour - year, may: true}}},
		"off for a while":    {off: longestOff, steps: []step{{may: true}}},
		"off for long":       {off: longestOff + 1, steps: []step{{passes: longestDoubt, want: longestDoubt}, {passes: 1, want: longestDoubt + 1, may: true}}},
		"off, and vouched":   {off: year, steps: []step{{}, {passes: time.Minute, vouched: true, want: time.Minute, may: true}, {passes: time.Minute, want: 2 * time.Minute, may: true}}},
		"ahead at the start": {off: -year, steps: []step{{may: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			m, vouched := lockout.Moment{Wall: began, Up: time.Hour}, false
			c := newCalendar(func() lockout.Moment { return m }, func() bool { return vouched }, began.Add(-test.off))
			for i, s := range test.steps {
				m.Wall, m.Up, vouched = m.Wall.Add(s.passes+s.set), m.Up+s.passes, s.vouched
				if now, may := c.shreds(); now.Sub(began) != s.want || may != s.may {
					t.Errorf("at step %d it is %v since it began, and cards may be shredded: %v; want %v, %v", i, now.Sub(began), may, s.want, s.may)
				}
			}
		})
	}
}

// TestClockJumps sets the clock of a vault that runs, a year forward and a year back: a card in flight is there for its day and no longer, one for a single use for its
// time, an hour's quota isn't given twice, and ClockDoubt says so until somebody vouches. Then the clock is what counts.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	for _, jump := range []time.Duration{year, -year} {
		synctest.Test(t, func(t *testing.T) {
			r, err := openRig(t.Context(), t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			r.vault.Close()
			var set atomic.Int64
			began, deps := time.Now(), r.deps()
			deps.Clock = func() lockout.Moment {
				now := time.Now()
				return lockout.Moment{Wall: now.Add(time.Duration(set.Load())), Up: now.Sub(began)}
			}
			if deps.Root, err = openRoot(r.keyFile()); err != nil {
				t.Fatal(err)
			}
			r.root = deps.Root
			cfg := r.cfg
			cfg.Rules = []Rule{{Caller: "payment", Purpose: "charge", Connector: "simulator", PerHour: 2}}
			if r.vault, err = New(t.Context(), cfg, deps); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() {
				ran <- r.vault.Run(ctx, func(_ Purged, err error) {
					if err != nil {
						t.Error(err)
					}
				})
			}()
			defer func() { cancel(); <-ran }()

			seal := func(id string, kind Kind) string {
				c := visa(id)
				c.Kind = kind
				return r.mustSeal(t, c)
			}
			there := func(token string) bool {
				entries, err := r.vault.List(t.Context(), 10)
				if err != nil {
					t.Fatal(err)
				}
				return slices.ContainsFunc(entries, func(e Entry) bool { return e.Token == token })
			}
			before := map[string]string{"flight": seal("before", Flight), "once": seal("once", Once), "kept": seal("kept", Reusable)}
			if err := r.reveals(t, before["kept"], visa("kept")); err != nil {
				t.Fatal(err)
			}
			set.Store(int64(jump))
			time.Sleep(5 * time.Minute)
			if got := r.vault.ClockDoubt(); !strings.HasSuffix(got, "by 8760h0m0s") || strings.Contains(got, "forward") != (jump > 0) {
				t.Errorf("it says %q", got)
			}
			if err := r.reveals(t, before["kept"], visa("kept")); err != nil {
				t.Error(err)
			}
			if err := r.reveals(t, before["kept"], visa("kept")); !errors.Is(err, ErrQuota) {
				t.Errorf("beyond the quota it is answered with %v", err)
			}
			time.Sleep(2 * time.Hour)
			after := seal("after", Flight)
			for time.Since(began) < 24*time.Hour {
				for what, token := range before {
					if !there(token) {
						t.Errorf("after %v the card in %s is gone", time.Since(began), what)
					}
				}
				time.Sleep(time.Hour)
			}
			time.Sleep(2 * time.Minute)
			if there(before["flight"]) || there(before["once"]) || !there(before["kept"]) || !there(after) {
				t.Errorf("a day later there are %v %v %v %v", there(before["flight"]), there(before["once"]), there(before["kept"]), there(after))
			}
			r.audit.ClockIs(audit.Synchronised)
			time.Sleep(2 * time.Minute)
			if got := r.vault.ClockDoubt(); got != "" || there(after) != (jump < 0) {
				t.Errorf("vouched for, it says %q, and the card is there: %v", got, there(after))
			}
			if _, err := r.audit.Verify(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

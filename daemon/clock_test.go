package daemon

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/audit"
	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/lockout"
	"github.com/flattone/flattone/daemon/wire"
)

// The machine's clock is set a year forward, and then a year back: that is told, with its beginning and end in an audit log that stays in order; what was taken is
// there, and more is. Once somebody vouches for the clock it is gone by.
func TestTheClockIsSet(t *testing.T) {
	const year = 365 * 24 * time.Hour
	h := newHouse(t)
	var set atomic.Int64
	h.clock = func() lockout.Moment {
		now := lockout.Now()
		now.Wall = now.Wall.Add(time.Duration(set.Load()))
		return now
	}
	d, _, _ := h.run()
	_, line, client := h.serves(d)
	take := func(capture string) {
		t.Helper()
		if err := line.SendCard(saidOf(capture), visaCard(t)); err != nil {
			t.Fatal(err)
		}
		m, _, err := line.Receive()
		if _, stored := m.(wire.Stored); err != nil || !stored {
			t.Fatalf("the card is answered with %+v, %v", m, err)
		}
	}
	take("cap_aaaaaaaaaaaaaaaaaaaaaaaa27")
	raised := 0
	for _, jump := range []time.Duration{year, -year} {
		set.Store(int64(jump))
		d.clockVitals()
		if s, err := client.Status(t.Context()); err != nil || !strings.Contains(standing(s.Conditions), "clock_jumped/it was set") {
			t.Errorf("status says %+v, %v", s.Conditions, err)
		}
		raised++
		take(newCaptureID())
		set.Store(0)
		d.clockVitals()
		if _, stands := stands(d, health.ClockJumped); stands {
			t.Error("the clock is right again, and it isn't told")
		}
		until(t, "it is in the audit log", func() bool {
			entries, _ := conditionsIn(t, d)
			n := 0
			for _, e := range entries {
				if strings.Contains(e, "clock_jumped") && strings.Contains(e, "PCI DSS 10.6.1") {
					n++
				}
			}
			return n == 2*raised
		})
	}
	if tokens, err := client.Tokens(t.Context(), 10); err != nil || len(tokens) != 3 {
		t.Errorf("the vault has %d cards, %v", len(tokens), err)
	}
	if _, err := d.audit.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	log, err := d.audit.Recent(t.Context(), 100)
	if err != nil || !slices.IsSortedFunc(log, func(a, b audit.Entry) int { return int(b.Seq - a.Seq) }) {
		t.Errorf("the audit log is out of order, %v", err)
	}
	set.Store(int64(year))
	d.audit.ClockIs(audit.Synchronised)
	d.clockVitals()
	if detail, stands := stands(d, health.ClockJumped); stands {
		t.Errorf("a clock that is vouched for is told to be %s", detail)
	}
}

package daemon

import (
	"fmt"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/upstream"
)

// Whatever comes first, the feed tells of the token, then that upstream is to be told, then how that went; and
// nothing is kept of a capture that is over.
func TestTokenIsToldBeforeItsDelivery(t *testing.T) {
	begin := func(d *deliveries) { d.sealing("c", "one") }
	queue := func(d *deliveries) { d.queued("c", "to") }
	seal := func(d *deliveries) { d.sealed(control.Event{Line: "one", Capture: "c", Token: "tok"}) }
	fail := func(d *deliveries) { d.failed("c") }
	retry := func(d *deliveries) { d.tried(upstream.Delivery{To: "to", Key: "c", Reason: "busy"}) }
	deliver := func(d *deliveries) { d.tried(upstream.Delivery{To: "to", Key: "c", Delivered: true}) }
	const token, pending, retrying, delivered = "one token tok ", "one delivery tok pending", "one delivery tok retrying", "one delivery tok delivered"
	for name, test := range map[string]struct {
		happens []func(*deliveries)
		told    []string
		open    int
	}{
		"in order":                   {[]func(*deliveries){begin, queue, seal, retry, deliver}, []string{token, pending, retrying, delivered}, 0},
		"upstream is faster":         {[]func(*deliveries){begin, queue, deliver, seal}, []string{token, pending, delivered}, 0},
		"upstream is faster to fail": {[]func(*deliveries){begin, queue, retry, seal}, []string{token, pending, retrying}, 1},
		"sent again before upstream knows": {[]func(*deliveries){begin, queue, seal, begin, seal, deliver},
			[]string{token, pending, token, delivered}, 0},
		"sent again after it": {[]func(*deliveries){begin, queue, seal, deliver, begin, seal}, []string{token, pending, delivered, token}, 0},
		"sent again to another flattoned, that tells upstream meanwhile": {[]func(*deliveries){begin, deliver, seal}, []string{token, delivered}, 0},
		"not sealed":                     {[]func(*deliveries){begin, fail}, nil, 0},
		"not sealed, rolled back":        {[]func(*deliveries){begin, queue, fail}, nil, 0},
		"not sealed, then sealed":        {[]func(*deliveries){begin, queue, fail, begin, queue, seal, deliver}, []string{token, pending, delivered}, 0},
		"sealed, then not sealed":        {[]func(*deliveries){begin, queue, seal, begin, fail, deliver}, []string{token, pending, delivered}, 0},
		"from before flattoned began":    {[]func(*deliveries){deliver}, []string{" delivery  delivered"}, 0},
		"nobody noted it: still a token": {[]func(*deliveries){queue, seal}, []string{token}, 0},
	} {
		feed := control.NewFeed()
		events := feed.Subscribe(t.Context())
		d := newDeliveries(feed)
		for _, happens := range test.happens {
			happens(d)
		}
		var told []string
		for range len(events) {
			e := <-events
			told = append(told, fmt.Sprint(e.Line, " ", e.Kind, " ", e.Token, " ", e.Delivery))
			if e.Capture != "c" || e.Time == (time.Time{}) || (e.Reason != "") != (e.Delivery == control.DeliveryRetrying) {
				t.Errorf("%s: told %+v", name, e)
			}
		}
		if fmt.Sprint(told) != fmt.Sprint(test.told) {
			t.Errorf("%s: told %q, want %q", name, told, test.told)
		}
		if len(d.open) != test.open {
			t.Errorf("%s: %d captures are kept", name, len(d.open))
		}
	}
}

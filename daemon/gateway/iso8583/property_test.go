package iso8583

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
)

// life is what becomes of one payment in a test: drawn before, for draws come one after the other and payments don't.
type life struct {
	after   time.Duration
	minor   int64
	take    bool
	capture int64 // 0: not
	refund  int64 // 0: not
	void    bool
}

func drawLife(t *rapid.T) life {
	l := life{
		after: time.Duration(rapid.IntRange(0, 30_000).Draw(t, "after ms")) * time.Millisecond,
		minor: rapid.Int64Range(1, 5000).Draw(t, "minor"),
		take:  rapid.Bool().Draw(t, "take"),
		void:  rapid.Bool().Draw(t, "void"),
	}
	if rapid.Bool().Draw(t, "capture") {
		l.capture = rapid.Int64Range(1, l.minor).Draw(t, "captured")
	}
	if rapid.Bool().Draw(t, "refund") {
		l.refund = rapid.Int64Range(1, l.minor).Draw(t, "refunded")
	}
	return l
}

// insists calls a verb until its outcome is known, as who keeps the books does.
func insists(t context.Context, verb func(context.Context) (gateway.Answer, error)) (gateway.Answer, error) {
	var last error
	for range 50 {
		ctx, cancel := context.WithTimeout(t, time.Minute)
		a, err := verb(ctx)
		cancel()
		if err == nil {
			return a, nil
		}
		last = err
		time.Sleep(5 * time.Second)
	}
	return gateway.Answer{}, fmt.Errorf("it is never known: %w", last)
}

// lives goes through a payment and tells what money its caller believes is held or taken.
func (r *rig) lives(key string, l life) (believed int64, err error) {
	time.Sleep(l.after)
	o := anOrder(key, l.minor)
	o.Take = l.take
	c := gateway.Guard(r.c)
	a, ref, err := r.pays(o, good)
	void := func(ctx context.Context) (gateway.Answer, error) { return c.Void(ctx, o, ref) }
	switch {
	case errors.Is(err, gateway.ErrNotSent):
		return 0, nil
	case err != nil:
		a, err = insists(r.t.Context(), void)
		if err == nil && a.Outcome != gateway.Approved {
			err = fmt.Errorf("a void is declined with %s", a.Code)
		}
		return 0, err
	case a.Outcome == gateway.Declined:
		return 0, nil
	}
	believed = l.minor
	if !l.take && l.capture > 0 {
		a, err := insists(r.t.Context(), func(ctx context.Context) (gateway.Answer, error) { return c.Capture(ctx, o, ref, l.capture) })
		if err != nil || a.Outcome != gateway.Approved {
			return 0, fmt.Errorf("capture: %+v, %w", a, err)
		}
		believed = l.capture
	}
	if taken := l.take || l.capture > 0; taken && l.refund > 0 && l.refund <= believed {
		a, err := insists(r.t.Context(), func(ctx context.Context) (gateway.Answer, error) {
			return c.Refund(ctx, o, ref, key+"-refund", l.refund)
		})
		if err != nil || a.Outcome != gateway.Approved {
			return 0, fmt.Errorf("refund: %+v, %w", a, err)
		}
		return believed - l.refund, nil
	}
	if l.void {
		if a, err := insists(r.t.Context(), void); err != nil || a.Outcome != gateway.Approved {
			return 0, fmt.Errorf("void: %+v, %w", a, err)
		}
		return 0, nil
	}
	return believed, nil
}

// TestTheBooksAgree: whatever goes wrong with however many answers, and whenever the connection is lost, the acquirer's books hold what the callers believe, payment by
// payment.
func TestTheBooksAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		lives := rapid.SliceOfN(rapid.Custom(drawLife), 1, 6).Draw(rt, "payments")
		faults := rapid.SliceOfN(rapid.IntRange(0, int(acquirer.Closes)), 0, 30).Draw(rt, "faults")
		losses := rapid.SliceOfN(rapid.IntRange(0, 60), 0, 4).Draw(rt, "losses, in seconds")
		form := forms[rapid.SampledFrom([]string{"characters", "packed, by a TPDU"}).Draw(rt, "form")]
		var wrong error
		bubble(t, form, func(t *testing.T, r *rig) {
			for _, f := range faults {
				r.bank.Script(acquirer.Fault(f))
			}
			for _, at := range losses {
				time.AfterFunc(time.Duration(at)*time.Second, r.bank.HangUp)
			}
			believed, faulty := make([]int64, len(lives)), make([]error, len(lives))
			var all sync.WaitGroup
			for i, l := range lives {
				all.Go(func() { believed[i], faulty[i] = r.lives(fmt.Sprint("pay_", i), l) })
			}
			all.Wait()
			wrong = errors.Join(faulty...)
			time.Sleep(2 * acquirer.Lateness)
			books := r.bank.Books()
			for i := range lives {
				if e := books[numberOf(fmt.Sprint("pay_", i))]; faulty[i] == nil && e.Holds() != believed[i] {
					wrong = errors.Join(wrong, fmt.Errorf("payment %d: the books hold %d, its caller believes %d", i, e.Holds(), believed[i]))
				}
			}
		})
		if wrong != nil {
			rt.Fatal(wrong)
		}
	})
}

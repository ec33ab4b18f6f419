package iso8583

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// told are the states so far.
func (r *rig) told() []State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.states)
}

func (r *rig) lastWhy() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, why := range slices.Backward(r.whys) {
		if why != nil {
			return why.Error()
		}
	}
	return ""
}

// TestAway: nothing is sent, and it comes back by itself.
func TestAway(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		_, ref, err := r.pays(anOrder("pay_a", 1234), good)
		if err != nil {
			t.Fatal(err)
		}
		r.cut(errors.New("no route"))
		if got := r.c.State(); got != Away {
			t.Errorf("it is %v", got)
		}
		o := anOrder("pay_b", 1)
		_, _, err = r.pays(o, good)
		_, errVoid := r.c.Void(t.Context(), o, ref)
		_, errCapture := r.c.Capture(t.Context(), o, ref, 1)
		_, errRefund := r.c.Refund(t.Context(), o, ref, "k", 1)
		for _, err := range []error{err, errVoid, errCapture, errRefund} {
			if !errors.Is(err, gateway.ErrNotSent) {
				t.Errorf("while away: %v", err)
			}
		}
		time.Sleep(time.Hour)
		if last := r.told(); last[len(last)-1] != Away || r.lastWhy() != "no route" {
			t.Errorf("it is %v, because of %q", last[len(last)-1], r.lastWhy())
		}
		r.cut(nil)
		time.Sleep(time.Minute)
		if a, err := r.voids(anOrder("pay_a", 1234), ref); err != nil || a.Outcome != gateway.Approved {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// TestBackOff: the waits between connections double to their bound, and begin anew after a good one.
func TestBackOff(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		r.cut(errors.New("no route"))
		time.Sleep(time.Hour)
		if n := len(r.told()); n < 60 || n > 130 {
			t.Errorf("%d turns in an hour, want one in half a minute to a minute", n)
		}
		r.cut(nil)
		time.Sleep(time.Minute)
		r.bank.HangUp()
		synctest.Wait()
		time.Sleep(time.Second)
		if got := r.c.State(); got != Ready {
			t.Errorf("a second after the loss of a good connection it is %v", got)
		}
	})
}

func TestARefusedSignOn(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		r.bank.Refuse(true)
		r.bank.HangUp()
		time.Sleep(time.Minute)
		if r.c.State() == Ready || !strings.Contains(r.lastWhy(), "sign on: the acquirer refuses it with code 05") {
			t.Errorf("it is %v, because of %q", r.c.State(), r.lastWhy())
		}
		if _, _, err := r.pays(anOrder("pay_a", 1), good); !errors.Is(err, gateway.ErrNotSent) {
			t.Errorf("a payment: %v", err)
		}
		r.bank.Refuse(false)
		time.Sleep(time.Minute)
		if got, want := r.told()[:3], []State{SigningOn, Ready, Away}; !slices.Equal(got, want) || r.c.State() != Ready {
			t.Errorf("it went %v, want %v; and is %v", got, want, r.c.State())
		}
	})
}

// TestEchoes: one that isn't answered ends the connection, and with it what waits.
func TestEchoes(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		time.Sleep(10*time.Minute + time.Second)
		if n := len(r.told()); n != 2 {
			t.Errorf("with good echoes it went %v", r.told())
		}
		r.bank.Ignore(true)
		time.Sleep(88 * time.Second) // the echo was sent 29 s ago, and has one more
		if _, _, err := r.pays(anOrder("pay_a", 1), good); err != nil || slices.Contains(r.told(), Away) {
			t.Errorf("while an echo waits: %v; it went %v", err, r.told())
		}
		time.Sleep(2 * time.Second)
		if !slices.Contains(r.told(), Away) || !strings.Contains(r.lastWhy(), "echo: the acquirer didn't answer") {
			t.Errorf("it went %v, because of %q", r.told(), r.lastWhy())
		}
	})
}

// TestALostConnectionEndsTheWait: who waits learns at once that nobody knows.
func TestALostConnectionEndsTheWait(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		r.bank.Script(acquirer.Silent)
		time.AfterFunc(time.Second, r.bank.HangUp)
		begun := time.Now()
		if _, _, err := r.pays(anOrder("pay_a", 1), good); !errors.Is(err, errLost) || !unknown(err) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestStopping: Run's end ends what is under way.
func TestStopping(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		r.bank.Script(acquirer.Silent)
		time.AfterFunc(time.Second, r.stop)
		if _, _, err := r.pays(anOrder("pay_a", 1), good); !unknown(err) {
			t.Error(err)
		}
		r.stop = func() {}
	})
}

// TestAnAcquirerWhoTakesNothing: a question that he doesn't read ends with its context, and then nobody knows; what waits to be written after it isn't sent.
func TestAnAcquirerWhoTakesNothing(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		r.bank.Script(acquirer.Stuck)
		begun := time.Now()
		_, _, first := r.pays(anOrder("pay_a", 1), good)
		go r.pays(anOrder("pay_b", 1), good) // it is being written
		time.Sleep(10 * time.Second)
		_, _, third := r.pays(anOrder("pay_c", 1), good) // the second's time is up before the third's
		if !unknown(first) || !errors.Is(third, gateway.ErrNotSent) || time.Since(begun) != 40*time.Second {
			t.Errorf("%v; %v, after %v", first, third, time.Since(begun))
		}
		time.Sleep(10 * time.Second)
		if a, _, err := r.pays(anOrder("pay_d", 1), good); err != nil || a.Outcome != gateway.Approved {
			t.Errorf("on the next connection: %+v, %v", a, err)
		}
	})
}

// TestHisEchoes: the acquirer, too, may ask whether the box is there.
func TestHisEchoes(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			bubble(t, form, func(t *testing.T, r *rig) {
				for range 3 {
					r.bank.Echo()
					synctest.Wait()
				}
				if a, _, err := r.pays(anOrder("pay_a", 1), good); err != nil || a.Outcome != gateway.Approved || r.bank.Echoed() != 3 || r.c.Counts() != (Counts{}) {
					t.Errorf("%+v, %v; %d echoes are answered, dropped are %+v", a, err, r.bank.Echoed(), r.c.Counts())
				}
			})
		})
	}
}

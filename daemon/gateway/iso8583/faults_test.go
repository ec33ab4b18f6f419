package iso8583

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// TestFaults: whatever goes wrong with an answer, the payment is approved, or nobody knows; what is dropped is counted; and a void settles it.
func TestFaults(t *testing.T) {
	for name, c := range map[string]struct {
		fault    acquirer.Fault
		approved bool
		dropped  Counts // once what is late has come
	}{
		"the question is lost":   {acquirer.Lost, false, Counts{}},
		"no answer":              {acquirer.Silent, false, Counts{}},
		"a late one":             {acquirer.Late, false, Counts{Strays: 1}},
		"one twice":              {acquirer.Twice, true, Counts{Strays: 1}},
		"noise":                  {acquirer.Garbled, false, Counts{Garbled: 1}},
		"half an answer":         {acquirer.Truncated, false, Counts{}},
		"one that is too long":   {acquirer.Oversized, false, Counts{Garbled: 1}},
		"another trace number":   {acquirer.WrongSTAN, false, Counts{Strays: 1}},
		"another terminal's":     {acquirer.Foreign, false, Counts{Strays: 1}},
		"one without a code":     {acquirer.Codeless, false, Counts{}},
		"one for less":           {acquirer.Short, false, Counts{}},
		"one that has the card":  {acquirer.Repeats, true, Counts{}},
		"the connection is lost": {acquirer.Closes, false, Counts{}},
	} {
		for form := range forms {
			t.Run(name+", "+form, func(t *testing.T) {
				bubble(t, forms[form], func(t *testing.T, r *rig) {
					r.bank.Script(c.fault)
					o := anOrder("pay_a", 1234)
					a, ref, err := r.pays(o, good)
					if c.approved && (err != nil || a.Outcome != gateway.Approved) || !c.approved && !unknown(err) {
						t.Errorf("%+v, %v", a, err)
					}
					time.Sleep(acquirer.Lateness)
					if got := r.c.Counts(); got != c.dropped {
						t.Errorf("dropped: %+v, want %+v", got, c.dropped)
					}
					if got := r.c.State(); got != Ready {
						t.Errorf("a minute later it is %v", got)
					}
					if a, err := r.voids(o, ref); err != nil || a.Outcome != gateway.Approved || r.holds() != 0 {
						t.Errorf("void: %+v, %v, and the books hold %d", a, err, r.holds())
					}
				})
			})
		}
	}
}

// TestAnAdviceIsRepeated until it is answered, by a repeat of the same trace; and what was only late is taken for an answer.
func TestAnAdviceIsRepeated(t *testing.T) {
	for name, c := range map[string]struct {
		faults []acquirer.Fault
		heard  []string
	}{
		"at once":           {nil, []string{"0420"}},
		"lost twice":        {[]acquirer.Fault{acquirer.Lost, acquirer.Lost}, []string{"0420", "0421", "0421"}},
		"late":              {[]acquirer.Fault{acquirer.Late, acquirer.Silent, acquirer.Silent, acquirer.Silent, acquirer.Silent}, []string{"0420", "0421"}},
		"garbled":           {[]acquirer.Fault{acquirer.Garbled}, []string{"0420", "0421"}},
		"without a code":    {[]acquirer.Fault{acquirer.Codeless}, []string{"0420", "0421"}},
		"the line is lost":  {[]acquirer.Fault{acquirer.Closes, acquirer.Closes}, []string{"0420", "0421", "0421"}},
		"no such payment":   {slices.Repeat([]acquirer.Fault{acquirer.NotFound}, 100), nil},
		"none, then one":    {[]acquirer.Fault{acquirer.NotFound, acquirer.NotFound}, []string{"0420", "0421", "0421"}},
		"another terminals": {[]acquirer.Fault{acquirer.Foreign}, []string{"0420", "0421"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, message.Form{}, func(t *testing.T, r *rig) {
				o := anOrder("pay_a", 1234)
				r.bank.Script(acquirer.Silent)
				sent := time.Now()
				_, ref, err := r.pays(o, good)
				if !unknown(err) {
					t.Fatal(err)
				}
				r.bank.Script(c.faults...)
				a, err := r.voids(o, ref)
				if err != nil || a.Outcome != gateway.Approved {
					t.Errorf("%+v, %v", a, err)
				}
				if c.heard == nil { // it was believed, once the payment could no longer be under way
					if took := time.Since(sent); took < time.Minute || took > time.Minute+5*time.Second {
						t.Errorf("believed after %v", took)
					}
					return
				}
				if got := r.bank.Heard()[1:]; !slices.Equal(got, c.heard) || r.holds() != 0 {
					t.Errorf("the acquirer heard %v, want %v; the books hold %d", got, c.heard, r.holds())
				}
			})
		})
	}
}

// TestAVoidEndsWithItsContext, and then nobody knows.
func TestAVoidEndsWithItsContext(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		_, ref, err := r.pays(anOrder("pay_a", 1234), good)
		if err != nil {
			t.Fatal(err)
		}
		r.bank.Script(slices.Repeat([]acquirer.Fault{acquirer.Lost}, 100)...)
		begun := time.Now()
		if a, err := r.voids(anOrder("pay_a", 1234), ref); !unknown(err) || !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 2*time.Minute {
			t.Errorf("%+v, %v, after %v", a, err, time.Since(begun))
		}
	})
}

// TestAReversalBeforeItsPayment: what comes after it takes nothing.
func TestAReversalBeforeItsPayment(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		o := anOrder("pay_a", 1234)
		r.bank.Script(acquirer.Lost)
		_, ref, _ := r.pays(o, good)
		if a, err := r.voids(o, ref); err != nil || a.Outcome != gateway.Approved {
			t.Errorf("%+v, %v", a, err)
		}
		if a, _, err := r.pays(o, good); err != nil || a.Outcome != gateway.Declined || r.holds() != 0 {
			t.Errorf("%+v, %v, and the books hold %d", a, err, r.holds())
		}
	})
}

// TestARestartVoids: a box that was killed undoes a payment by what was noted of it.
func TestARestartVoids(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			bubble(t, form, func(t *testing.T, r *rig) {
				o := anOrder("pay_a", 1234)
				r.bank.Script(acquirer.Silent)
				ctx, kill := context.WithCancel(t.Context())
				var noted string
				_, err := r.c.Authorise(ctx, o, aCard(t, good, "1229", ""), func(ref string) error {
					noted = ref
					time.AfterFunc(time.Second, kill)
					return nil
				})
				if !unknown(err) || r.holds() != 1234 {
					t.Fatalf("%v, and the books hold %d", err, r.holds())
				}
				r.stop()
				r.start(aConfig(form), Deps{})
				if a, err := r.voids(o, noted); err != nil || a.Outcome != gateway.Approved || r.holds() != 0 {
					t.Errorf("%+v, %v, and the books hold %d", a, err, r.holds())
				}
			})
		})
	}
}

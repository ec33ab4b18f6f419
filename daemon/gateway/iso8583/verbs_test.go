package iso8583

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/flattone/flattone/daemon/gateway"
	"github.com/flattone/flattone/daemon/gateway/iso8583/acquirer"
	"github.com/flattone/flattone/daemon/gateway/iso8583/message"
)

// TestVerbs: what each does to the acquirer's books, in both forms.
func TestVerbs(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			bubble(t, form, func(t *testing.T, r *rig) {
				o := anOrder("pay_a", 1234)
				o.Address = gateway.Address{Line: "1 High Street", Postcode: "AB1 2CD"}
				a, ref, err := r.pays(o, good)
				if err != nil || a.Outcome != gateway.Approved || a.Code != "00" || len(a.Auth) != 6 || a.NetworkID != "MCC000001124099" ||
					a.CVV != gateway.Match || a.Postcode != gateway.Match || a.Line != gateway.Match {
					t.Fatalf("%+v, %v", a, err)
				}
				if !strings.HasSuffix(ref, ":"+a.Auth) {
					t.Errorf("the reference is %s: without the authorisation code", ref)
				}
				for range 2 { // it can be repeated
					if a, err := r.c.Capture(t.Context(), o, ref, 1000); err != nil || a.Outcome != gateway.Approved {
						t.Errorf("capture: %+v, %v", a, err)
					}
				}
				if e := r.bank.Books()[numberOf("pay_a")]; e.Taken != 1000 || e.Holds() != 1000 {
					t.Errorf("the books have %+v", e)
				}
				for range 2 { // under one key
					if a, err := r.c.Refund(t.Context(), o, ref, "ref_1", 400); err != nil || a.Outcome != gateway.Approved {
						t.Errorf("refund: %+v, %v", a, err)
					}
				}
				if a, err := r.c.Refund(t.Context(), o, ref, "ref_2", 700); err != nil || a.Outcome != gateway.Declined || a.Class != gateway.Misconfigured {
					t.Errorf("a refund of more than there is: %+v, %v", a, err)
				}
				if e := r.bank.Books()[numberOf("pay_a")]; e.Holds() != 600 {
					t.Errorf("the books have %+v", e)
				}
				if _, err := r.c.Inquire(t.Context(), o, ref); !errors.Is(err, gateway.ErrCannotInquire) {
					t.Errorf("an inquiry: %v", err)
				}

				sale := anOrder("pay_b", 500)
				sale.Take = true
				_, ref, err = r.pays(sale, good)
				if e := r.bank.Books()[numberOf("pay_b")]; err != nil || e.Taken != 500 {
					t.Errorf("a sale: %+v in the books, %v", e, err)
				}
				if _, err := r.c.Capture(t.Context(), sale, ref, 500); !errors.Is(err, gateway.ErrNotSent) {
					t.Errorf("a sale is captured: %v", err)
				}
				if a, err := r.voids(sale, ref); err != nil || a.Outcome != gateway.Approved || r.holds() != 600 {
					t.Errorf("void: %+v, %v, and the books hold %d", a, err, r.holds())
				}
				if got, want := r.bank.Heard(), []string{"0100", "0220", "0220", "0200", "0200", "0200", "0200", "0420"}; !slices.Equal(got, want) {
					t.Errorf("the acquirer heard %v, want %v", got, want)
				}
				if c := r.c.Counts(); c != (Counts{}) {
					t.Errorf("dropped: %+v", c)
				}
			})
		})
	}
}

// TestAKeyIsChargedOnce: who asks again under the same key gets the answer that there was.
func TestAKeyIsChargedOnce(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		for range 3 {
			if a, _, err := r.pays(anOrder("pay_a", 1234), good); err != nil || a.Outcome != gateway.Approved {
				t.Errorf("%+v, %v", a, err)
			}
		}
		if len(r.bank.Books()) != 1 || r.holds() != 1234 {
			t.Errorf("the books have %+v", r.bank.Books())
		}
	})
}

func TestDeclines(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		for i, c := range []struct {
			pan   string
			minor int64
			class gateway.Class
			code  string
		}{
			{"4000000000000002", 100, gateway.Refusal, "05"},
			{"4000000000009995", 100, gateway.Funds, "51"},
			{"4000000000009987", 100, gateway.Stolen, "41"},
			{"4000000000000069", 100, gateway.Expired, "54"},
			{"4000000000000127", 100, gateway.BadCVV, "82"},
			{"4000000000000119", 100, gateway.Later, "96"},
			{good, 1014, gateway.BadCard, "14"},
			{good, 1057, gateway.BadCard, "57"},
			{good, 1061, gateway.Funds, "61"},
			{good, 1091, gateway.Later, "91"},
		} {
			a, _, err := r.pays(anOrder("pay_"+string(rune('a'+i)), c.minor), c.pan)
			if err != nil || a.Outcome != gateway.Declined || a.Class != c.class || a.Code != c.code {
				t.Errorf("%s: %+v, %v; want %s", c.code, a, err, c.class)
			}
		}
		for i, minor := range []int64{1008, 1010, 1068} { // approved for somebody else, for less, too late: nobody knows
			if a, _, err := r.pays(anOrder("open_"+string(rune('a'+i)), minor), good); !unknown(err) {
				t.Errorf("the amount %d: %+v, %v", minor, a, err)
			}
		}
		if r.holds() != 0 {
			t.Errorf("the books hold %d", r.holds())
		}
	})
}

func TestChecks(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		for pan, want := range map[string][3]gateway.Check{
			"4000000000000010": {gateway.Match, gateway.Mismatch, gateway.Mismatch},
			"4000000000000028": {gateway.Match, gateway.Match, gateway.Mismatch},
			"4000000000000036": {gateway.Match, gateway.Mismatch, gateway.Match},
			"4000000000000101": {gateway.Mismatch, gateway.Match, gateway.Match},
		} {
			a, _, err := r.pays(anOrder("pay_"+pan[12:], 100), pan)
			if got := [3]gateway.Check{a.CVV, a.Postcode, a.Line}; err != nil || got != want {
				t.Errorf("%s: %v, %v; want %v", pan[12:], got, err, want)
			}
		}
	})
}

// TestWhatIsntSent: each is refused before anything leaves.
func TestWhatIsntSent(t *testing.T) {
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		full := errors.New("the disk is full")
		keep := func(string) error { return nil }
		done, cancel := context.WithCancel(t.Context())
		cancel()
		for name, try := range map[string]func() error{
			"what isn't kept": func() error {
				_, err := r.c.Authorise(t.Context(), anOrder("a", 1), aCard(t, good, "1229", ""), func(string) error { return full })
				if !errors.Is(err, full) {
					t.Errorf("the keeper's error is lost: %v", err)
				}
				return err
			},
			"after its time": func() error {
				_, err := r.c.Authorise(done, anOrder("a", 1), aCard(t, good, "1229", ""), keep)
				return err
			},
			"nothing": func() error {
				_, err := r.c.Authorise(t.Context(), anOrder("a", 0), aCard(t, good, "1229", ""), keep)
				return err
			},
			"a fortune": func() error {
				_, err := r.c.Authorise(t.Context(), anOrder("a", 1e12), aCard(t, good, "1229", ""), keep)
				return err
			},
			"money that there isn't": func() error {
				_, err := r.c.Authorise(t.Context(), gateway.Order{Key: "a", Minor: 1, Currency: "XXX"}, aCard(t, good, "1229", ""), keep)
				return err
			},
			"no card": func() error {
				_, err := r.c.Authorise(t.Context(), anOrder("a", 1), aCard(t, "", "1229", ""), keep)
				return err
			},
			"an expiry with a year": func() error {
				_, err := r.c.Authorise(t.Context(), anOrder("a", 1), aCard(t, good, "122029", ""), keep)
				return err
			},
			"a network's id of spaces": func() error {
				o := anOrder("a", 1)
				o.Stored = &gateway.Stored{NetworkID: " "}
				_, err := r.c.Authorise(t.Context(), o, aCard(t, good, "1229", ""), keep)
				return err
			},
			"a void of something else": func() error { _, err := r.c.Void(t.Context(), anOrder("a", 1), "pi_3N"); return err },
			"a capture of nothing": func() error {
				_, err := r.c.Capture(t.Context(), anOrder("a", 1), "0100:000001:0101000000:A", 0)
				return err
			},
			"a refund of something else": func() error { _, err := r.c.Refund(t.Context(), anOrder("a", 1), "", "k", 1); return err },
		} {
			if err := try(); !errors.Is(err, gateway.ErrNotSent) || strings.Contains(err.Error(), good) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if heard := r.bank.Heard(); len(heard) != 0 {
			t.Errorf("the acquirer heard %v", heard)
		}
	})
}

// TestStoredUse: a stored card says so, and whose consent it goes back to; and a payment without CVV, address and consent has no field 48.
func TestStoredUse(t *testing.T) {
	cvv, none := aCard(t, good, "1229", "123"), aCard(t, good, "1229", "")
	o := anOrder("a", 1)
	for name, c := range map[string]struct {
		change func(*gateway.Order)
		cvv    bool
		want   string
	}{
		"nothing":          {func(*gateway.Order) {}, false, ""},
		"a CVV":            {func(*gateway.Order) {}, true, "9203123"},
		"an address":       {func(o *gateway.Order) { o.Address.Postcode = "1" }, true, "8202529203123"},
		"consent":          {func(o *gateway.Order) { o.Stored = &gateway.Stored{NetworkID: "MCC1"} }, false, "6304MCC1"},
		"an older consent": {func(o *gateway.Order) { o.Stored = &gateway.Stored{} }, false, ""},
	} {
		o, card := o, none
		if c.cvv {
			card = cvv
		}
		c.change(&o)
		if got, err := private(make([]byte, 200), o, card.CVV.Text); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	if got := address(gateway.Address{Line: "Größe 1, an address that is longer than forty characters", Postcode: "AB1 2CD"}); got != "0107AB1 2CD0240Gre 1, an address that is longer than fo" {
		t.Errorf("an address is %q", got)
	}
	bubble(t, message.Form{}, func(t *testing.T, r *rig) {
		fields, err := r.c.common(trace{"1", "1"}, goods, 1, gateway.Order{Currency: "EUR", Stored: &gateway.Stored{}}, "R")
		if at := slices.IndexFunc(fields, func(f message.Field) bool { return f.Number == 22 }); err != nil || fields[at].Text != onFile {
			t.Errorf("a stored card's entry mode is %v, %v", fields, err)
		}
	})
}

// TestManyAtOnce: each gets its own answer, whatever the order.
func TestManyAtOnce(t *testing.T) {
	bubble(t, message.Form{Packed: true}, func(t *testing.T, r *rig) {
		for range 20 {
			r.bank.Script(acquirer.Held, acquirer.None)
		}
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				minor := int64(10000 + 100*i)
				if i%2 == 1 {
					minor += 51
				}
				a, _, err := r.pays(anOrder("pay_"+string(rune('a'+i)), minor), good)
				if err != nil || (a.Outcome == gateway.Declined) != (i%2 == 1) {
					t.Errorf("%d: %+v, %v", i, a, err)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		if c := r.c.Counts(); c != (Counts{}) {
			t.Errorf("dropped: %+v", c)
		}
	})
}

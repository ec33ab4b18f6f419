package capture_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flattone/flattone/daemon/capture"
	"github.com/flattone/flattone/daemon/secret"
)

func TestAFieldIsKeyedAnew(t *testing.T) {
	two := only(capture.PAN, capture.CVV)
	for _, c := range []struct {
		name    string
		profile capture.Profile
		script  string
		want    string
	}{
		{"the present one", only(capture.PAN), mastercard[:9] + "r__" + visa, "pan ok visa, complete"},
		{"the present one, by name", only(capture.PAN), mastercard[:9] + "p__" + visa, "pan ok visa, complete"},
		{"before its first key", only(capture.PAN), "r__" + visa, "pan ok visa, complete"},
		{"one that was taken, and then the next", capture.Profile{}, mastercard + "p__" + visa + "1229 123", "pan ok mastercard, pan ok visa, expiry ok, cvv ok, complete"},
		{"one that was taken, back to where it was", capture.Profile{}, visa + "1229 e__ 1230 123", "pan ok visa, expiry ok, expiry ok, cvv ok, complete"},
		{"the others stay", capture.Profile{}, mastercard + "1229 p__" + visa + "123", "pan ok mastercard, expiry ok, pan ok visa, cvv ok, complete"},
		{"the one that was interrupted begins anew", capture.Profile{}, visa + "12 p__" + visa + "1229 123", "pan ok visa, pan ok visa, expiry ok, cvv ok, complete"},
		{"both", capture.Profile{}, visa + "1229 p__ e__ 1230" + mastercard + "123", "pan ok visa, expiry ok, expiry ok, pan ok mastercard, cvv ok, complete"},
		{"a code of the new card's length", two, visa + "p__" + amex + "1234", "pan ok visa, pan ok amex, cvv ok, complete"},
		{"a code of the old card's length", only(capture.CVV, capture.PAN), "1234 p__", "cvv ok"},

		{"what is keyed at once doesn't count", only(capture.PAN), "99r" + visa + "__" + mastercard, "pan ok mastercard, complete"},
		{"1.4 s of quiet are not enough", only(capture.PAN), "99r_----" + visa, ""},
		{"1.5 s are", only(capture.PAN), "99r_-----" + visa, "pan ok visa, complete"},
		{"whatever passed without a key before", only(capture.PAN), "99____r" + visa, ""},
		{"a key that sounds on doesn't count", only(capture.PAN), "9(9 r ____) __" + visa, "pan ok visa, complete"},
		{"an unclear key while it is quiet", only(capture.PAN), "99r_?_____" + visa, "pan ok visa, complete"},
		{"more time all the same", only(capture.PAN), "99r__ _____ _____ m _____ ____" + visa, "warn key_waiting, pan ok visa, complete"},
		{"the time-out too", only(capture.PAN), "99r__ _____ _____ _____ _____", "warn key_waiting, void timeout_between_keys"},

		{"tries aren't counted", capture.Profile{Fields: []capture.Field{capture.PAN}, Tries: 2}, "42#__ 42r__ 42r__ 42#__" + visa, "pan too_short, pan too_short, pan ok visa, complete"},
		{"after a refusal", only(capture.PAN), "42#r__" + visa, "pan too_short, pan ok visa, complete"},
		{"one that isn't asked for", two, "42e" + visa[2:] + "123", "not asked, pan ok visa, cvv ok, complete"},
		{"one whose turn hasn't come", capture.Profile{}, "42v" + visa[2:] + "1229 123", "not keyed, pan ok visa, expiry ok, cvv ok, complete"},
		{"a complete card", only(capture.PAN), visa + "rp", "pan ok visa, complete, over, over"},
		{"a void one", only(capture.PAN), visa[:3] + "!rp", "void cancelled, over, over"},
		{"a field that has just ended of itself", only(capture.PAN, capture.Expiry), discover + "__-------- ---- p__" + visa + "1229", "pan ok discover, pan ok visa, expiry ok, complete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call(t, c.profile).play(c.script).expect(c.want)
			steps := call(t, c.profile)
			steps.tick = 10 * time.Millisecond
			steps.play(c.script).expect(c.want)
		})
	}
}

func TestStarsOfAFieldKeyedAnew(t *testing.T) {
	c := call(t, capture.Profile{})
	c.stars = true
	c.play("42r").expect("pan:1, pan:2, pan:0")
	c.play("42__").expect("pan:0")
	c.play(visa + "12").said = nil
	c.play("p").expect("expiry:0, pan:0")
	c.play("__4").expect("pan:0, pan:1")
}

// Whatever is keyed and keyed anew, the card is what was keyed last of each field, and nothing else lies in its page: not after a field was
// begun anew, and not at the end.
func TestTheCardIsWhatWasKeyedLast(t *testing.T) {
	values := map[capture.Field][]string{
		capture.PAN:    {visa, mastercard, twoSeries, jcb, maestro},
		capture.Expiry: {"1229", "0131", "1126", "0635"},
		capture.CVV:    {"123", "987", "000", "555"},
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := call(t, capture.Profile{})
		keyed := map[capture.Field]string{}
		present := capture.PAN
		next := func() {
			for _, f := range capture.Fields() {
				if present = f; keyed[f] == "" {
					return
				}
			}
			present = 0
		}
		again := func(f capture.Field) {
			delete(keyed, f)
			present = f
			c.again(f)
			if !onlyHolds(t, c.m, keyed) {
				rt.Fatal("there is more in the page than the other fields")
			}
			c.play("__")
		}
		for range rapid.IntRange(0, 12).Draw(rt, "steps") {
			f := rapid.SampledFrom(capture.Fields()).Draw(rt, "field")
			whole := rapid.SampledFrom(values[present]).Draw(rt, "value")
			switch left := len(keyed) < 2 || keyed[present] != ""; {
			case rapid.Bool().Draw(rt, "part") || !left: // the last field is keyed at the end
				c.play(whole[:len(whole)-1])
				if keyed[f] == "" {
					f = present
				}
				again(f)
			default:
				c.play(whole + "#___")
				keyed[present] = whole
				next()
				if keyed[f] != "" && rapid.Bool().Draw(rt, "at once") {
					again(f)
				}
			}
		}
		for present != 0 {
			whole := rapid.SampledFrom(values[present]).Draw(rt, "value")
			keyed[present] = whole
			c.play(whole + "#")
			next()
		}
		if capture.Where(c.m) != "complete" || !onlyHolds(t, c.m, keyed) {
			rt.Fatal("card differs")
		}
	})
}

// onlyHolds reports whether the page of m's card holds these fields and not a byte besides. It never shows any.
func onlyHolds(t *testing.T, m *capture.Machine, fields map[capture.Field]string) bool {
	t.Helper()
	var got, want [secret.CardSize]byte
	if err := capture.Card(m).MarshalTo(got[:]); err != nil {
		t.Fatal(err)
	}
	card, err := secret.NewCard()
	if err != nil {
		t.Fatal(err)
	}
	defer card.Destroy()
	for f, text := range map[capture.Field]*secret.Text{capture.PAN: card.PAN, capture.Expiry: card.Expiry, capture.CVV: card.CVV.Text} {
		for _, d := range []byte(fields[f]) {
			if err := text.Append(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := card.MarshalTo(want[:]); err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(got[:], want[:])
}

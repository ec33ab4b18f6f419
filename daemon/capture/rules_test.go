package capture_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/capture"
)

func only(fields ...capture.Field) capture.Profile { return capture.Profile{Fields: fields} }

// Test numbers published by the schemes and by payment services.
const (
	visa       = "4242424242424242"
	mastercard = "5555555555554444"
	twoSeries  = "2223003122003222"
	amex       = "378282246310005"
	discover   = "6011111111111117"
	diners     = "30569309025904"
	jcb        = "3530111333300000"
	unionPay   = "6200000000000005"
	maestro    = "6759649826438453"
)

func TestRules(t *testing.T) {
	pan, expiry, cvv := only(capture.PAN), only(capture.Expiry), only(capture.CVV)
	visa19 := capture.Profile{Fields: []capture.Field{capture.PAN}, Visa19: true}
	guarded := capture.Profile{Fields: []capture.Field{capture.PAN}, SameKeyGuard: 150 * time.Millisecond}
	for _, c := range []struct {
		name    string
		profile capture.Profile
		script  string
		want    string
	}{
		// A whole card.
		{"each field ended by itself", capture.Profile{}, visa + "1229" + "123", "pan ok visa, expiry ok, cvv ok, complete"},
		{"each field ended with #", capture.Profile{}, visa + "# 1229# 123#", "pan ok visa, expiry ok, cvv ok, complete"},
		{"each # held over, or pressed twice", capture.Profile{}, visa + "## 1229## 123##", "pan ok visa, expiry ok, cvv ok, complete"},
		{"another order", only(capture.CVV, capture.PAN, capture.Expiry), "123# " + visa + " 1229", "cvv ok, pan ok visa, expiry ok, complete"},
		{"an amex with three-digit code, code first", only(capture.CVV, capture.PAN), "123# " + amex + "__ 1234",
			"cvv ok, pan ok amex, cvv cvv_length, cvv ok, complete"},

		// How a number ends.
		{"one length and a good check digit", pan, mastercard, "pan ok mastercard, complete"},
		{"visa of 16", pan, visa, "pan ok visa, complete"},
		{"visa of 16 where 19 occur", visa19, visa, ""},
		{"visa of 16 where 19 occur, #", visa19, visa + "#", "pan ok visa, complete"},
		{"visa of 16 where 19 occur, quiet", visa19, visa + "___", "pan ok visa, complete"},
		{"visa of 19", visa19, withCheckDigit("424242", 19), "pan ok visa, complete"},
		{"visa of 13, #", pan, "4222222222222#", "pan ok visa, complete"},
		{"visa of 13, quiet", pan, "4222222222222___", "pan ok visa, complete"},
		{"open length needs # or quiet", pan, discover, ""},
		{"open length, #", pan, discover + "#", "pan ok discover, complete"},
		{"open length, 2.8 s of quiet", pan, discover + "__-----", ""},
		{"open length, 3 s of quiet", pan, discover + "___", "pan ok discover, complete"},
		{"quiet counts from the end of a key", pan, discover[:15] + "(7 ____) __-------", ""},
		{"a pause while reading the card", pan, visa[:8] + "_______" + visa[8:], "pan ok visa, complete"},
		{"a pause after twelve of a maestro, wrong so far", pan, maestro[:12] + "_____" + maestro[12:] + "#", "pan ok maestro, complete"},
		{"the longest of all ends by itself", pan, "6205500000000000004", "pan ok unionpay, complete"},

		// Why a number is refused.
		{"wrong check digit, waits", pan, "4242424242424241", ""},
		{"wrong check digit, #", pan, "4242424242424241#", "pan luhn"},
		{"wrong check digit, quiet", pan, "4242424242424241____", "pan luhn"},
		{"wrong check digit of an amex, quiet", pan, "378282246310006____", "pan luhn"},
		{"wrong check digit, corrected", pan, "4242424242424241*2", "pan ok visa, complete"},
		{"too short", pan, "42424242#", "pan too_short"},
		{"too short to look up", pan, "42#", "pan too_short"},
		{"one digit too many", pan, "42424242424242411", "pan too_long"},
		{"too many digits for any card", pan, "99999999999999999999", "pan too_long"},
		{"no such brand", pan, "9999999999999995#", "pan unknown_brand"},
		{"brand not taken", capture.Profile{Fields: []capture.Field{capture.PAN}, Brands: []capture.Brand{capture.Visa}}, amex + "#",
			"pan brand_not_accepted amex"},

		// Corrections.
		{"* deletes one digit", pan, visa[:15] + "3*2", "pan ok visa, complete"},
		{"* * slowly deletes two", pan, visa[:14] + "99*-----_*" + visa[14:], "pan ok visa, complete"},
		{"** starts again", pan, "99999**" + visa, "pan ok visa, complete"},
		{"*** starts again, and deletes nothing", pan, "99999***" + visa, "pan ok visa, complete"},
		{"* digit * is no **", pan, visa[:14] + "9*9*" + visa[14:], "pan ok visa, complete"},
		{"** at 700 ms", pan, "99*-----*" + visa, "pan ok visa, complete"},
		{"* * at 800 ms", pan, visa[:2] + "99*------*" + visa[2:], "pan ok visa, complete"},
		{"* on nothing", pan, "*" + visa, "pan ok visa, complete"},
		{"# on nothing", pan, "#" + visa, "pan ok visa, complete"},
		{"A to D", pan, "4A2B" + visa[2:] + "C", "warn key_ignored, warn key_ignored, pan ok visa, complete"},
		{"a letter between two * changes nothing", pan, "99*A*" + visa, "warn key_ignored, pan ok visa, complete"},

		// Expiry.
		{"MMYY is certain", expiry, "1229", "expiry ok, complete"},
		{"MMYYYY", expiry, "122029", "expiry ok, complete"},
		{"MM20 waits for YY", expiry, "1220____", ""},
		{"MM20 is the year 2020", expiry, "1220#", "expiry expired"},
		{"this month is good", expiry, "1126", "expiry ok, complete"},
		{"last month is not", expiry, "1026#", "expiry expired"},
		{"last month, MMYYYY", expiry, "102026#", "expiry expired"},
		{"past waits for a correction", expiry, "1025**1028", "expiry ok, complete"},
		{"past, quiet", expiry, "1025____", "expiry expired"},
		{"month 13", expiry, "1329#", "expiry expiry_invalid"},
		{"month 0", expiry, "0029#", "expiry expiry_invalid"},
		{"three digits", expiry, "129#", "expiry expiry_invalid"},
		{"five digits", expiry, "12202#", "expiry expiry_invalid"},
		{"seven digits", expiry, "1320291", "expiry expiry_invalid"},
		{"twenty years", expiry, "1146", "expiry ok, complete"},
		{"more than twenty years", expiry, "1246#", "expiry expiry_too_far"},
		{"another century", expiry, "122129#", "expiry expiry_too_far"},

		// CVV.
		{"cvv alone, three, #", cvv, "123#", "cvv ok, complete"},
		{"cvv alone, three, quiet", cvv, "123___", "cvv ok, complete"},
		{"cvv alone, four", cvv, "1234", "cvv ok, complete"},
		{"cvv alone, two", cvv, "12#", "cvv cvv_length"},
		{"cvv of a visa", only(capture.PAN, capture.CVV), visa + "123", "pan ok visa, cvv ok, complete"},
		{"cvv of an amex", only(capture.PAN, capture.CVV), amex + "123___4", "pan ok amex, cvv ok, complete"},
		{"cvv of an amex, three", only(capture.PAN, capture.CVV), amex + "123#", "pan ok amex, cvv cvv_length"},
		{"cvv of twelve, for tests", capture.Profile{TestCVVLength: 12}, visa + "1229" + "123456789012",
			"pan ok visa, expiry ok, cvv ok, complete"},
		{"cvv of twelve, three", capture.Profile{Fields: []capture.Field{capture.CVV}, TestCVVLength: 12}, "123#", "cvv cvv_length"},

		// Refusals.
		{"keys are swallowed until 1.5 s of quiet", pan, "42# 111*#-------" + "111 __" + visa, "pan too_short, pan ok visa, complete"},
		{"1.4 s are not enough", pan, "42#_--" + visa, "pan too_short"},
		{"three refusals", pan, "42#__ 42#__ 42#", "pan too_short, pan too_short, pan too_short, void too_many_tries"},
		{"tries count by field", capture.Profile{Tries: 2}, "42#__" + visa + "12#__" + "1229" + "12#__123",
			"pan too_short, pan ok visa, expiry expiry_invalid, expiry ok, cvv cvv_length, cvv ok, complete"},
		{"one try", capture.Profile{Tries: 1}, "42#", "pan too_short, void too_many_tries"},
		{"nothing follows a void", pan, "42!" + visa + "?sm____", "void cancelled"},
		{"nothing follows a card", pan, visa + visa + "?sm!____", "pan ok visa, complete"},

		// Unclear keys.
		{"unclear within a field", pan, visa[:5] + "?" + visa[5:] + "__" + visa, "pan unclear_key, pan ok visa, complete"},
		{"unclear first key", pan, "?" + visa[1:] + "__" + visa, "warn unclear_key, pan unclear_key, pan ok visa, complete"},
		{"unclear first key, the next one soon", pan, "?4_----" + visa, "warn unclear_key, pan unclear_key, pan ok visa, complete"},
		{"unclear long before the first key: a voice", pan, "?_____" + visa, "warn unclear_key, pan ok visa, complete"},
		{"quiet is not quiet while the caller speaks", pan, discover + "__s__s__", ""},
		{"quiet after speech", pan, discover + "__s___", "pan ok discover, complete"},
		{"unclear while swallowing goes on swallowing", pan, "42#_-?_-" + visa, "pan too_short"},
		{"unclear between two *", pan, "99*?__" + visa, "pan unclear_key, pan ok visa, complete"},

		// Time.
		{"no key yet: only the whole is timed", pan, "______________________________" + visa, "pan ok visa, complete"},
		{"20 s after a key", pan, "4_________ _________ __", "warn key_waiting, void timeout_between_keys"},
		{"the warning once", pan, "4_____ _____ _____ ____", "warn key_waiting"},
		{"speech holds", pan, "4_____ ____s _____ _____ ____s _____ ____" + visa[1:], "warn key_waiting, pan ok visa, complete"},
		{"more time", pan, "4_____ _____ _____m _____ _____ _____" + visa[1:], "warn key_waiting, warn key_waiting, pan ok visa, complete"},
		{"a key that is held is no wait", pan, "4(2_____ _____ _____ _____ _____)" + visa[2:], "pan ok visa, complete"},
		{"between fields it counts too", only(capture.PAN, capture.CVV), visa + "_____ _____ _____ ______",
			"pan ok visa, warn key_waiting, void timeout_between_keys"},

		// A phone that doubles keys.
		{"the same key after a fixed guard", guarded, strings.Join(strings.Split(mastercard, ""), "-"), "pan ok mastercard, complete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			call(t, c.profile).play(c.script).expect(c.want)
			// Time told in small steps changes nothing.
			steps := call(t, c.profile)
			steps.tick = 10 * time.Millisecond
			steps.play(c.script).expect(c.want)
		})
	}
}

// A clock that stands before 2021 doesn't make the beginning of MM20YY a whole date.
func TestMM20IsNeverCertain(t *testing.T) {
	m, err := capture.New(only(capture.Expiry), time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC), start)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	c := &caller{t: t, m: m, now: start}
	c.play("1220____").expect("")
	c.play("29").expect("expiry ok, complete")
}

func TestOverallTimeout(t *testing.T) {
	c := call(t, only(capture.PAN))
	for range 30 {
		c.play("_____ ____s _")
	}
	c.play("_").expect("") // the caller spoke two seconds ago
	c.play("_").expect("void timeout_overall")

	c = call(t, only(capture.PAN))
	for i := range 60 {
		c.play("4*_____ ____")
		if i == 20 {
			c.play("m")
		}
	}
	c.expect("void timeout_overall")
	if c.now < start+8*time.Minute {
		t.Error("more time did not begin the whole again")
	}
}

func TestStars(t *testing.T) {
	c := call(t, capture.Profile{})
	c.stars = true
	c.play("42*9**").expect("pan:1, pan:2, pan:1, pan:2, pan:1, pan:0")
	c.play("*#").expect("")
	c.play("42#").expect("pan:1, pan:2, pan too_short")
	c.play("999__").expect("pan:0")
	c.play(visa[:15]).said = nil
	c.play(visa[15:] + "#1").expect("pan:16, pan ok visa, expiry:0, expiry:1")
	c.play("229 123").expect("expiry:2, expiry:3, expiry:4, expiry ok, cvv:0, cvv:1, cvv:2, cvv:3, cvv ok, complete")
	c.expectCard(visa, "1229", "123")
}

func TestCardIsExactlyWhatWasKeyed(t *testing.T) {
	c := call(t, capture.Profile{})
	c.play("9999** " + amex[:3] + "9*" + amex[3:] + "# 012031# 1234")
	c.expectCard(amex, "0131", "1234")
	for _, pan := range []string{visa, mastercard, twoSeries, amex, discover, diners, jcb, unionPay, maestro} {
		c := call(t, only(capture.PAN))
		c.play(pan + "#")
		c.expectCard(pan, "", "")
	}
}

func TestCompleteTellsWhatMayBeTold(t *testing.T) {
	c := call(t, capture.Profile{})
	c.play(visa + "122029" + "12")
	three := digit('3')
	got := c.m.Key(three, c.now)
	want := capture.Event{Kind: capture.Complete, Brand: capture.Visa, Last4: "4242", ExpiryMonth: 12, ExpiryYear: 2029}
	if len(got) != 3 || got[2] != want {
		t.Error("what is told of the card differs")
	}
	if got[1] != (capture.Event{Kind: capture.Verdict, Field: capture.CVV, Code: capture.OK, Length: 3}) {
		t.Error("what is told of the CVV differs")
	}
}

func TestARefusalTellsLengthAndTries(t *testing.T) {
	c := call(t, only(capture.PAN))
	c.play("4242424242424241")
	got := c.m.Key(digit('#'), c.now)
	if len(got) != 1 || got[0] != (capture.Event{Kind: capture.Verdict, Field: capture.PAN, Code: capture.Luhn, Length: 16, Tries: 1}) {
		t.Error("what is told of a refusal differs")
	}
}

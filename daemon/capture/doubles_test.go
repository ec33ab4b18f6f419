package capture_test

import (
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/capture"
)

// doubled keys a script as a phone does that sends every key twice.
func (c *caller) doubled(script string, pause time.Duration) *caller {
	for i, k := range []byte(script) {
		c.press(k, keyLasts, keyLasts+pause)
		c.press(k, keyLasts, keyLasts+200*time.Millisecond+time.Duration(i%3)*50*time.Millisecond)
	}
	return c
}

func TestAFixedGuardLeavesBouncesOut(t *testing.T) {
	p := capture.Profile{SameKeyGuard: 100 * time.Millisecond}
	call(t, p).doubled(visa+"#1229#123", 50*time.Millisecond).expect("pan ok visa, expiry ok, cvv ok, complete")
	call(t, p).doubled(mastercard+"#", 99*time.Millisecond).expect("pan ok mastercard")
	// Beyond the guard the same key counts twice.
	call(t, p).doubled(visa[:8], 110*time.Millisecond).play("#").expect("pan luhn")
	// A phone sends a key twice, not three times.
	c := call(t, capture.Profile{Fields: []capture.Field{capture.CVV}, SameKeyGuard: 100 * time.Millisecond})
	c.press('1', keyLasts, keyLasts+50*time.Millisecond)
	c.press('1', keyLasts, keyLasts+50*time.Millisecond)
	c.press('1', keyLasts, keyLasts+150*time.Millisecond)
	c.play("23#")
	c.expectCard("", "", "1123")
}

// The pause that tells a bounce runs from the key before, whatever happened in it.
func TestSpeechDoesNotShortenThePause(t *testing.T) {
	c := call(t, capture.Profile{Fields: []capture.Field{capture.CVV}, SameKeyGuard: 100 * time.Millisecond})
	c.press('1', keyLasts, keyLasts+100*time.Millisecond)
	c.play("s")
	c.pass(50 * time.Millisecond)
	c.play("12#")
	c.expectCard("", "", "112")
}

func TestTheGuardLearnsAPhoneThatDoubles(t *testing.T) {
	for _, pause := range []time.Duration{30 * time.Millisecond, 60 * time.Millisecond, 150 * time.Millisecond} {
		c := call(t, capture.Profile{})
		c.doubled(visa[:5], pause).play("__").doubled(visa+"#1229#123#", pause)
		c.expect("pan keys_doubled, pan ok visa, expiry ok, cvv ok, complete")
		c.expectCard(visa, "1229", "123")
	}
	c := call(t, capture.Profile{})
	c.doubled(mastercard[:4], 60*time.Millisecond).play("__") // 5555 begins with four equal pairs
	c.doubled(mastercard+"#0131#", 60*time.Millisecond)
	c.expect("pan keys_doubled, pan ok mastercard, expiry ok")
}

// What spoils a lesson spoils it for that field alone.
func TestTheGuardLearnsWithEachFieldAnew(t *testing.T) {
	for name, spoil := range map[string]func(*caller){
		"a star": func(c *caller) { c.doubled("42*", 60*time.Millisecond).play("_").doubled("*", 60*time.Millisecond) },
		"an uneven pause": func(c *caller) {
			c.press('4', keyLasts, keyLasts+90*time.Millisecond)
			c.press('4', keyLasts, keyLasts+200*time.Millisecond)
			c.doubled(visa[1:]+"##", 60*time.Millisecond).play("__")
			c.expect("pan too_long")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := call(t, only(capture.PAN))
			spoil(c)
			c.said = nil
			c.doubled(visa[:4], 60*time.Millisecond).play("__").doubled(visa, 60*time.Millisecond)
			c.expect("pan keys_doubled, pan ok visa, complete")
		})
	}
}

func TestTheGuardLearnsNothingFromAHand(t *testing.T) {
	fours := "4444333322221111" // all pairs
	t.Run("in one rhythm", func(t *testing.T) {
		call(t, only(capture.PAN)).play(fours + "#").expect("pan ok visa, complete")
	})
	t.Run("in quick pairs, unevenly", func(t *testing.T) {
		c := call(t, only(capture.PAN))
		for i, k := range []byte(fours) {
			every := keyLasts + 300*time.Millisecond
			if i%2 == 0 {
				every = keyLasts + 90*time.Millisecond + time.Duration(i%3)*30*time.Millisecond
			}
			c.press(k, keyLasts, every)
		}
		c.expect("pan ok visa, complete")
	})
	t.Run("three quick fives", func(t *testing.T) {
		c := call(t, only(capture.PAN))
		for _, k := range []byte(mastercard) {
			c.press(k, keyLasts, keyLasts+70*time.Millisecond)
		}
		c.expect("pan ok mastercard, complete")
	})
}

// A hand that keys a number in even pairs, of which the first four are of equal digits, is heard in the end, and
// within the tries there are.
func TestAHandTakenForADoublingPhoneIsFoundOut(t *testing.T) {
	number := withCheckDigit("4400556612", 16)
	for _, c := range []struct {
		name  string
		tries []string
		want  string
	}{
		{"who stops when told to", []string{number[:8], number, number}, "pan keys_doubled, pan unclear_key, pan ok visa, complete"},
		{"who keys on", []string{number, number}, "pan keys_doubled, pan ok visa, complete"},
	} {
		t.Run(c.name, func(t *testing.T) {
			caller := call(t, only(capture.PAN))
			for _, keys := range c.tries {
				for i, k := range []byte(keys) {
					caller.press(k, keyLasts, keyLasts+130*time.Millisecond+time.Duration(i%2)*220*time.Millisecond)
				}
				caller.play("__")
			}
			caller.expect(c.want)
			caller.expectCard(number, "", "")
		})
	}
}

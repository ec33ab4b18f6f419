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
		c.doubled(visa+"#1229#123#", pause).expect("warn keys_doubled, pan ok visa, expiry ok, cvv ok, complete")
		c.expectCard(visa, "1229", "123")
	}
	c := call(t, capture.Profile{})
	c.doubled(mastercard+"#0131#", 60*time.Millisecond) // 5555 begins with four equal pairs
	c.expect("warn keys_doubled, pan ok mastercard, expiry ok")
	c = call(t, capture.Profile{})
	c.stars = true
	c.doubled(visa[:5], 60*time.Millisecond)
	c.expect("pan:1, pan:2, pan:3, pan:4, pan:5, pan:6, pan:7, pan:8, warn keys_doubled, pan:4, pan:5")
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
	t.Run("a correction ends the lesson", func(t *testing.T) {
		c := call(t, only(capture.PAN))
		c.doubled("44*", 60*time.Millisecond).play(visa[:4]).doubled("2222", 60*time.Millisecond).expect("")
	})
	t.Run("three quick fives", func(t *testing.T) {
		c := call(t, only(capture.PAN))
		for _, k := range []byte(mastercard) {
			c.press(k, keyLasts, keyLasts+70*time.Millisecond)
		}
		c.expect("pan ok mastercard, complete")
	})
}

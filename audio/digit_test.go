package audio_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/flattone/flattone/audio"
)

// Every way Go has of printing a value, and each must show the same thing for every key.
func printed(d audio.Digit) []string {
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%c", "%U", "%t", "%08.3f", "%T"} {
		out = append(out, fmt.Sprintf(verb, d), fmt.Sprintf(verb, &d), fmt.Sprintf(verb, []audio.Digit{d}))
	}
	j, _ := json.Marshal(map[string]any{"d": d, "list": []audio.Digit{d}})
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})).Info("key", "digit", d)
	return append(out, string(j), log.String())
}

func TestDigitPrintsTheSameWhateverWasKeyed(t *testing.T) {
	one, _ := audio.NewDigit('1')
	want := printed(one)
	for _, key := range []byte("0123456789*#ABCD") {
		d, ok := audio.NewDigit(key)
		if !ok || d.IsNone() || d.Reveal() != key {
			t.Fatal("a key does not come back")
		}
		for i, got := range printed(d) {
			if got != want[i] && !strings.Contains(got, "0x") && !strings.Contains(got, "0X") {
				t.Errorf("printing %d tells keys apart", i)
			}
		}
	}
}

func TestDigitIsPaddedInMemory(t *testing.T) {
	type holder struct{ d audio.Digit } // unexported: fmt reflects, and calls no method
	d, _ := audio.NewDigit('7')
	// The key, or its number; 155 and 255 are numbers that a padded one may have.
	if s := fmt.Sprintf("%v %d", holder{d}, holder{d}); regexp.MustCompile(`\b(55|7)\b`).MatchString(s) {
		t.Error("a nested digit shows its key")
	}
}

func TestOnlyTheSixteenKeysAreDigits(t *testing.T) {
	n := 0
	for b := range 256 {
		if _, ok := audio.NewDigit(byte(b)); ok {
			n++
		}
	}
	if n != 16 {
		t.Errorf("%d bytes are digits", n)
	}
	if d, ok := audio.NewDigit('x'); ok || !d.IsNone() || d.Reveal() != 0 {
		t.Error("x is a digit")
	}
}

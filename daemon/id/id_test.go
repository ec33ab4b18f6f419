package id

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestIDsSortByTheirTime: what the store's order, and so its speed with many cards, rests on.
func TestIDsSortByTheirTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		micros := rapid.Int64Range(0, 1<<55).Draw(t, "micros")
		before, after := New("tok_", time.UnixMicro(micros)), New("tok_", time.UnixMicro(micros+1))
		if !Is(before, "tok_") || !Is(after, "tok_") {
			t.Fatalf("%s or %s isn't taken for a token", before, after)
		}
		if before >= after {
			t.Fatalf("%s was made before %s and sorts after it", before, after)
		}
	})
}

func TestIDsOfOneTimeDiffer(t *testing.T) {
	var ids []string
	now := time.Now()
	for range 10_000 {
		ids = append(ids, New("tok_", now), Random("tok_"))
	}
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 20_000 {
		t.Errorf("%d ids of 20000 differ", n)
	}
}

// TestFormOfIDs: nothing but an id is taken for one. A card number could be told in its place.
func TestFormOfIDs(t *testing.T) {
	good := Random("tok_")
	for _, bad := range []string{"", "tok_", good[:29], good + "a", strings.ToUpper(good), "cap_" + good[4:], good[4:], "tok_" + strings.Repeat("1", 26), "tok_4242424242424242" + good[20:29] + "0"} {
		if Is(bad, "tok_") {
			t.Errorf("%q is taken for a token", bad)
		}
	}
	if !Is(good, "tok_") || !Is(New("cap_", time.Now()), "cap_") {
		t.Error("an id isn't taken for one")
	}
}

package contact

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// Each sign is how the contact is seen at one look, 10 ms after the one before: # is closed.
func TestSettled(t *testing.T) {
	hook, ring := settled{closing: bounces, opening: bounces}, settled{opening: ringing}
	open := strings.Repeat("_", 50)
	for name, c := range map[string]struct {
		settled
		seen string
		told []string
	}{
		"open from the start":              {hook, "______", []string{"open at 3"}},
		"closed from the start":            {hook, "######", []string{"closed at 3"}},
		"bounces at the start":             {hook, "#_#_##_____", []string{"open at 9"}},
		"closes":                           {hook, "____#####", []string{"open at 3", "closed at 7"}},
		"closes, bouncing for 20 ms":       {hook, "____#_####", []string{"open at 3", "closed at 9"}},
		"opens, bouncing for 20 ms":        {hook, "#####_#_____", []string{"closed at 3", "open at 10"}},
		"knocks":                           {hook, "____#__##_______###____", []string{"open at 3"}},
		"never rests":                      {hook, "#_#_#_#_#_#_#_", nil},
		"rings":                            {ring, open + "_#######" + open + "__", []string{"open at 50", "closed at 51", "open at 108"}},
		"follows the ringing current":      {ring, open + "_#_##__#_##_" + open, []string{"open at 50", "closed at 51", "open at 111"}},
		"a double ring is one":             {ring, open + "_####____________________####" + open + "_", []string{"open at 50", "closed at 51", "open at 129"}},
		"rings from the start":             {ring, "##", []string{"closed at 0"}},
		"rings again":                      {ring, "#_" + open + "#_" + open + "#", []string{"closed at 0", "open at 51", "closed at 52", "open at 103", "closed at 104"}},
		"a look that comes late is enough": {hook, "#....#", []string{"closed at 5"}},
	} {
		var told []string
		start := time.Now()
		for i, sign := range c.seen {
			if sign != '.' && c.look(sign == '#', start.Add(time.Duration(i)*every)) {
				told = append(told, fmt.Sprintf("%s at %d", map[bool]string{true: "closed", false: "open"}[c.closed], i))
			}
		}
		if !slices.Equal(told, c.told) {
			t.Errorf("%s: told %q, want %q", name, told, c.told)
		}
	}
}

package payment

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestEventsAreDocumented: whoever is told finds each type and each member of it in docs/events.md.
func TestEventsAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"payment." + string(Approved), "payment." + string(Declined), "payment." + string(Failed), "payment.act_" + string(Declined), "payment.act_" + string(Failed),
		NotReached, Refused, Interrupted, NotThere, Undone, NoCard, TooLate, NotConfigured, Duplicate}
	for _, kind := range happened {
		words = append(words, kind)
	}
	for _, data := range []any{told{}, toldAct{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(data)) {
			if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
				words = append(words, name)
			}
		}
	}
	for _, w := range words {
		if !strings.Contains(string(doc), "`"+w+"`") {
			t.Errorf("docs/events.md doesn't have `%s`", w)
		}
	}
}

package capture_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/capture"
)

func TestValidateNamesEveryFault(t *testing.T) {
	if err := (capture.Profile{}).Validate(); err != nil {
		t.Errorf("the default profile: %v", err)
	}
	bad := capture.Profile{
		Fields:        []capture.Field{capture.PAN, capture.PAN, 9},
		Brands:        []capture.Brand{"switch"},
		Tries:         -1,
		KeyTimeout:    time.Second,
		QuietEnd:      -time.Second,
		SameKeyGuard:  time.Second,
		TestCVVLength: 13,
	}
	err := bad.Validate()
	if err == nil {
		t.Fatal("taken")
	}
	for _, part := range []string{"field 9 is unknown", "pan is asked for twice", `"switch"`, "-1 tries", "-1s", "no sooner", "guard of 1s", "13 digits"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("nothing says %q", part)
		}
	}
	if _, err := capture.New(bad, today, 0); err == nil {
		t.Error("a machine was made of it")
	}
}

func TestFieldNames(t *testing.T) {
	for _, f := range capture.Fields() {
		if got, err := capture.ParseField(f.String()); err != nil || got != f {
			t.Errorf("%v: %v, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "PAN", "no field", "track2"} {
		if _, err := capture.ParseField(name); err == nil {
			t.Errorf("%q is a field", name)
		}
	}
	if capture.Field(0).String() != "no field" || capture.Field(9).String() != "no field" {
		t.Error("what is no field has a name")
	}
}

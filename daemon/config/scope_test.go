package config

import (
	"strings"
	"testing"
)

func TestScopeByPlace(t *testing.T) {
	trunk, desk := Line{Place: TrunkSide}.Scope(), Line{Place: DeskSide}.Scope()
	if !strings.HasPrefix(trunk, "trunk-side: phones, PBX") || strings.Contains(trunk, "hear every key") {
		t.Errorf("trunk-side says %q", trunk)
	}
	if !strings.HasPrefix(desk, "desk-side: only") || !strings.Contains(desk, "stay in PCI DSS scope") {
		t.Errorf("desk-side says %q", desk)
	}
}

func TestConsequences(t *testing.T) {
	for _, test := range []struct {
		name, doc string
		want      []string // the beginnings
	}{
		{"the safest there is", small, []string{"vault.key_file: demo only"}},
		{"idle lets keys through", with("[[line]]", `idle = "pass"`), []string{"vault.key_file: ", `line[0].idle = "pass": `}},
		{"rhythm shows", with("[[line]]", `shield = "keys"`), []string{"vault.key_file: ", `line[0].shield = "keys": `}},
		{"a test profile", with("[profile.card]", "test_cvv_length = 12"), []string{"vault.key_file: ", "profile.card.test_cvv_length: "}},
		{"plain http", strings.Replace(small, "https://example.com/hook", "http://[::1]:80/", 1), []string{"vault.key_file: ", "upstream.webhook.url: not encrypted"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := Parse("f.toml", []byte(test.doc))
			if err != nil {
				t.Fatal(err)
			}
			got := c.Consequences()
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], test.want[i]) {
					t.Errorf("got %q, want it to begin with %q", got[i], test.want[i])
				}
			}
		})
	}
}

func TestFlatToneStaysClearOfSignals(t *testing.T) {
	for hz, near := range map[int]bool{1020: false, 1270: false, 1002: true, 1039: false, 1040: false, 1041: true, 941: true, 1209: true, 1633: true, 2100: true, 425: true, 300: true, 2900: false} {
		if got, what := tooNear(hz); got != near {
			t.Errorf("%d Hz: near is %v (%s), want %v", hz, got, what, near)
		}
	}
}

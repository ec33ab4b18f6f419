package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Names that this machine doesn't know are told of, for it may not be the one that the file is for, and are no faults.
func TestNamesThatTheMachineDoesNotKnow(t *testing.T) {
	c, err := Parse(filepath.Join(t.TempDir(), "f.toml"), []byte(with("", `roles.viewer = ["root", "@root", "no-such-user", "@no-such-group"]`)))
	if err != nil {
		t.Fatal(err)
	}
	if list := c.Consequences(); strings.Contains(strings.Join(list, "\n"), "no-such") {
		t.Errorf("known without having looked: %q", list)
	}
	c.strangers = c.unknownHere()
	var got []string
	for _, text := range c.Consequences() {
		if strings.HasPrefix(text, "roles.") {
			got = append(got, text)
		}
	}
	if len(got) != 2 || !strings.Contains(got[0], "roles.viewer: this machine has no user no-such-user.") ||
		!strings.Contains(got[1], "roles.viewer: this machine has no group no-such-group.") {
		t.Errorf("told %q", got)
	}
}

// The defaults name a group that a machine without the package doesn't have, and that is no news.
func TestDefaultRolesAreNotToldOf(t *testing.T) {
	doc, err := os.ReadFile("../../configs/demo.toml")
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(doc), "[roles]")
	_, after, _ := strings.Cut(string(doc), "[vault]")
	c, err := Parse(filepath.Join(t.TempDir(), "f.toml"), []byte(before+"[vault]"+after))
	if err != nil {
		t.Fatal(err)
	}
	if list := c.unknownHere(); len(list) > 0 {
		t.Errorf("told %q", list)
	}
	if !slices.Contains(c.Roles.Technician, "@flattone-admin") {
		t.Error("there is nothing to be silent about")
	}
}

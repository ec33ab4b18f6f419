package systemd_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// setting is one line of a unit.
type setting struct{ section, key, value string }

// unit is a unit as systemd reads it: its file, then what is dropped in.
type unit []setting

// dropIns are where systemd looks for more of a unit, by its name: see systemd.unit(5).
var dropIns = map[string][]string{
	"flattoned.service":       {"flattoned.service.d"},
	"flattoned.socket":        nil,
	"flattone-desk.service":   {"flattone-.service.d"},
	"flattone-line@.service":  {"flattone-.service.d", "flattone-line@.service.d"},
	"flattone-probe@.service": {"flattone-.service.d", "flattone-probe@.service.d"},
	"flattone-probe.socket":   nil,
	"flattone.target":         nil,
	"flattone-lines.target":   nil,
}

// others are no units.
var others = []string{"flattone.sysusers", "flattone.tmpfiles", "flattone.udev", "flattone.polkit.rules"}

// read reads all units. One that the table doesn't know is a fault.
func read(t *testing.T) map[string]unit {
	t.Helper()
	units := map[string]unit{}
	there, err := filepath.Glob("flattone*")
	if err != nil {
		t.Fatal(err)
	}
	folders := slices.Concat(slices.Collect(maps.Values(dropIns))...)
	for _, name := range there {
		if _, known := dropIns[name]; !known && !slices.Contains(folders, name) && !slices.Contains(others, name) {
			t.Errorf("%s is no unit that these tests know", name)
		}
	}
	for name, folders := range dropIns {
		files := []string{name}
		for _, folder := range folders {
			more, err := filepath.Glob(folder + "/*.conf")
			if err != nil || len(more) == 0 {
				t.Fatalf("nothing is dropped in from %s: %v", folder, err)
			}
			files = append(files, more...)
		}
		for _, file := range files {
			units[name] = append(units[name], parse(t, file)...)
		}
	}
	return units
}

func parse(t *testing.T, file string) (u unit) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		key, value, assigned := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = line
		case assigned:
			u = append(u, setting{section, key, value})
		default:
			t.Errorf("%s: %q is no setting", file, line)
		}
	}
	return u
}

// all are the values of a key, in order.
func (u unit) all(key string) (values []string) {
	for _, s := range u {
		if s.key == key {
			values = append(values, s.value)
		}
	}
	return values
}

// is reports a key that has another value, or several.
func (u unit) is(t *testing.T, name, key, want string) {
	t.Helper()
	if got := u.all(key); len(got) != 1 || got[0] != want {
		t.Errorf("%s has %s=%q, and it should be %q", name, key, got, want)
	}
}

package acceptance_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/flattone/flattone/daemon/acceptance"
	"github.com/flattone/flattone/daemon/acceptance/acceptancetest"
)

// A report is good only as long as every figure is there and within its bounds, whatever it says of itself; and of no other line.
func TestGood(t *testing.T) {
	if r := acceptancetest.Good("one", "f"); !r.Good() || !r.Holds("f") || r.Holds("g") {
		t.Errorf("a report of figures at their bounds has the faults %+v", r.Faults())
	}
	for i, name := range acceptance.Names() {
		r := acceptancetest.Good("one", "f")
		f := r.Figures[i]
		if f.What == "" {
			t.Errorf("%s has no words", name)
		}
		r.Figures = slices.Delete(r.Figures, i, i+1)
		if faults := r.Faults(); len(faults) != 1 || faults[0].Name != name || !math.IsNaN(faults[0].Value) {
			t.Errorf("without %s the faults are %+v", name, faults)
		}
		for bound, beyond := range map[*float64]float64{f.Least: -1, f.Most: 1} {
			if bound == nil {
				continue
			}
			bad := f
			bad.Value, bad.Good = *bound+beyond, true
			r := acceptancetest.Good("one", "f")
			r.Figures[i], r.Accepted = bad, true
			if r.Good() || r.Holds("f") {
				t.Errorf("%s of %v is good", name, bad.Value)
			}
			if again := acceptance.Measured(name, bad.Value); again.Good {
				t.Errorf("%s of %v measures good", name, bad.Value)
			}
		}
	}
	if (acceptance.Report{Accepted: true}).Good() {
		t.Error("an empty report is good")
	}
	if f := acceptance.Measured(acceptance.SoftestKey, math.Inf(1)); f.Value > 1e6 {
		t.Errorf("what has no end can't be told: %v", f.Value)
	}
}

// The last report of a line comes back as it was, and nothing else for it.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	f := acceptance.In(dir)
	if _, err := f.Last("one"); !errors.Is(err, acceptance.ErrNone) {
		t.Errorf("of a line that was never tuned: %v", err)
	}
	first, second := acceptancetest.Good("one", "f"), acceptancetest.Good("one", "g")
	for _, r := range []acceptance.Report{first, second} {
		if err := f.Keep(r); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := f.Last("one"); err != nil || !reflect.DeepEqual(got, second) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := f.Last("two"); !errors.Is(err, acceptance.ErrNone) {
		t.Errorf("of another line: %v", err)
	}
	path := filepath.Join(dir, "acceptance", "one.json")
	if info, err := os.Stat(filepath.Dir(path)); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		t.Fatal(err)
	}
	if place, ok := raw["recorder"].(map[string]any); !ok || place["file"] != "" || place["verdict"] != "" {
		t.Errorf("the place for the site's recorder is %v", raw["recorder"])
	}
	for name, spoil := range map[string]func() error{
		"lets others at it": func() error { return os.Chmod(path, 0o644) },
		"of line": func() error {
			return os.WriteFile(path, []byte(strings.Replace(string(text), `"one"`, `"two"`, 1)), 0o600)
		},
		"unexpected end": func() error { return os.WriteFile(path, text[:len(text)/2], 0o600) },
	} {
		if err := errors.Join(os.WriteFile(path, text, 0o600), os.Chmod(path, 0o600), spoil()); err != nil {
			t.Fatal(err)
		}
		if r, err := f.Last("one"); err == nil || !strings.Contains(err.Error(), name) || r.Good() {
			t.Errorf("a file that %s: %v", name, err)
		}
	}
}

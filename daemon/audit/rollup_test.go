package audit

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/store"
)

// Each day has one roll-up, over all that was logged since the one before, and names what somebody should look at.
func TestRollUp(t *testing.T) {
	r := newRig(t)
	day := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	note := func(action, result string, at time.Time) {
		t.Helper()
		err := r.db.Write(t.Context(), func(tx *store.Tx) error {
			return r.log.Append(tx, Event{Actor: "anna", Action: action, Object: "x", Result: result, Origin: "test", Time: at})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rollUp := func(at time.Time, due bool, from, to int64, text string) {
		t.Helper()
		got, was, err := r.log.RollUp(t.Context(), at)
		if err != nil || was != due || due && (got.From != from || got.To != to || got.Text() != text) {
			t.Errorf("due %v: %+v, %q, %v", was, got, got.Text(), err)
		}
	}
	rollUp(day, false, 0, 0, "")
	note("card.sealed", "ok", day)
	note("card.sealed", "ok", day)
	note("card.used", "no rule", day)
	note("control.refused", "no role", day)
	rollUp(day.Add(time.Hour), false, 0, 0, "")
	rollUp(day.Add(24*time.Hour), true, 0, 4, "4 entries; to look at: card.used 1, control.refused 1; all: card.sealed 2, card.used 1, control.refused 1")
	rollUp(day.Add(25*time.Hour), false, 0, 0, "")
	for range page + 10 {
		note("card.used", "ok", day.Add(26*time.Hour))
	}
	rollUp(day.Add(72*time.Hour), true, 5, 5+page+10, "1010 entries; nothing to look at; all: card.used 1010")
	if last, err := r.log.Recent(t.Context(), 1); err != nil || last[0].Action != "audit.rolled_up" || !strings.Contains(last[0].Result, "1010 entries") {
		t.Errorf("the log ends with %+v, %v", last, err)
	}
	if _, err := r.log.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// Nothing in the whole tree changes or deletes an entry: what could end old ones could end young ones (PCI DSS 10.5.1 wants twelve months).
func TestNobodyDeletesEntries(t *testing.T) {
	deletes := regexp.MustCompile(`(?i)(delete\s+from|update|drop\s+table|truncate)\s+(table\s+)?"?audit_entry`)
	files := 0
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "build" || d.Name() == ".git"):
			return filepath.SkipDir
		}
		if ext := filepath.Ext(path); d.IsDir() || ext != ".go" && ext != ".sql" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		files++
		text, err := os.ReadFile(path)
		if deletes.Match(text) {
			t.Errorf("%s changes or deletes entries of the audit log", path)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Fatalf("%d files searched: %v", files, err)
	}
	if !deletes.MatchString("tx.Exec(\"DELETE FROM audit_entry WHERE seq < $1\")") {
		t.Error("the search is blind")
	}
}

package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/flattone/flattone/daemon/audit/export"
	"github.com/flattone/flattone/daemon/audit/merkle"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/store/storetest"
)

type rig struct {
	dir string
	db  *store.DB
	log *Log
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{dir: filepath.Join(t.TempDir(), "state")}
	r.open(t)
	t.Cleanup(func() { r.db.Close() })
	return r
}

func (r *rig) open(t testing.TB) {
	t.Helper()
	where, err := storetest.At(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.db, err = store.Open(context.Background(), store.Config{Dir: r.dir, Postgres: store.Postgres{Where: where, Box: "test"}}); err != nil {
		t.Fatal(err)
	}
	if r.log, err = New(context.Background(), r.config(), Deps{Store: r.db}); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) config() Config { return Config{Box: "test", KeyFile: filepath.Join(r.dir, "audit.key")} }

func event(n int) Event {
	return Event{Actor: "anna", Action: "line.armed", Object: fmt.Sprint("line ", n), Result: "ok", Origin: "test",
		Time: time.Unix(1_800_000_000+int64(n), 0)}
}

func (r *rig) append(t testing.TB, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := r.db.Write(t.Context(), func(tx *store.Tx) error { return r.log.Append(tx, event(n)) }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRecent(t *testing.T) {
	r := newRig(t)
	r.append(t, 0, 5)
	got, err := r.log.Recent(t.Context(), 2)
	if err != nil || len(got) != 2 || got[0].Seq != 4 || got[1].Seq != 3 {
		t.Fatalf("got %+v, %v: want entries 4 and 3", got, err)
	}
	if want := event(4); !got[0].Time.Equal(want.Time) || got[0].Object != want.Object || got[0].Actor != want.Actor {
		t.Errorf("entry %+v, want %+v", got[0].Event, want)
	}
}

func TestAFailedActLeavesNoEntry(t *testing.T) {
	r := newRig(t)
	r.append(t, 0, 2)
	failed := errors.New("the act failed")
	err := r.db.Write(t.Context(), func(tx *store.Tx) error {
		return errors.Join(r.log.Append(tx, event(2)), failed)
	})
	if !errors.Is(err, failed) {
		t.Fatal(err)
	}
	r.append(t, 2, 4)
	if n, err := r.log.Verify(t.Context()); n != 4 || err != nil {
		t.Errorf("%d good entries, %v; want 4", n, err)
	}
}

func TestIncompleteEventIsRefused(t *testing.T) {
	r := newRig(t)
	var all []Event
	for _, spoil := range []func(*Event){
		func(e *Event) { *e = Event{} }, func(e *Event) { e.Actor = "" }, func(e *Event) { e.Action = "" }, func(e *Event) { e.Action = "line.exploded" },
		func(e *Event) { e.Object = "" }, func(e *Event) { e.Result = "" }, func(e *Event) { e.Origin = "" }, func(e *Event) { e.Time = time.Time{} },
	} {
		e := event(0)
		spoil(&e)
		all = append(all, e)
	}
	for i, e := range all {
		if err := r.db.Write(t.Context(), func(tx *store.Tx) error { return r.log.Append(tx, e) }); err == nil {
			t.Errorf("event %d was taken", i)
		}
	}
}

func TestVerifyGoodLogs(t *testing.T) {
	r := newRig(t)
	for n := range 20 {
		if good, err := r.log.Verify(t.Context()); err != nil || good != int64(n) {
			t.Fatalf("log of %d: %d good, %v", n, good, err)
		}
		r.append(t, n, n+1)
	}
	kept, _, err := r.log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.db.Close()
	r.open(t)
	r.append(t, 20, 25)
	if good, err := r.log.Verify(t.Context(), kept); err != nil || good != 25 {
		t.Errorf("reopened: %d good, %v; want 25", good, err)
	}
}

// TestTampering edits the database behind the log's back. Each edit must be found, with the entry's name.
func TestTampering(t *testing.T) {
	const entries = 13
	change := func(n int) string {
		return fmt.Sprintf("UPDATE audit_entry SET body = CAST(replace(CAST(body AS TEXT), 'anna', 'otto') AS blob) WHERE seq = %d", n)
	}
	tests := []struct {
		name  string
		edits []string
		good  int64
		says  string
	}{
		{"an entry changed", []string{change(6)}, 6, "entry 6 "},
		{"the first entry changed", []string{change(0)}, 0, "entry 0 "},
		{"the last entry changed", []string{change(12)}, 12, "entry 12 "},
		{"two entries changed", []string{change(9), change(4)}, 4, "entry 4 "},
		{"an entry dropped", []string{"DELETE FROM audit_entry WHERE seq = 7"}, 7, "entry 7 is missing"},
		{"the first entry dropped", []string{"DELETE FROM audit_entry WHERE seq = 0"}, 0, "entry 0 is missing"},
		{"dropped, and the rest moved up", []string{"DELETE FROM audit_entry WHERE seq = 7", "UPDATE audit_entry SET seq = seq - 1 WHERE seq = 8",
			"UPDATE audit_entry SET seq = seq - 1 WHERE seq = 9", "UPDATE audit_entry SET seq = seq - 1 WHERE seq = 10",
			"UPDATE audit_entry SET seq = seq - 1 WHERE seq = 11", "UPDATE audit_entry SET seq = seq - 1 WHERE seq = 12"}, 7, "entry 7 "},
		{"two entries swapped", []string{"UPDATE audit_entry SET seq = 99 WHERE seq = 3", "UPDATE audit_entry SET seq = 3 WHERE seq = 5",
			"UPDATE audit_entry SET seq = 5 WHERE seq = 99"}, 3, "entry 3 "},
		{"an entry doubled", []string{"INSERT INTO audit_entry SELECT box, 13, body, sig FROM audit_entry WHERE seq = 12"}, 13, "entry 13 is missing: entry 12"},
		{"a signature changed", []string{"UPDATE audit_entry SET sig = " + zeros(64) + " WHERE seq = 4"}, 4, "entry 4 or its signature"},
		{"signatures swapped", []string{"UPDATE audit_entry SET sig = (SELECT sig FROM audit_entry WHERE seq = 9) WHERE seq = 8"}, 8, "entry 8 "},
		{"an entry given to another box", []string{"UPDATE audit_entry SET box = 'other' WHERE seq = 5"}, 5, "entry 5 is missing"},
		{"truncated", []string{"DELETE FROM audit_entry WHERE seq >= 10"}, 10, "entry 10 is missing: the head counts 13"},
		{"emptied", []string{"DELETE FROM audit_entry"}, 0, "entry 0 is missing"},
		{"no head left", []string{"DELETE FROM audit_head"}, 13, "head is missing"},
		{"the head's size changed", []string{"UPDATE audit_head SET size = 14"}, 13, "entry 13 is missing"},
		{"the head put back", []string{"UPDATE audit_head SET size = 11"}, 13, "entry 11 is there"},
		{"the head's edge changed", []string{"UPDATE audit_head SET edge = " + zeros(96)}, 13, "entry 13 would build"},
		{"the head's edge cut", []string{"UPDATE audit_head SET edge = " + zeros(95)}, 13, "don't belong together"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.append(t, 0, entries)
			tamper(t, r, test.edits)
			good, err := r.log.Verify(t.Context())
			if !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), test.says) || good != test.good {
				t.Errorf("%d good, %v; want %d, ErrTampered with %q", good, err, test.good, test.says)
			}
		})
	}
}

// zeros is a blob, as both engines write it.
func zeros(n int) string { return "CAST('" + strings.Repeat("0", n) + "' AS blob)" }

func tamper(t *testing.T, r *rig, edits []string) {
	t.Helper()
	engines := strings.NewReplacer()
	if storetest.OnPostgres() {
		engines = strings.NewReplacer("CAST(body AS TEXT)", "convert_from(body, 'UTF8')", "char(10)", "chr(10)")
	}
	err := r.db.Write(t.Context(), func(tx *store.Tx) error {
		for _, edit := range edits {
			if n, err := tx.Exec(engines.Replace(edit)); err != nil || n == 0 {
				return fmt.Errorf("the edit changed %d rows: %w", n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRewrittenTree changes an entry and recomputes the head to fit, as somebody would who knows the format but not the key. The entry's own signature gives
// it away.
func TestRewrittenTree(t *testing.T) {
	r := newRig(t)
	r.append(t, 0, 13)
	tamper(t, r, []string{"UPDATE audit_entry SET body = CAST(replace(CAST(body AS TEXT), 'anna', 'otto') AS blob) WHERE seq = 6"})
	r.rebuildHead(t)
	if good, err := r.log.Verify(t.Context()); good != 6 || !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "entry 6 ") {
		t.Errorf("%d good, %v; want entry 6 named", good, err)
	}
}

// rebuildHead makes a head of the entries that are there.
func (r *rig) rebuildHead(t *testing.T) {
	t.Helper()
	err := r.db.Write(t.Context(), func(tx *store.Tx) error {
		var tree merkle.Tree
		rows, err := r.log.pageFrom(tx, 0)
		for _, row := range rows {
			err = errors.Join(err, tree.Add(row.body))
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec("UPDATE audit_head SET size = $1, edge = $2", tree.Size(), tree.Edge())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRestoredCopy puts the whole log back to an earlier state, which only a checkpoint kept elsewhere can
// tell.
func TestRestoredCopy(t *testing.T) {
	r := newRig(t)
	r.append(t, 0, 13)
	kept, _, err := r.log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tamper(t, r, []string{"DELETE FROM audit_entry WHERE seq >= 10"})
	r.rebuildHead(t)
	if good, err := r.log.Verify(t.Context()); good != 10 || err != nil {
		t.Errorf("alone: %d good, %v; want 10: nothing on the box shows the loss", good, err)
	}
	if _, err := r.log.Verify(t.Context(), kept); !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "entry 10 is missing") {
		t.Errorf("with a checkpoint kept elsewhere: %v; want entry 10 named", err)
	}
	r.append(t, 110, 120) // other events in their places
	if _, err := r.log.Verify(t.Context(), kept); !errors.Is(err, ErrTampered) {
		t.Errorf("written on: %v; want ErrTampered", err)
	}
}

// TestCutOffEntriesStayAGap: appending after a truncation must not fill the hole.
func TestCutOffEntriesStayAGap(t *testing.T) {
	r := newRig(t)
	r.append(t, 0, 13)
	tamper(t, r, []string{"DELETE FROM audit_entry WHERE seq >= 10"})
	r.append(t, 13, 15)
	if good, err := r.log.Verify(t.Context()); good != 10 || !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), "entry 10 is missing") {
		t.Errorf("%d good, %v; want entry 10 missing", good, err)
	}
}

func TestKeyFile(t *testing.T) {
	foreign := func(t *testing.T) []byte {
		secret, _, err := note.GenerateKey(fixed{}, originPrefix+"test")
		if err != nil {
			t.Fatal(err)
		}
		return []byte(secret)
	}
	tests := []struct {
		name string
		do   func(t *testing.T, path string) error
		says string
	}{
		{"missing", func(_ *testing.T, path string) error { return os.Remove(path) }, "is gone"},
		{"readable by others", func(_ *testing.T, path string) error { return os.Chmod(path, 0o640) }, "chmod 600"},
		{"garbage", func(_ *testing.T, path string) error { return os.WriteFile(path, []byte("garbage\n"), 0o600) }, "malformed"},
		{"empty", func(_ *testing.T, path string) error { return os.Truncate(path, 0) }, "is empty"},
		{"another secret half", func(t *testing.T, path string) error {
			b, err := os.ReadFile(path)
			_, public, _ := strings.Cut(string(b), "\n")
			return errors.Join(err, os.WriteFile(path, append(append(foreign(t), '\n'), public...), 0o600))
		}, "don't belong together"},
		{"a symbolic link", func(_ *testing.T, path string) error {
			return errors.Join(os.Rename(path, path+"2"), os.Symlink(path+"2", path))
		}, "symbolic link"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := newRig(t)
			r.append(t, 0, 1)
			if info, err := os.Stat(r.config().KeyFile); err != nil || info.Mode().Perm() != 0o600 {
				t.Fatalf("the key has mode %v, want 0600 (%v)", info.Mode(), err)
			}
			if err := test.do(t, r.config().KeyFile); err != nil {
				t.Fatal(err)
			}
			_, err := New(t.Context(), r.config(), Deps{Store: r.db})
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want it to say %q", err, test.says)
			}
		})
	}
}

// fixed is no randomness at all: for a key that is only another one.
type fixed struct{}

func (fixed) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// TestALostKey: a box that has had a log begins no other by itself, also under another name. If somebody says so it does, and the new log's first entry says
// in which one's place.
func TestALostKey(t *testing.T) {
	for name, test := range map[string]struct {
		cfg          Config
		refused      bool
		begins, says string
	}{
		"renamed":                 {Config{Box: "renamed"}, true, "renamed", "the log of test with 2 entries, whose"},
		"of the same name":        {Config{Box: "test"}, true, "test-2", "the log of test with 2 entries, whose"},
		"another box":             {Config{Box: "renamed", Shared: true}, false, "", ""},
		"shared, of its own name": {Config{Box: "test", Shared: true}, true, "test-2", "the log of test with 2 entries, whose"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.append(t, 0, 2)
			cfg := test.cfg
			cfg.KeyFile = r.config().KeyFile
			if _, err := Begin(t.Context(), cfg, Deps{Store: r.db}); err == nil || !strings.Contains(err.Error(), "is there") {
				t.Errorf("with the key it begins another log: %v", err)
			}
			if err := os.Remove(cfg.KeyFile); err != nil {
				t.Fatal(err)
			}
			if _, err := New(t.Context(), cfg, Deps{Store: r.db}); (err != nil) != test.refused || err != nil && !strings.Contains(err.Error(), "the log of test with 2 entries") {
				t.Fatalf("it opens: %v", err)
			}
			if !test.refused {
				return
			}
			if _, err := Begin(t.Context(), cfg, Deps{Store: r.db}); err != nil {
				t.Fatal(err)
			}
			log, err := New(t.Context(), cfg, Deps{Store: r.db}) // as flattoned does then
			if err != nil {
				t.Fatal(err)
			}
			all, err := log.Recent(t.Context(), 5)
			if err != nil || log.box != test.begins || len(all) != 1 || all[0].Action != "audit.begun" || !strings.Contains(all[0].Result, test.says) {
				t.Errorf("the log of %s has %+v, %v", log.box, all, err)
			}
			if good, err := log.Verify(t.Context()); good != 1 || err != nil {
				t.Errorf("%d good, %v", good, err)
			}
		})
	}
}

// TestTwoBoxesInOneDatabase: each has a log and a key of its own, and neither is in the other's way.
func TestTwoBoxesInOneDatabase(t *testing.T) {
	one := newRig(t)
	log, err := New(t.Context(), Config{Box: "other", Shared: true, KeyFile: filepath.Join(t.TempDir(), "audit.key")}, Deps{Store: one.db})
	if err != nil {
		t.Fatal(err)
	}
	other := &rig{db: one.db, log: log}
	for n := range 10 {
		one.append(t, n, n+1)
		other.append(t, 2*n, 2*n+2)
	}
	tamper(t, other, []string{"DELETE FROM audit_entry WHERE box = 'other' AND seq = 3"})
	if good, err := one.log.Verify(t.Context()); good != 10 || err != nil {
		t.Errorf("%d good, %v; want 10", good, err)
	}
	if good, err := other.log.Verify(t.Context()); good != 3 || !errors.Is(err, ErrTampered) {
		t.Errorf("%d good, %v; want 3", good, err)
	}
	kept, _, err := other.log.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := one.log.Verify(t.Context(), kept); !errors.Is(err, ErrTampered) {
		t.Errorf("held against the other's checkpoint: %v", err)
	}
	if recent, err := one.log.Recent(t.Context(), 100); err != nil || len(recent) != 10 {
		t.Errorf("%d entries of its own, %v", len(recent), err)
	}
}

// TestNothingThatIsWrongLeavesTheBox: a checkpoint that the last entry doesn't vouch for is none.
func TestNothingThatIsWrongLeavesTheBox(t *testing.T) {
	for _, edit := range []string{"UPDATE audit_head SET edge = " + zeros(96), "DELETE FROM audit_entry WHERE seq = 12",
		"UPDATE audit_entry SET sig = " + zeros(64) + " WHERE seq = 12"} {
		r := newRig(t)
		if signed, size, err := r.log.Checkpoint(t.Context()); signed != nil || size != 0 || err != nil {
			t.Errorf("of an empty log: %q, %d, %v", signed, size, err)
		}
		r.append(t, 0, 13)
		tamper(t, r, []string{edit})
		if signed, _, err := r.log.Checkpoint(t.Context()); !errors.Is(err, ErrTampered) {
			t.Errorf("after %s: %q, %v; want ErrTampered", edit, signed, err)
		}
	}
}

// TestExport: what leaves the box is checked without it, and says of what was tampered with which entry it is.
func TestExport(t *testing.T) {
	r := newRig(t)
	var file bytes.Buffer
	exported := func() (export.Report, error) {
		t.Helper()
		file.Reset()
		if err := r.log.Export(t.Context(), &file); err != nil {
			t.Fatal(err)
		}
		return export.Verify(&file, r.log.Key())
	}
	if report, err := exported(); err != nil || report.Entries != 0 {
		t.Errorf("empty: %+v, %v", report, err)
	}
	r.append(t, 0, page+3)
	report, err := exported()
	if err != nil || report.Entries != page+3 || !report.First.Equal(event(0).Time) || !report.Last.Equal(event(page+2).Time) {
		t.Errorf("%+v, %v", report, err)
	}
	for _, test := range []struct {
		edit string
		bad  int64
		says string
	}{
		{"UPDATE audit_entry SET body = CAST('{' AS blob) WHERE seq = 9", 9, "isn't readable"},
		{"UPDATE audit_entry SET body = CAST(replace(CAST(body AS TEXT), ',', ',' || char(10)) AS blob) WHERE seq = 9", 9, "was changed"},
		{"DELETE FROM audit_entry WHERE seq = 7", 7, "is missing: entry 8"},
		{"DELETE FROM audit_entry WHERE seq >= 10", 10, "is missing: the box counted 13"},
		{"UPDATE audit_head SET edge = " + zeros(96), 13, "would be next"},
	} {
		r = newRig(t)
		r.append(t, 0, 13)
		tamper(t, r, []string{test.edit})
		if report, err := exported(); !errors.Is(err, ErrTampered) || report.Entries != test.bad || !strings.Contains(err.Error(), test.says) {
			t.Errorf("after %s: %+v, %v; want entry %d named", test.edit, report, err, test.bad)
		}
	}
}

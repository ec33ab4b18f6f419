package export

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/flattone/flattone/daemon/custody"
	"github.com/flattone/flattone/daemon/store"
	"github.com/flattone/flattone/daemon/vault"
)

// TestExport: two of three custodians agree, and the recipient, and nobody else, reads each card that is kept, in a file of several chunks.
func TestExport(t *testing.T) {
	b := newBox(t)
	b.enrol(t)
	want := map[string]vault.Capture{}
	for i := range 220 {
		c := aCard()
		if i%10 == 0 {
			c.Kind = vault.Once
		}
		want[b.seal(t, c)] = c
	}
	theirs := aCard()
	theirs.Tenant = "other"
	other := b.seal(t, theirs)
	flight := aCard()
	flight.Kind = vault.Flight
	b.seal(t, flight)
	b.runs(t)
	var before string
	for _, to := range []string{"newpsp", "later"} {
		e := b.export(t, to, "main")
		if e.Failed != nil || e.Cards != int64(len(want)) || e.Of != e.Cards || e.Recipient != to || filepath.Dir(e.File) != b.folder() {
			t.Fatalf("it ended as %+v", e)
		}
		info, err := os.Stat(e.File)
		if err != nil || info.Mode() != 0o600 || info.Size() < chunkSize {
			t.Errorf("the file is %v bytes, mode %v, %v", info.Size(), info.Mode(), err)
		}
		sealed, err := os.ReadFile(e.File)
		if sum := sha256.Sum256(sealed); err != nil || e.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("the SHA-256 is another: %v", err)
		}
		got := b.opened(t, e.File, b.identity[to])
		if len(got) != len(want) || got[other].Token != "" {
			t.Errorf("%d cards are in it, want %d", len(got), len(want))
		}
		for token, c := range want {
			r := got[token]
			if r.PAN != thePAN || r.Tenant != "main" || r.Brand != "visa" || r.ExpiryMonth != 11 || r.ExpiryYear != 2031 || r.Kind != c.Kind || r.Hold ||
				len(r.Aliases) != 2 || r.Aliases[0].Destination != "webhook" || time.Since(r.Created) > time.Minute {
				t.Fatalf("a card is said to be %+v", r.line)
			}
		}
		for name, other := range b.identity {
			if _, err := age.Decrypt(bytes.NewReader(sealed), other); (err == nil) != (name == to) {
				t.Errorf("%s opens what is for %s: %v", name, to, err)
			}
		}
		b.logTells(t, e, want, before)
		before = e.ID
	}
	if files := b.files(t); len(files) != 2 {
		t.Errorf("there are %v", files)
	}
	if list := b.exporter.List(); len(list) != 2 || list[0].ID != before {
		t.Errorf("listed are %v", list)
	}
}

// logTells: who agreed to what, each card, and the file, in that order.
func (b *box) logTells(t *testing.T, e Export, cards map[string]vault.Capture, before string) {
	t.Helper()
	about := fmt.Sprintf("%d cards of tenant main for %s whose key is %s", len(cards), e.Recipient, e.Key)
	var left int
	var acts []string
	for _, entry := range b.entries(t) {
		switch {
		case entry.Action == "custody.began" || entry.Action == "custody.agreed":
			if entry.Object == "export cards: "+about {
				acts = append(acts, entry.Action)
			}
		case entry.Action == "card.exported" && entry.Origin == "export "+e.ID:
			if _, mine := cards[entry.Object]; !mine || len(acts) < 2 {
				t.Errorf("the log has %+v", entry)
			}
			left++
		case entry.Object == "export "+e.ID:
			acts = append(acts, entry.Action)
			if entry.Action == "export.finished" && (!strings.Contains(entry.Result, e.SHA256) || !strings.Contains(entry.Result, about) || left != len(cards)) {
				t.Errorf("after %d cards the log has %+v", left, entry)
			}
		}
	}
	slices.Sort(acts)
	if want := []string{"custody.agreed", "custody.began", "export.began", "export.finished"}; left != len(cards) || !slices.Equal(acts, want) {
		t.Errorf("%d cards, and %v, are in the log", left, acts)
	}
}

// TestWhatIsNotAsked: nobody is asked to agree where nothing could come of it; and with fewer than it takes, nothing does.
func TestWhatIsNotAsked(t *testing.T) {
	b := newBox(t)
	ask := func(to, tenant string) error {
		_, err := b.exporter.Ask(t.Context(), "ann", to, tenant)
		return err
	}
	if err := ask("newpsp", ""); !errors.Is(err, ErrNoCards) {
		t.Errorf("an empty vault: %v", err)
	}
	b.seal(t, aCard())
	if err := ask("newpsp", ""); !errors.Is(err, custody.ErrNoCustodians) {
		t.Errorf("without custodians: %v", err)
	}
	b.enrol(t)
	if err := ask("mallory", ""); !errors.Is(err, ErrUnknownRecipient) {
		t.Errorf("for a stranger: %v", err)
	}
	if err := ask("newpsp", thePAN); !errors.Is(err, ErrNoCards) || strings.Contains(err.Error(), thePAN) {
		t.Errorf("of nobody: %v", err)
	}
	b.runs(t)
	ceremony, err := b.exporter.Ask(t.Context(), "ann", "newpsp", "")
	if err != nil {
		t.Fatal(err)
	}
	busy := (*custody.BusyError)(nil)
	if err := ask("newpsp", ""); !errors.As(err, &busy) {
		t.Errorf("asked twice: %v", err)
	}
	if err := b.agree(t, ceremony, "ann"); err != nil {
		t.Fatal(err)
	}
	if err := b.agree(t, ceremony, "ann"); !errors.Is(err, custody.ErrGiven) {
		t.Errorf("the same person twice: %v", err)
	}
	if err := b.custody.Abort(t.Context(), "ann"); err != nil {
		t.Fatal(err)
	}
	if err := b.agree(t, ceremony, "bob"); !errors.Is(err, custody.ErrNoCeremony) {
		t.Errorf("after its end: %v", err)
	}
	if files, list := b.files(t), b.exporter.List(); files != nil || list != nil {
		t.Errorf("with one share there are %v, %v", files, list)
	}
	b.exporter.cfg.Recipients = nil
	if err := ask("newpsp", ""); !errors.Is(err, ErrNoRecipients) {
		t.Errorf("for nobody: %v", err)
	}
	if err := b.vault.Close(); err != nil {
		t.Fatal(err)
	}
	b.exporter.cfg.Recipients = newBox(t).exporter.cfg.Recipients
	if err := ask("newpsp", ""); !errors.Is(err, vault.ErrLocked) {
		t.Errorf("locked: %v", err)
	}
}

// broken is a file that fails when it is written, flushed or closed.
type broken struct {
	file
	write, sync, close error
}

func (f broken) Write(p []byte) (int, error) {
	if f.write != nil {
		return 0, f.write
	}
	return f.file.Write(p)
}

func (f broken) Sync() error  { return errors.Join(f.sync, f.file.Sync()) }
func (f broken) Close() error { return errors.Join(f.close, f.file.Close()) }

// TestNothingIsLeftOfWhatFails: whatever an export fails of, there is no file, the log says why, and the next one is well.
func TestNothingIsLeftOfWhatFails(t *testing.T) {
	b := newBox(t)
	b.enrol(t)
	token := b.seal(t, aCard())
	b.seal(t, aCard())
	b.runs(t)
	edit := func(query string) {
		t.Helper()
		if err := b.db.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(query, token); return err }); err != nil {
			t.Fatal(err)
		}
	}
	fails := func(f broken) func() {
		return func() {
			b.exporter.create = func(path string) (file, error) {
				var err error
				f.file, err = createFile(path)
				return f, err
			}
		}
	}
	room := b.exporter.room
	mend := func() { b.exporter.create, b.exporter.room = createFile, room }
	for _, tc := range []struct {
		name         string
		spoil, mends func()
		want         error
	}{
		{"an altered card", func() { edit("UPDATE card SET brand = 'amex' WHERE token = $1") }, func() { edit("UPDATE card SET brand = 'visa' WHERE token = $1") }, vault.ErrAltered},
		{"a full disk", fails(broken{write: syscall.ENOSPC}), mend, syscall.ENOSPC},
		{"a disk that takes no flush", fails(broken{sync: syscall.EIO}), mend, syscall.EIO},
		{"a file that doesn't close", fails(broken{close: syscall.EDQUOT}), mend, syscall.EDQUOT},
		{"room that captures need", func() { b.exporter.room = func() (int64, error) { return b.exporter.cfg.LeastRoom + 1, nil } }, mend, ErrRoom},
		{"no way to say what room", func() { b.exporter.room = func() (int64, error) { return 0, fs.ErrPermission } }, mend, fs.ErrPermission},
		{"no folder", func() { os.WriteFile(b.folder(), nil, 0o600) }, func() { os.Remove(b.folder()) }, syscall.ENOTDIR},
	} {
		os.RemoveAll(b.folder())
		tc.spoil()
		e := b.export(t, "newpsp", "")
		if !errors.Is(e.Failed, tc.want) || e.File != "" || e.SHA256 != "" {
			t.Errorf("%s: it ended as %+v", tc.name, e)
		}
		if tc.want == vault.ErrAltered && !strings.Contains(fmt.Sprint(e.Failed), token) {
			t.Errorf("%s: which one isn't said: %v", tc.name, e.Failed)
		}
		all := b.entries(t)
		if last := all[len(all)-1]; last.Action != "export.failed" || last.Object != "export "+e.ID || last.Result != e.Failed.Error() {
			t.Errorf("%s: the log ends with %+v", tc.name, last)
		}
		tc.mends()
		if files := b.files(t); files != nil {
			t.Errorf("%s: there are %v", tc.name, files)
		}
	}
	if e := b.export(t, "newpsp", ""); e.Failed != nil || len(b.opened(t, e.File, b.identity["newpsp"])) != 2 {
		t.Errorf("mended: %+v", e)
	}
}

// TestStopped: an export that flattoned's end cuts short leaves nothing; one that its death does leaves a draft, which the next start clears away and notes.
func TestStopped(t *testing.T) {
	b := newBox(t)
	b.enrol(t)
	b.seal(t, aCard())
	stop := b.runs(t)
	begun, ends := make(chan struct{}), make(chan struct{})
	b.exporter.create = func(path string) (file, error) {
		close(begun)
		<-ends
		return createFile(path)
	}
	ceremony, err := b.exporter.Ask(t.Context(), "ann", "newpsp", "")
	if err == nil {
		err = b.agree(t, ceremony, "ann", "cyd")
	}
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if _, err := b.exporter.Ask(t.Context(), "ann", "newpsp", ""); !errors.Is(err, ErrBusy) {
		t.Errorf("another beside it: %v", err)
	}
	if e := b.exporter.List()[0]; !e.Ended.IsZero() || e.Began.IsZero() {
		t.Errorf("it runs as %+v", e)
	}
	time.AfterFunc(10*time.Millisecond, func() { close(ends) })
	stop()
	if e := b.ended(t); !errors.Is(e.Failed, ErrStopped) || b.files(t) != nil {
		t.Errorf("it ended as %+v, with %v", e, b.files(t))
	}

	// Agreed to when it has stopped, or right before: it is refused, or fails.
	late := &export{Export: Export{ID: "exp_late", By: "ann", Asked: time.Now()}}
	if err := b.exporter.begin(late); !errors.Is(err, ErrStopped) {
		t.Errorf("begun once it has stopped: %v", err)
	}
	b.exporter.stopped = false
	if err := b.exporter.begin(late); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.exporter.Run(over); err != nil || !errors.Is(b.ended(t).Failed, ErrStopped) {
		t.Errorf("right before: %v, it ended as %+v", err, b.ended(t))
	}

	left := filepath.Join(b.folder(), "newpsp-exp_"+strings.Repeat("a", 26)+".age")
	if err := errors.Join(os.WriteFile(left+draft, []byte("half"), 0o600), os.WriteFile(left[:len(left)-5]+"b.age", []byte("whole"), 0o600)); err != nil {
		t.Fatal(err)
	}
	b.exporter.sweep(t.Context())
	all := b.entries(t)
	if last := all[len(all)-1]; last.Action != "export.failed" || last.Object != "export exp_"+strings.Repeat("a", 26) || last.Actor != "flattoned" {
		t.Errorf("the log ends with %+v", last)
	}
	if files := b.files(t); len(files) != 1 || !strings.HasSuffix(files[0], "b.age") {
		t.Errorf("there are %v", files)
	}
}

// TestNoNumberOnDisk searches all that was written, while an export runs and after.
func TestNoNumberOnDisk(t *testing.T) {
	b := newBox(t)
	b.enrol(t)
	for range 300 {
		b.seal(t, aCard())
	}
	b.runs(t)
	search := func(when string) {
		files := 0
		err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			text, err := os.ReadFile(path)
			if bytes.Contains(text, []byte(thePAN[:12])) {
				t.Errorf("%s: the PAN is in %s", when, path)
			}
			return err
		})
		if err != nil || files < 4 {
			t.Errorf("%s: %d files searched, %v", when, files, err)
		}
	}
	looks := 0
	b.exporter.room = func() (int64, error) {
		looks++
		search("before a chunk")
		return 1 << 40, nil
	}
	if e := b.export(t, "newpsp", ""); e.Failed != nil || looks < 3 {
		t.Errorf("it ended as %+v after %d chunks", e, looks)
	}
	search("after")
}

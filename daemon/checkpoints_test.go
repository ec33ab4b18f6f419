package daemon

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/audit/export"
	"github.com/flattone/flattone/daemon/audit/merkle"
	"github.com/flattone/flattone/daemon/control"
	"github.com/flattone/flattone/daemon/health"
)

// TestCheckpointsLeaveTheBox: when flattoned ends, a file has a checkpoint of all that was logged, which an export is held against.
func TestCheckpointsLeaveTheBox(t *testing.T) {
	h := newHouse(t)
	file := filepath.Join(t.TempDir(), "kept")
	h.cfg.Audit.CheckpointFile, h.cfg.Audit.CheckpointWebhook = file, true
	d, stop, _ := h.run()
	if _, err := h.client().Status(t.Context()); err != nil { // who ends it before it has begun ends it with an error
		t.Fatal(err)
	}
	var exported bytes.Buffer
	if err := d.backend.ExportAudit(t.Context(), control.Actor{Name: "olga"}, &exported); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}

	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	notes, err := merkle.ReadNotes(bytes.NewReader(text))
	if err != nil || len(notes) != 1 {
		t.Fatalf("%d checkpoints, %v", len(notes), err)
	}
	// The export is older than the checkpoint, which counts the end besides.
	_, err = export.Verify(&exported, d.audit.Key(), notes...)
	if bad, ok := errors.AsType[*merkle.Bad](err); !ok || bad.Seq < 2 || !strings.Contains(bad.Why, "kept") {
		t.Errorf("an older export: %v", err)
	}
	var journal bytes.Buffer
	if err := (&Daemon{log: slog.New(slog.NewTextHandler(&journal, nil))}).logCheckpoint(t.Context(), notes[0], 3); err != nil {
		t.Error(err)
	}
	if got := journal.String(); !strings.Contains(got, checkpointMessage) || strings.Count(got, `checkpoint="flattone-audit/`) != 1 {
		t.Errorf("the journal has %q", got)
	}
}

// TestCheckpointsStuck: a place that takes none is a condition, until it does.
func TestCheckpointsStuck(t *testing.T) {
	h := newHouse(t)
	folder := filepath.Join(t.TempDir(), "mnt")
	h.cfg.Audit.CheckpointFile, h.cfg.Audit.CheckpointWebhook = filepath.Join(folder, "kept"), true
	d, _, _ := h.run()
	w := d.checkpoints()
	w.Tell(t.Context())
	if detail, is := stands(d, health.CheckpointStuck); !is || !strings.Contains(detail, folder) {
		t.Errorf("stands %t: %s", is, detail)
	}
	if d.vouched.Load() != nil {
		t.Error("metrics say that every place has it")
	}
	if n, err := d.outbox.Pending(t.Context()); n != 1 || err != nil {
		t.Errorf("%d events wait for upstream, %v: a place that is away holds up no other", n, err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	w.Tell(t.Context())
	if _, is := stands(d, health.CheckpointStuck); is {
		t.Error("it still stands")
	}
	if at := d.vouched.Load(); at == nil || time.Since(*at) > time.Minute {
		t.Errorf("metrics say %v", at)
	}
}

package daemon

import (
	"os"
	"strings"
	"testing"
)

// A box whose audit log's key is lost doesn't start, until somebody has another log begun, which says so first.
func TestTheAuditLogsKeyIsLost(t *testing.T) {
	h := newHouse(t)
	d, err := h.open()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	if err := NewAuditLog(t.Context(), h.cfg); err == nil || !strings.Contains(err.Error(), "is there") {
		t.Errorf("while its key is there another log begins: %v", err)
	}
	if err := os.Remove(auditKey(h.cfg)); err != nil {
		t.Fatal(err)
	}
	if _, err := h.open(); err == nil || !strings.Contains(err.Error(), "--new-audit-log") {
		t.Fatalf("it starts: %v", err)
	}
	if err := NewAuditLog(t.Context(), h.cfg); err != nil {
		t.Fatal(err)
	}
	all, err := h.daemon().audit.Recent(t.Context(), 100)
	if err != nil || len(all) == 0 || all[len(all)-1].Action != "audit.begun" {
		t.Errorf("the new log has %+v, %v", all, err)
	}
}

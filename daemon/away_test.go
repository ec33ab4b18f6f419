package daemon

import (
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/health"
	"github.com/flattone/flattone/daemon/store/storetest"
)

// A database that is away is told as such, is no reason to start flattoned again, and is told to be back once it is.
func TestDatabaseIsAway(t *testing.T) {
	h, server := newHouse(t), storetest.New(t, "")
	h.cfg.Store.Postgres, h.cfg.Store.Box = server.DSN(t), "box-1"
	d := h.daemon()
	look := func() (away, failed bool) {
		d.waitVitals(t.Context(), time.Now())
		d.storeVitals()
		_, away = stands(d, health.StoreAway)
		_, failed = stands(d, health.StoreFailed)
		return away, failed
	}
	if away, failed := look(); away || failed {
		t.Errorf("it is there, and is told to be away: %v, or broken: %v", away, failed)
	}
	server.Stop()
	if away, failed := look(); !away || failed {
		t.Errorf("it is away, and is told to be so: %v, or broken: %v", away, failed)
	}
	if err := d.works(t.Context()); err != nil {
		t.Errorf("the watchdog would start another flattoned: %v", err)
	}
	if err := d.note(t.Context(), "flattoned", "daemon.started", "audit log", "ok", "daemon"); err == nil {
		t.Error("an entry of the audit log was written nowhere")
	}
	server.Start(t)
	until(t, "it is told to be back", func() bool { away, failed := look(); return !away && !failed })
}

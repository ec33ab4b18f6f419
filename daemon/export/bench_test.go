package export

import (
	"testing"
	"time"

	"github.com/flattone/flattone/daemon/id"
)

// BenchmarkExport is a card's way from the vault into the file, with its entry in the audit log.
func BenchmarkExport(b *testing.B) {
	x := newBox(b)
	for range b.N {
		x.seal(b, aCard())
	}
	e := &export{Export: Export{ID: id.New("exp_", time.Now()), By: "ann", Recipient: "later", Asked: time.Now()}, to: x.exporter.cfg.Recipients["later"]}
	b.ResetTimer()
	if done := x.exporter.carryOut(b.Context(), e); done.Failed != nil || e.cards.Load() != int64(b.N) {
		b.Fatalf("%d of %d: %v", e.cards.Load(), b.N, done.Failed)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "cards/s")
}

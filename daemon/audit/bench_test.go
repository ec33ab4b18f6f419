package audit

import (
	"testing"

	"github.com/flattone/flattone/daemon/store"
)

// BenchmarkAppend is an entry's share of a transaction: everything but the disk's flush, which the act pays anyway. The log it is appended to is as long as
// one gets in years, for what is read and written of the tree grows with its size's bits.
func BenchmarkAppend(b *testing.B) {
	r := newRig(b)
	r.append(b, 0, 1023)
	err := r.db.Write(b.Context(), func(tx *store.Tx) error {
		for n := range b.N {
			if err := r.log.Append(tx, event(n)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkVerify(b *testing.B) {
	r := newRig(b)
	r.append(b, 0, 2000)
	for b.Loop() {
		if _, err := r.log.Verify(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(2000*b.N)/b.Elapsed().Seconds(), "entries/s")
}

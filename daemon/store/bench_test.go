package store

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkWrite is a write of one row, by one writer and by eight, on each engine; with what a flush of 100 bytes costs on the same disk.
func BenchmarkWrite(b *testing.B) {
	for _, engine := range []string{"SQLite", "PostgreSQL"} {
		for _, writers := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/writers=%d", engine, writers), func(b *testing.B) {
				cfg := Config{Dir: b.TempDir()}
				if engine == "PostgreSQL" {
					cfg = onPostgres(b, "box")
				}
				benchmarkWrite(b, openAs(b, cfg), writers)
			})
		}
	}
	b.Run("fdatasync", func(b *testing.B) {
		f, err := os.CreateTemp("", "")
		if err != nil {
			b.Fatal(err)
		}
		defer os.Remove(f.Name())
		var took []time.Duration
		for b.Loop() {
			begun := time.Now()
			if _, err := f.Write(make([]byte, 100)); err != nil || f.Sync() != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(begun))
		}
		report(b, took)
	})
}

func benchmarkWrite(b *testing.B, db *DB, writers int) {
	var n atomic.Int64
	took := make(chan []time.Duration, writers)
	b.ResetTimer()
	for range writers {
		go func() {
			var all []time.Duration
			for {
				row := int(n.Add(1))
				if row > b.N {
					break
				}
				begun := time.Now()
				if err := db.Write(b.Context(), func(tx *Tx) error { return add(tx, row) }); err != nil {
					b.Error(err)
					break
				}
				all = append(all, time.Since(begun))
			}
			took <- all
		}()
	}
	var all []time.Duration
	for range writers {
		all = append(all, <-took...)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
	report(b, all)
}

func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}

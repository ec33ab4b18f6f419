package vault

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// report tells the median and the 99th percentile of what was measured.
func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkSeal is what a line waits for its token: cipher, three rows, hashes, signature, and the disk.
// Compare it with BenchmarkFlush of the same run, which is the disk alone.
func BenchmarkSeal(b *testing.B) {
	for _, lines := range []int{1, 8, 64} {
		b.Run(fmt.Sprint("lines=", lines), func(b *testing.B) {
			r := newRig(b)
			took := make([]time.Duration, b.N)
			next := make(chan int)
			var wg sync.WaitGroup
			for range lines {
				wg.Go(func() {
					card, err := visa("").card()
					if err != nil {
						b.Error(err)
						return
					}
					defer card.Destroy()
					for n := range next {
						begun := time.Now()
						if _, err := r.vault.Seal(b.Context(), another().Capture, card); err != nil {
							b.Error(err)
						}
						took[n] = time.Since(begun)
					}
				})
			}
			b.ResetTimer()
			for n := range b.N {
				next <- n
			}
			close(next)
			wg.Wait()
			report(b, took)
		})
	}
}

// BenchmarkUse opens a card, with its audit row.
func BenchmarkUse(b *testing.B) {
	r := newRig(b)
	s := visa("a")
	token := r.mustSeal(b, s)
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if err := r.reveals(b, token, s); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	report(b, took)
}

// BenchmarkLookUp reads a record and its key, which is what stands between a token and its card.
func BenchmarkLookUp(b *testing.B) {
	r := newRig(b)
	var tokens []string
	for range 1000 {
		tokens = append(tokens, r.mustSeal(b, another()))
	}
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		begun := time.Now()
		if _, err := r.vault.read(context.Background(), tokens[n%len(tokens)]); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	report(b, took)
}

// BenchmarkCipher is the part of a seal that is neither SQL nor disk.
func BenchmarkCipher(b *testing.B) {
	r := newRig(b)
	s := visa("a")
	card, err := s.card()
	if err != nil {
		b.Fatal(err)
	}
	defer card.Destroy()
	_, kek, err := r.vault.ring.newest()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := newRecord(s.Capture, card.PAN, card.Expiry, 1, kek, time.Now(), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFlush appends 8 KiB to a file and flushes it.
func BenchmarkFlush(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 8<<10)
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	report(b, took)
}

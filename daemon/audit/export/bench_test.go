package export

import (
	"bytes"
	"flag"
	"testing"
)

var entries = flag.Int("entries", 2000, "how many entries BenchmarkVerify's export has")

// BenchmarkVerify is flattone audit verify on an export: every entry's place in the tree, and its signature.
func BenchmarkVerify(b *testing.B) {
	book := newBook(b, 1, *entries)
	file := book.file(book.lines, *entries)
	for b.Loop() {
		if r, err := Verify(bytes.NewReader(file), book.key); err != nil || r.Entries != int64(*entries) {
			b.Fatalf("%+v, %v", r, err)
		}
	}
	b.ReportMetric(float64(*entries*b.N)/b.Elapsed().Seconds(), "entries/s")
}

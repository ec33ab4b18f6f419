package path_test

import (
	"testing"

	"github.com/flattone/flattone/audio"
	"github.com/flattone/flattone/audio/mask"
	"github.com/flattone/flattone/audio/path"
)

// BenchmarkPath is the whole path, in blocks of 10 ms: speech and keys, by rate.
func BenchmarkPath(b *testing.B) {
	for _, rate := range rates {
		b.Run(rate.String(), func(b *testing.B) {
			x := keysAt(rate)
			if rate == audio.Rate8k {
				x = loadCall(b, "visa").samples
			}
			p := open(b, path.Config{Rate: rate}, mask.Armed)
			block := int(rate) / 100
			out := make([]int16, block)
			at := 0
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				p.Write(x[at : at+block])
				p.Read(out)
				p.Next()
				if at += block; at+block > len(x) {
					at = 0
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(block), "ns/sample")
		})
	}
}

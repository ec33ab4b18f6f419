package detect

import "golang.org/x/sys/cpu"

var avx = cpu.X86.HasAVX

//go:noescape
func projectAVX(dst *bins, energy *float32, table *[maxTick]bins, phase *bins, x *float32, n int)

//go:noescape
func slideAVX(sums *bins, tops *top, now *bins, history *[depth]bins, gone *int, n int)

//go:noescape
func filterAVX(band, high *float32, s *filterState, m *filterMatrix, x *float32, n int)

func project(dst *bins, energy *float32, table *[maxTick]bins, phase *bins, x []float32) {
	if !avx {
		projectPlain(dst, energy, table, phase, x)
		return
	}
	_ = table[len(x)-1]
	projectAVX(dst, energy, table, phase, &x[0], len(x))
}

func slide(sums []bins, tops []top, now *bins, history *[depth]bins, gone []int) {
	if !avx {
		slidePlain(sums, tops, now, history, gone)
		return
	}
	n := len(sums)
	_, _ = tops[n-1], gone[n-1]
	slideAVX(&sums[0], &tops[0], now, history, &gone[0], n)
}

func runFilter(band, high []float32, s *filterState, m *filterMatrix, x []float32) {
	if !avx {
		filterPlain(band, high, s, m, x)
		return
	}
	n := len(x)
	_, _ = band[n-1], high[n-1]
	filterAVX(&band[0], &high[0], s, m, &x[0], n)
}

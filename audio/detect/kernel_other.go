//go:build !amd64

package detect

func project(dst *bins, energy *float32, table *[maxTick]bins, phase *bins, x []float32) {
	projectPlain(dst, energy, table, phase, x)
}

func slide(sums []bins, tops []top, now *bins, history *[depth]bins, gone []int) {
	slidePlain(sums, tops, now, history, gone)
}

func runFilter(band, high []float32, s *filterState, m *filterMatrix, x []float32) {
	filterPlain(band, high, s, m, x)
}
